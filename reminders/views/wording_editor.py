"""/wording/…: writing the words of one kind in one language, with what patients would read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages as toasts
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from reminders.journeys import addressing
from reminders.rewording import checking, drafting, publishing
from reminders.rewording.drafting import LONGEST_PHRASE, StaleDraft
from reminders.views.wordings import Place, in_use, place_of
from reminders.wording import versions
from reminders.wording.findings import Finding
from reminders.wording.measuring import Measure
from reminders.wording.phrases import PhraseError
from reminders.wording.samples import Samples, samples
from reminders.wording.value_rules import allowed
from reminders.wording.versions import NEEDED, PHRASES, Sources

LABELS = {
    "sms": _("Text message"),
    "sms_several": _("Text message about several visits"),
    "subject": _("Subject of the e-mail"),
    "subject_several": _("Subject about several visits"),
    "opening": _("First paragraph of the e-mail"),
    "opening_several": _("First paragraph about several visits"),
    "closing": _("Last paragraph of the e-mail"),
}
ONE_LINE = {"subject", "subject_several"}


class PhrasesForm(forms.Form):
    """The phrases of a version, as typed, and the digest of the draft that they began from."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PHRASES:
            self.fields[name] = forms.CharField(
                label=LABELS[name],
                required=False,
                max_length=LONGEST_PHRASE,
                widget=forms.Textarea(
                    attrs={"rows": 1 if name in ONE_LINE else 3, "spellcheck": "true"}
                ),
            )

    @property
    def sources(self) -> Sources:
        """The typed phrases, tidied; whatever is too long stays as it is."""
        return versions.tidied({name: self.data.get(name, "") for name in PHRASES})


@dataclass(frozen=True, slots=True)
class PhraseRow:
    """One field of the editor with what is to be said beside it."""

    name: str
    field: forms.BoundField
    values: list[str]
    findings: list[Finding]
    room: Measure | None
    is_needed: bool


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, scope: str, kind: str, language: str) -> HttpResponse:
    """The editor. A POST previews; with `act=save` it saves the draft."""
    place = place_of(request, scope, kind, language)
    draft = drafting.draft_of(place.scope, place.kind, place.language)
    if request.method != "POST":
        sources = draft.sources if draft else in_use(place)[0]
        form = PhrasesForm({**sources, "seen": draft.digest if draft else ""})
        return _page(request, place, form)
    form = PhrasesForm(request.POST)
    if request.POST.get("act") != "save" or not form.is_valid():
        return _page(request, place, form, status=200 if form.is_valid() else 422)
    try:
        drafting.save(
            scope=place.scope,
            kind=place.kind,
            language=place.language,
            sources=form.sources,
            seen=form.cleaned_data["seen"],
            by=place.staff,
            now=timezone.now(),
        )
    except StaleDraft as stale:
        return _page(request, place, form, stale=stale, status=409)
    toasts.success(request, gettext("The draft is saved. Patients read it once it is published."))
    return redirect("wording", *place.address)


@require_POST
def discard(request: HttpRequest, scope: str, kind: str, language: str) -> HttpResponse:
    """Throw the draft away; what patients read stays."""
    place = place_of(request, scope, kind, language)
    draft = drafting.draft_of(place.scope, place.kind, place.language)
    if draft is None:
        return redirect("wording", *place.address)
    try:
        drafting.discard(
            draft=draft, seen=request.POST.get("seen", ""), by=place.staff, now=timezone.now()
        )
    except StaleDraft as stale:
        toasts.error(request, stale.sentence)
    else:
        toasts.success(
            request, gettext("The draft is thrown away. Patients read what they read before.")
        )
    return redirect("wording", *place.address)


def _page(
    request: HttpRequest,
    place: Place,
    form: PhrasesForm,
    *,
    stale: StaleDraft | None = None,
    status: int = 200,
) -> HttpResponse:
    sources = form.sources
    found = checking.findings(sources, kind=place.kind, language=place.language, scope=place.scope)
    shown = _samples(sources, place)
    context = {
        **place.common(),
        "form": form,
        "rows": [_row(name, form, place, found, shown) for name in PHRASES],
        "whole": [each for each in found if not each.phrase],
        "samples": shown,
        "counts": _counts(found),
    }
    if request.headers.get("HX-Request"):
        return render(request, "reminders/wording/_live.html", context)
    sources_in_use, whose = in_use(place)
    draft = drafting.draft_of(place.scope, place.kind, place.language)
    context |= {
        "draft": draft,
        "published": drafting.published_of(place.scope, place.kind, place.language),
        "whose": whose,
        "is_changed": versions.digest(sources) != versions.digest(sources_in_use),
        "history": drafting.of(place.scope, place.kind, place.language).exclude(state="draft"),
        "waiting": publishing.waiting_messages(place.scope, place.kind, place.language),
        "stale": _both(stale, sources) if stale else None,
        "standing": stale.draft.digest if stale and stale.draft else "",
        "is_stale": stale is not None,
    }
    return render(request, "reminders/wording/editor.html", context, status=status)


def _row(
    name: str, form: PhrasesForm, place: Place, found: list[Finding], shown: Samples | None
) -> PhraseRow:
    return PhraseRow(
        name,
        form[name],
        sorted(allowed(name, place.kind)),
        [each for each in found if each.phrase == name],
        shown.rooms.get(name) if shown else None,
        name in NEEDED,
    )


def _samples(sources: Sources, place: Place) -> Samples | None:
    """What patients would read; None while the notation cannot be read."""
    try:
        wording = versions.version(sources).wording
    except (PhraseError, KeyError):
        return None
    return samples(
        wording,
        kind=place.kind,
        language=place.language,
        sender=addressing.sender_of(place.site),
        link=checking.sample_link(),
    )


def _counts(found: list[Finding]) -> dict[str, int]:
    counted = dict.fromkeys(("error", "warning", "note"), 0)
    for each in found:
        counted[each.level] += 1
    return counted


def _both(stale: StaleDraft, mine: Sources) -> list[dict[str, str]]:
    """The phrases in which the stored draft and what was typed differ."""
    stored: Sources = stale.draft.sources if stale.draft else {}
    return [
        {"label": str(LABELS[name]), "stored": stored.get(name, ""), "mine": mine[name]}
        for name in PHRASES
        if stored.get(name, "") != mine[name]
    ]
