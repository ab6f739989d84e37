"""/patients/: find a patient, and see at a glance where each one stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from urllib.parse import parse_qsl

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from appointments.lifecycle import TO_COME, State
from appointments.models import Appointment, TreatmentSeries
from clinic import access
from clinic.access import Capability
from clinic.models import ProtocolVersion, Staff
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from patients import consent, registration
from patients.models import ContactPoint, Patient, Purpose
from reminders.views import forms_to_sign, patient_filters
from reminders.views.patient_filters import PatientFilters

PER_PAGE = 50
# The list below the field of every page: its id, how many it shows, from how many letters on.
ANYWHERE, FOUND_ANYWHERE, LEAST_LETTERS = "find-list", 8, 2
# The last patients whose page the reader opened, the latest first, in their session.
LATELY, SEEN_LATELY = "patients_lately", 5
TREATED = (State.DONE, State.IN_TREATMENT, State.ARRIVED)


@dataclass(slots=True)
class Progress:
    """An open series: the state of each session in order; "open" is one that is not booked.
    `newer` is the version of its protocol that it could go over to."""

    series: TreatmentSeries
    states: list[str]
    newer: str = ""

    @property
    def is_bookable(self) -> bool:
        """Whether an agreed session has no visit yet."""
        return "open" in self.states

    @property
    def done(self) -> int:
        return self.states.count(State.DONE)


@dataclass(slots=True)
class Row:
    """A patient of the list. `flags` are the words of what needs somebody's hand."""

    patient: Patient
    last: Appointment | None = None
    next: Appointment | None = None
    progress: list[Progress] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
def patient_list(request: HttpRequest) -> HttpResponse:
    """`?q=` is a name, digits of a phone, a birth date or #number; htmx gets the list alone, and
    the field that every page has a short one."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.SEE_PATIENTS)
    filters, now = PatientFilters(request.GET, staff=staff), timezone.now()
    query, is_anywhere = request.GET.get("q", ""), request.headers.get("HX-Target") == ANYWHERE
    if is_anywhere and len(query.strip()) < LEAST_LETTERS:
        found: Sequence[Patient] | QuerySet[Patient] = _seen_lately(request, staff)
    else:
        seen = cast("QuerySet[Patient]", registration.search(staff=staff, query=query))
        found = seen if is_anywhere else filters.narrow(seen, now=now)
    page = Paginator(found, FOUND_ANYWHERE if is_anywhere else PER_PAGE).get_page(
        request.GET.get("page")
    )
    lists(request, (each.pk for each in page), site_id=site.pk)
    context = {
        "query": query.strip(),
        "page": page,
        "rows": rows_of(list(page), staff=None if is_anywhere else staff, now=now),
        "filters": filters,
        "saved": _saved(request),
        "site": site,
        "may_edit": access.can(staff, Capability.EDIT_PATIENTS, site),
        "may_book": access.can(staff, Capability.BOOK, site),
    }
    part = "_found" if request.headers.get("HX-Request") else "patient_list"
    if is_anywhere:
        part = "_anywhere"
    return render(request, f"reminders/patient_list/{part}.html", context)


def remember(request: HttpRequest, patient_id: int) -> None:
    """That the reader opened this patient's page, for who looks for them again."""
    before = request.session.get(LATELY, [])
    lately = [patient_id, *(pk for pk in before if pk != patient_id)][:SEEN_LATELY]
    if lately != before:
        request.session[LATELY] = lately


def _seen_lately(request: HttpRequest, staff: Staff) -> Sequence[Patient]:
    lately = request.session.get(LATELY, [])
    rows = Patient.objects.seen_by(staff).in_bulk(lately)
    return [rows[pk] for pk in lately if pk in rows]


def _saved(request: HttpRequest) -> list[tuple[Promise, str, bool]]:
    """What is asked for most: its words, its address, and whether it is what is shown."""
    shown = request.GET.copy()
    shown.pop("page", None)
    shown.pop("site", None)
    asked = sorted(pair for pair in parse_qsl(shown.urlencode()) if pair[1])
    return [
        (words, query, sorted(parse_qsl(query)) == asked) for words, query in patient_filters.SAVED
    ]


def rows_of(patients: Sequence[Patient], *, staff: Staff | None, now: datetime) -> list[Row]:
    """The rows of these patients in a constant number of queries, with the flags that `staff` is to
    see; with none for nobody."""
    rows = {patient.pk: Row(patient) for patient in patients}
    visits = _visits(rows)
    for visit in visits:
        row = rows[visit.series.patient_id]
        if visit.state in TREATED and visit.starts_at <= now:
            row.last = visit
        elif visit.state in TO_COME and visit.ends_at > now and row.next is None:
            row.next = visit
    for progress in progress_of(_open_series(rows), visits):
        rows[progress.series.patient_id].progress.append(progress)
    if staff is not None:
        _flag(rows, staff, now)
    return list(rows.values())


def progress_of(series: Sequence[TreatmentSeries], visits: Sequence[Appointment]) -> list[Progress]:
    """How far open series are, in their order; `visits` are those of their patients, in order of
    time."""
    states: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for visit in visits:
        if visit.state != State.CANCELLED:
            states[visit.series_id][visit.session] = visit.state
    approved = dict(
        ProtocolVersion.objects.filter(status=ProtocolVersion.Status.APPROVED).values_list(
            "protocol", "version"
        )
    )
    return [
        Progress(
            each,
            [states[each.pk].get(number, "open") for number in range(1, each.sessions + 1)],
            _newer(each, approved),
        )
        for each in series
    ]


def _open_series(patient_ids: Iterable[int]) -> list[TreatmentSeries]:
    """The open series of these patients, the oldest first."""
    found = TreatmentSeries.objects.filter(patient__in=list(patient_ids), closed_at=None)
    loaded = found.select_related("protocol_version__modality", "site")
    return list(loaded.order_by("booked_at", "id"))


def _newer(series: TreatmentSeries, approved: dict[str, str]) -> str:
    """The approved version of its protocol when the series goes by another one."""
    version = approved.get(series.protocol_version.protocol, "")
    return version if version != series.protocol_version.version else ""


def _visits(patient_ids: dict[int, Row]) -> list[Appointment]:
    return list(
        Appointment.objects.filter(series__patient__in=list(patient_ids))
        .select_related("series", "site")
        .order_by("starts_at", "id")
    )


def _flag(rows: dict[int, Row], staff: Staff, now: datetime) -> None:
    forms = forms_to_sign.flagged_forms(rows, now=now)
    tasks = patient_filters.with_task(staff, now=now).filter(patient__in=list(rows))
    to_do = set(tasks.values_list("patient_id", flat=True))
    agreed = consent.standing(rows)
    reached = set(
        ContactPoint.objects.filter(patient__in=list(rows), retired_at=None).values_list(
            "patient_id", flat=True
        )
    )
    for row in rows.values():
        patient = row.patient
        if patient.deceased_at is not None:
            continue
        purposes = {purpose for purpose, _ in agreed[patient.pk]}
        unbooked = any("open" in each.states for each in row.progress)
        found = {
            gettext("no contact"): patient.pk not in reached,
            gettext("no consent"): Purpose.CARE not in purposes,
            gettext("next visit not booked"): unbooked and row.next is None,
            gettext("form to sign"): patient.pk in forms[forms_to_sign.UNSIGNED],
            gettext("form runs out soon"): patient.pk in forms[forms_to_sign.RUNS_OUT],
            gettext("task due"): patient.pk in to_do,
        }
        row.flags = [words for words, applies in found.items() if applies]
