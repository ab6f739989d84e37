"""Protocols to read, to approve and to retire, and plain services to add."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import access
from clinic.adding_service import add_service
from clinic.forms import RetireForm, ServiceForm
from clinic.models import ProtocolDraft, ProtocolVersion, Staff
from clinic.protocols import deciding, loading
from clinic.protocols.reading import ProtocolError
from clinic.protocols.schema import Phase, Step, Text
from clinic.views.current_site import current_site

SECTIONS = (
    ("before", _("Before the session"), {Phase.PRE}),
    ("day", _("On the day"), {Phase.DAY}),
    ("after", _("After the session"), {Phase.POST, Phase.FOLLOWUP}),
    ("maintenance", _("Keeping the result"), {Phase.MAINTENANCE}),
)


@require_safe
def protocol_list(request: HttpRequest) -> HttpResponse:
    """Every protocol with its versions, the newest first."""
    site = current_site(request)
    staff = cast(Staff, request.user)
    rows = ProtocolVersion.objects.select_related("approved_by", "modality").order_by(
        "kind", "name", "protocol", "-created_at", "-pk"
    )
    versions = [(row, loading.get(row)) for row in rows]
    return render(
        request,
        "clinic/protocols/list.html",
        {
            "site": site,
            "versions": versions,
            "may_add": deciding.may_add_services(staff),
        },
    )


@require_safe
def protocol_page(request: HttpRequest, protocol: str, version: str) -> HttpResponse:
    """All that one version says."""
    return _shown(request, _version(protocol, version), RetireForm())


def _shown(
    request: HttpRequest, row: ProtocolVersion, form: RetireForm, status: int = 200
) -> HttpResponse:
    site = current_site(request)
    content, staff = loading.get(row), cast(Staff, request.user)
    return render(
        request,
        "clinic/protocols/page.html",
        {
            "site": site,
            "version": row,
            "protocol": content,
            "sections": _sections(content.steps),
            # Who decides on a draft reads it whole; of any other version one looks a part up.
            "is_open": row.status == ProtocolVersion.Status.DRAFT,
            "others": ProtocolVersion.objects.filter(protocol=row.protocol).exclude(pk=row.pk),
            "is_being_written": ProtocolDraft.objects.filter(protocol=row.protocol).exists(),
            "may_approve": deciding.may_decide(staff, content, *loading.in_use(row.protocol)),
            "may_retire": deciding.may_decide(staff, content),
            "form": form,
        },
        status=status,
    )


@require_POST
def approve(request: HttpRequest, protocol: str, version: str) -> HttpResponse:
    row = _version(protocol, version)
    try:
        loading.approve(
            version=row, by=cast(Staff, request.user), now=timezone.now(), demo=settings.DEMO
        )
    except loading.StatusRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(
            request,
            gettext("%(row)s %(version)s is approved for new series.")
            % {"row": loading.called(row), "version": row.version},
        )
    return redirect("protocol", protocol, version)


@require_POST
def retire(request: HttpRequest, protocol: str, version: str) -> HttpResponse:
    row, form = _version(protocol, version), RetireForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        loading.retire(version=row, by=cast(Staff, request.user), now=timezone.now(), reason=reason)
    except loading.ReasonMissing:
        return _shown(request, row, form, status=422)
    except loading.StatusRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(
            request,
            gettext("%(row)s %(version)s is retired; series under way keep it.")
            % {"row": loading.called(row), "version": row.version},
        )
    return redirect("protocol", protocol, version)


@require_http_methods(["GET", "HEAD", "POST"])
def new_service(request: HttpRequest) -> HttpResponse:
    """A plain service such as toxin, facial or call: one visit, no series, no steps."""
    staff = cast(Staff, request.user)
    deciding.require_adding_services(staff)
    form = ServiceForm(request.POST or None, sites=access.sites_of(staff))
    if form.is_valid():
        given = dict(form.cleaned_data)
        name = Text(en=given.pop("name"), es=given.pop("name_es"))
        device = given.pop("device")
        try:
            row = add_service(
                name=name,
                modality=device.slug if device else "",
                by=staff,
                now=timezone.now(),
                **given,
            )
        except (ProtocolError, loading.LoadRefused) as refused:
            for problem in refused.problems:
                _beside(form, problem)
        else:
            messages.success(
                request, gettext("%(row)s can be booked now.") % {"row": loading.called(row)}
            )
            return redirect("protocol", row.protocol, row.version)
    return render(
        request,
        "clinic/protocols/new_service.html",
        {"form": form},
        status=422 if form.errors else 200,
    )


# Where a place of the protocol is filled in, where that has another name.
_FILLED_IN = {"name.en": "name", "name.es": "name_es", "resources.room_kind": "room_kind"}


def _beside(form: ServiceForm, problem: str) -> None:
    """Say what is wrong ("toxin: code: …") at its field, else above the form."""
    place, _, cause = problem.partition(": ")[2].partition(": ")
    field = _FILLED_IN.get(place, place)
    if field in form.fields:
        form.add_error(field, f"{cause[:1].upper()}{cause[1:]}{'' if cause.endswith('.') else '.'}")
    else:
        form.add_error(None, problem)


def _version(protocol: str, version: str) -> ProtocolVersion:
    return get_object_or_404(
        ProtocolVersion.objects.select_related("approved_by", "modality"),
        protocol=protocol,
        version=version,
    )


def _sections(steps: Iterable[Step]) -> list[dict[str, object]]:
    """The steps under their headings, in the order in which a patient meets them."""
    ordered = sorted(steps, key=_moment)
    found: list[dict[str, object]] = []
    for name, title, phases in SECTIONS:
        if here := [step for step in ordered if step.phase in phases]:
            found.append({"id": name, "title": title, "steps": here})
    return found


def _moment(step: Step) -> int:
    """Seconds from the anchor, negative before it."""
    if step.before is not None:
        return -step.before.approximate_seconds
    return step.after.approximate_seconds if step.after is not None else 0
