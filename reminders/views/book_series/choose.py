"""Step 1: who and what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Max, Min, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from appointments.lifecycle import TO_COME, State
from appointments.models import Appointment, TreatmentSeries
from appointments.views.waitlist_rows import WEEKDAYS
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols import loading as protocols
from clinic.protocols.areas import in_order
from clinic.protocols.schema import Protocol
from clinic.reader_language import reader_language
from clinic.views.looking import lists
from clinic.wall_time import local
from patients import registration
from patients.models import Patient
from reminders.views.book_series import draft as drafts
from reminders.views.book_series.draft import Draft
from reminders.views.book_series.order import Missing, booking_at, free_of, providers

FOUND = 8


@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """Patient, treatment, areas and wishes. `find` looks for a patient."""
    site, by = booking_at(request)
    return choose_page(request, site, by, drafts.read(request.GET))


@require_GET
def find_patients(request: HttpRequest) -> HttpResponse:
    """The patients that `find` may mean, as the list inside the first step."""
    site, by = booking_at(request)
    draft = drafts.read(request.GET)
    found = _found(by, request.GET.get("find", ""), draft.patient_id)
    lists(request, (each.pk for each in found["patients"]), site_id=site.pk)
    context = {"site": site, "back": _way_back(site, draft), **found}
    return render(request, "reminders/book_series/_patients.html", context)


def choose_page(
    request: HttpRequest,
    site: Site,
    by: Staff,
    draft: Draft,
    missing: Missing | None = None,
) -> HttpResponse:
    found = _found(by, request.GET.get("find", ""), draft.patient_id)
    lists(request, (each.pk for each in found["patients"]), site_id=site.pk)
    free = draft.free_time
    context = {
        **found,
        "site": site,
        "back": _way_back(site, draft),
        "draft": draft,
        "free_of": free_of(draft, site),
        "at": drafts.free_time(free.starts_at, free.resource) if free else "",
        "treatments": _treatments(draft),
        "providers": providers(site),
        "weekdays": list(enumerate(WEEKDAYS)),
        "earliest": "" if draft.earliest is None else drafts.clock(draft.earliest),
        "latest": "" if draft.latest is None else drafts.clock(draft.latest),
        "tomorrow": local(timezone.now(), site.zone).date() + timedelta(days=1),
        "missing": missing,
    }
    status = 422 if missing else 200
    return render(request, "reminders/book_series/choose.html", context, status=status)


def _way_back(site: Site, draft: Draft) -> str:
    """Where who is added meanwhile is booked for, with the choices made so far."""
    return f"{reverse('book-series')}?site={site.slug}&{draft.wishes_query}"


@dataclass(frozen=True, slots=True)
class Treatment:
    """One approved protocol to choose, with its areas and how many sessions it takes."""

    version: ProtocolVersion
    protocol: Protocol
    areas: list[tuple[str, str, bool]]
    sessions: int
    is_chosen: bool


def _treatments(draft: Draft) -> list[Treatment]:
    approved = ProtocolVersion.objects.filter(status=ProtocolVersion.Status.APPROVED)
    return [
        _treatment(version, draft)
        for version in approved.select_related("modality").order_by("kind", "name")
    ]


def _treatment(version: ProtocolVersion, draft: Draft) -> Treatment:
    protocol, is_chosen = protocols.get(version), version.pk == draft.version_id
    areas = protocol.applicability.areas
    only = len(areas) == 1
    return Treatment(
        version,
        protocol,
        [
            (
                area,
                areas[area].name.get(reader_language()),
                only or (is_chosen and area in draft.areas),
            )
            for area in in_order(areas)
        ],
        (is_chosen and draft.sessions) or protocol.series.sessions.typical,
        is_chosen,
    )


def _found(by: Staff, query: str, chosen: int | None) -> dict[str, Any]:
    """Who may be meant: the chosen one first; before typing those booked for lately."""
    seen = Patient.objects.seen_by(by)
    if query.strip():
        patients = _with_visits(registration.search(staff=by, query=query))[:FOUND]
    elif chosen is not None:
        patients = Patient.objects.none()
    else:
        lately = TreatmentSeries.objects.filter(booked_by=by)
        patients = _with_visits(seen.filter(pk__in=lately.values("patient")))
        patients = patients.annotate(last_booked=Max("series__booked_at"))
        patients = patients.order_by("-last_booked")[:5]
    rows = list(patients)
    if chosen is not None and chosen not in {patient.pk for patient in rows}:
        rows = [*_with_visits(seen).filter(pk=chosen), *rows]
    return {"patients": rows, "find": query, "chosen_patient": chosen}


def _with_visits(patients: Any) -> QuerySet[Patient]:
    """The patients with their `last_visit` and `next_visit` (UTC)."""
    visits = Appointment.objects.filter(series__patient=OuterRef("pk")).order_by()
    now = timezone.now()
    past = visits.filter(starts_at__lt=now, state=State.DONE)
    to_come = visits.filter(starts_at__gte=now, state__in=TO_COME)
    found: QuerySet[Patient] = patients.annotate(
        last_visit=Subquery(
            past.values("series__patient").annotate(x=Max("starts_at")).values("x")
        ),
        next_visit=Subquery(
            to_come.values("series__patient").annotate(x=Min("starts_at")).values("x")
        ),
    )
    return found
