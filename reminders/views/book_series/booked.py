"""Step 4: what was booked, and taking it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.db.models import Max, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from appointments.lifecycle import TO_COME, State
from appointments.models import TreatmentSeries
from appointments.refusals import Refused
from appointments.visits import holdings
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.looking import shows
from patients.models import Patient
from reminders import series_booking
from reminders.patient_pages import printed_sheet


@require_GET
def booked(request: HttpRequest, pk: int) -> HttpResponse:
    """What was booked, and how many messages are planned for it."""
    series = _seen_series(request, pk)
    context = {"series": series, "site": series.site, **_planned(series)}
    if request.headers.get("HX-Request"):
        return render(request, "reminders/book_series/_planned.html", context)
    visits = list(series.appointments.order_by("session", "id"))
    held_by = holdings.of(visits)
    may_book = access.can(cast(Staff, request.user), Capability.BOOK, series.site)
    now = timezone.now()
    held_until = series.booked_at + timedelta(seconds=series.site.notice_hold_seconds)
    context |= {
        "visits": [(visit, held_by[visit.pk]) for visit in visits],
        "held_until": held_until,
        "is_held": now < held_until,
        "may_print": any(visit.state in TO_COME and visit.starts_at > now for visit in visits),
        "stands": any(visit.state != State.CANCELLED for visit in visits),
        "may_take_back": may_book and all(visit.state in TO_COME for visit in visits),
    }
    return render(request, "reminders/book_series/booked.html", context)


@require_GET
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """What the patient takes home, as PDF."""
    series = _seen_series(request, pk)
    content = printed_sheet.of_series(series=series, now=timezone.now())
    if content is None:
        messages.error(request, gettext("No visit of this series is to come."))
        return redirect("series-booked", pk)
    shown = {"Content-Disposition": 'inline; filename="visits.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=shown)


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    series = _seen_series(request, pk)
    try:
        series_booking.take_back(series=series, by=cast(Staff, request.user), now=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(
            request,
            gettext("The booking of %(patient)s was taken back.")
            % {"patient": series.patient.display_name},
        )
    return redirect("series-booked", pk)


def _seen_series(request: HttpRequest, pk: int) -> TreatmentSeries:
    seen = TreatmentSeries.objects.seen_by(cast(Staff, request.user))
    series = get_object_or_404(
        seen.select_related("patient", "site", "protocol_version__modality"), pk=pk
    )
    shows(request, series, patient_id=series.patient_id)
    return series


def _planned(series: TreatmentSeries) -> dict[str, Any]:
    """How many messages there will be, once the patient's plan has caught up."""
    patient = Patient.objects.get(pk=series.patient_id)
    counts = series.messages.aggregate(
        planned=Max("id"),
        first=Min("due_at", filter=Q(state="scheduled")),
    )
    return {
        "is_planned": patient.planned_revision == patient.revision and bool(counts["planned"]),
        "to_send": series.messages.filter(state="scheduled").count(),
        "first_due": counts["first"],
    }
