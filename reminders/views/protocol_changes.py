"""What a version of a protocol changes: against the approved one, and for who is under way."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from appointments.models import TreatmentSeries
from appointments.models.series import SeriesState
from clinic import access
from clinic.access import Capability
from clinic.models import ProtocolVersion, Staff
from clinic.protocols import deciding, loading
from clinic.protocols.comparing import Difference, differences
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.views.protocol_frame import Change, worded
from reminders.journeys import republishing

# In the order in which a protocol is read; what is not named comes last.
PARTS = {
    "series": _("The series"),
    "applicability": _("Areas and skin types"),
    "resources": _("Provider, room and device"),
    "screening": _("Screening"),
    "steps": _("What patients hear"),
    "session_log": _("Session log"),
    "spacing": _("Other treatments"),
    "warnings": _("Warning signs"),
    "products": _("Products"),
    "policy": _("Policy"),
}
OTHER = _("Other")
# Series that are listed; who goes over makes room for the next.
MOST_LISTED = 50


@require_safe
def changes(request: HttpRequest, protocol: str, version: str) -> HttpResponse:
    """`with` is the version to compare with, by default the approved one; `effect` asks what
    would change for those who are under way, which takes a while."""
    site, staff = current_site(request), cast(Staff, request.user)
    row = get_object_or_404(ProtocolVersion, protocol=protocol, version=version)
    others = ProtocolVersion.objects.filter(protocol=protocol).exclude(pk=row.pk)
    other = others.filter(version=request.GET.get("with", "")).first()
    other = other or others.filter(status=ProtocolVersion.Status.APPROVED).first()
    # Approved itself, it took the place of the one before it.
    other = other or others.filter(created_at__lte=row.created_at).order_by("-created_at").first()
    may_count = deciding.may_decide(staff, loading.get(row))
    context: dict[str, Any] = {"site": site, "version": row, "other": other, "may_count": may_count}
    if may_count and "effect" in request.GET:
        context["under_way"] = republishing.under_way(version=row, now=timezone.now())
    if request.headers.get("HX-Request"):
        return render(request, "reminders/protocols/_effect.html", context)
    found = differences(other.document, row.document) if other else []
    staying = _staying(row, staff)
    lists(request, (each.patient_id for each in staying.get("staying", ())), site_id=site.pk)
    context |= {
        "others": others.order_by("-created_at"),
        "parts": _by_part(found, row.document, other.document if other else {}),
        "total": len(found),
        **staying,
    }
    return render(request, "reminders/protocols/changes.html", context)


def _staying(version: ProtocolVersion, staff: Staff) -> dict[str, Any]:
    """The open series of another version that `staff` may give an approved one to."""
    if version.status != ProtocolVersion.Status.APPROVED:
        return {}
    rows = TreatmentSeries.objects.seen_by(staff).filter(
        protocol_version__protocol=version.protocol,
        state=SeriesState.OPEN,
        areas__contained_by=[*loading.get(version).applicability.areas],
        site__in=access.sites_with(staff, Capability.BOOK),
        patient__deceased_at=None,
    )
    rows = rows.exclude(protocol_version=version)
    shown = rows.select_related("patient", "protocol_version").order_by(
        "patient__legal_family", "patient__legal_given", "pk"
    )[:MOST_LISTED]
    return {"staying": list(shown), "more": max(rows.count() - MOST_LISTED, 0)}


def _by_part(
    found: list[Difference], *documents: Mapping[str, Any]
) -> list[tuple[str, list[tuple[str, Change]]]]:
    """Under the heading of its part each difference, with where it is in words."""
    order = list(PARTS)

    def rank(each: Difference) -> int:
        return order.index(each.part) if each.part in PARTS else len(order)

    ordered = sorted(found, key=rank)
    return [
        (
            str(PARTS[order[number]] if number < len(order) else OTHER),
            [(_within(each.where), each) for each in (worded(one, *documents) for one in group)],
        )
        for number, group in groupby(ordered, key=rank)
    ]


def _within(place: str) -> str:
    """Where it is within its section; of a section that is one value, the section."""
    return place.partition(" · ")[2] or place
