"""/wording/…: comparing, publishing and taking back the words of one kind in one language."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages as toasts
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.refusals import Refused
from clinic.access import Capability
from patients.models.patient import Language
from reminders.models import WordingState, WordingVersion
from reminders.rewording import checking, drafting, publishing, scopes
from reminders.views.wording_editor import LABELS
from reminders.views.wordings import Place, in_use, place_of
from reminders.wording.differences import differences
from reminders.wording.findings import errors, warnings
from reminders.wording.versions import PHRASES, Sources


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, scope: str, kind: str, language: str) -> HttpResponse:
    """What changes for patients, what is to be ticked, and then the publication."""
    place = place_of(request, scope, kind, language)
    scopes.require(place.staff, Capability.PUBLISH_WORDING, place.scope)
    draft = drafting.draft_of(place.scope, place.kind, place.language)
    if draft is None:
        toasts.error(request, gettext("There is no draft to publish."))
        return redirect("wording", *place.address)
    if request.method != "POST":
        return _before(request, place, draft)
    accepted = request.POST.getlist("accepted")
    try:
        version = publishing.publish(
            draft=draft,
            seen=request.POST.get("seen", ""),
            accepted=accepted,
            by=place.staff,
            now=timezone.now(),
        )
    except Refused as refused:
        return _before(request, place, draft, refused=refused, accepted=accepted)
    toasts.success(
        request, gettext("%(label)s is in force from now on.") % {"label": version.label}
    )
    return redirect("wording", *place.address)


@require_POST
def retire(request: HttpRequest, scope: str, kind: str, language: str) -> HttpResponse:
    """Take the version in force out of force."""
    place = place_of(request, scope, kind, language)
    version = drafting.published_of(place.scope, place.kind, place.language)
    if version is None:
        raise Http404
    publishing.retire(version=version, by=place.staff, now=timezone.now())
    toasts.success(
        request,
        gettext("%(label)s is out of force. %(place)s hold again.")
        % {"label": version.label, "place": in_use(place)[1]},
    )
    return redirect("wording", *place.address)


@require_safe
def version(
    request: HttpRequest, scope: str, kind: str, language: str, number: int
) -> HttpResponse:
    """One version, word for word, against what patients read now."""
    place = place_of(request, scope, kind, language)
    row = _row(place, number)
    sources, whose = in_use(place)
    context = {
        **place.common(),
        "version": row,
        "phrases": [{"label": LABELS[name], "text": row.sources[name]} for name in PHRASES],
        "changes": _changes(row.sources, sources),
        "whose": whose,
        "has_draft": drafting.draft_of(place.scope, place.kind, place.language) is not None,
    }
    return render(request, "reminders/wording/version.html", context)


@require_POST
def take_up(
    request: HttpRequest, scope: str, kind: str, language: str, number: int
) -> HttpResponse:
    """Begin a draft with the words of an earlier version."""
    place = place_of(request, scope, kind, language)
    row = _row(place, number)
    try:
        drafting.take_up(version=row, by=place.staff, now=timezone.now())
    except Refused as refused:
        toasts.error(request, refused.sentence)
    else:
        toasts.success(
            request,
            gettext("The draft has the words of version %(number)s. Publish it next.")
            % {"number": number},
        )
    return redirect("wording", *place.address)


def _row(place: Place, number: int) -> WordingVersion:
    rows = drafting.of(place.scope, place.kind, place.language)
    return get_object_or_404(rows.exclude(state=WordingState.DRAFT), number=number)


def _before(
    request: HttpRequest,
    place: Place,
    draft: WordingVersion,
    *,
    refused: Refused | None = None,
    accepted: list[str] | None = None,
) -> HttpResponse:
    sources, whose = in_use(place)
    found = checking.of_row(draft)
    context = {
        **place.common(),
        "draft": draft,
        "changes": _changes(sources, draft.sources),
        "whose": whose,
        "errors": [(each, LABELS.get(each.phrase, "")) for each in errors(found)],
        "warnings": [
            (each, LABELS.get(each.phrase, ""), each.key in (accepted or ()))
            for each in warnings(found)
        ],
        "waiting": publishing.waiting_messages(place.scope, place.kind, place.language),
        "reached": scopes.sites_reached(place.scope, place.kind, place.language),
        "refused": refused,
        "others": [
            {"word": other.label, "whose": in_use(replace(place, language=other.value))[1]}
            for other in Language
            if other.value != place.language
        ],
    }
    status = 409 if refused else 200
    return render(request, "reminders/wording/publish.html", context, status=status)


def _changes(before: Sources, after: Sources) -> list[dict[str, Any]]:
    """The phrases that differ, word by word."""
    return [
        {"label": LABELS[name], "stretches": differences(before.get(name, ""), after[name])}
        for name in PHRASES
        if before.get(name, "") != after[name]
    ]
