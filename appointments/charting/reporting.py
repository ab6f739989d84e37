"""Adverse events: reported in three fields, completed later, closed by a clinician.

Each act raises the patient's revision: what is held back while an event is open is planned from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import translation

from appointments.charting.refusals import EventClosed, EventRefused
from appointments.models import (
    AdverseEvent,
    Appointment,
    EventOutcome,
    Severity,
    Task,
    TaskKind,
    TreatmentSeries,
)
from appointments.refusals import StaleVersion
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.retelling import kept
from clinic.saying import gettext, noop
from patients.models import Patient

WHAT_LENGTH, TEXT_LENGTH = 200, 4000
# Who reports these need not wait for office hours.
PAGED = (Severity.MODERATE, Severity.SEVERE)


@transaction.atomic
def report(
    *,
    patient: Patient,
    site: Site,
    what: str,
    severity: str,
    noticed_at: datetime,
    areas: Sequence[str],
    by: Staff,
    now: datetime,
    appointment: Appointment | None = None,
) -> AdverseEvent:
    """Write down that something went wrong, open the task, and page on call unless it is mild.

    `areas` are area ids of the patient's treatments; none when it is not known. With `appointment`
    it came of that visit.

    Raises:
        EventRefused: when a field cannot be so; nothing is written.
        Forbidden: when `by` does not run visits at `site`.
    """
    access.require(by, Capability.RUN_VISIT, site)
    what = _line(what)
    if not what:
        raise EventRefused(gettext("Write in a few words what happened."), field="what")
    if severity not in Severity.values:
        raise EventRefused(gettext("Choose how severe it is."), field="severity")
    if noticed_at > now:
        raise EventRefused(
            gettext("It cannot have been noticed in the future."), field="noticed_at"
        )
    _are_known(patient, areas)
    if appointment is not None and appointment.series.patient_id != patient.pk:
        raise EventRefused(gettext("This visit is another patient's."), field="appointment")
    event = AdverseEvent.objects.create(
        patient=patient,
        site=site,
        appointment=appointment,
        what=what,
        severity=severity,
        noticed_at=noticed_at,
        areas=list(dict.fromkeys(areas)),
        reported_at=now,
        reported_by=by,
        page_at=now if severity in PAGED else None,
    )
    _ask_staff(event, patient, site, appointment, now=now)
    _keep(event, "event.report", by=by, now=now, after={"severity": severity, "areas": event.areas})
    return event


_TITLES = {
    Severity.MILD: noop("Adverse event, mild: see to the patient"),
    Severity.MODERATE: noop("Adverse event, moderate: see to the patient"),
    Severity.SEVERE: noop("Adverse event, severe: see to the patient"),
}


def _ask_staff(
    event: AdverseEvent,
    patient: Patient,
    site: Site,
    appointment: Appointment | None,
    *,
    now: datetime,
) -> None:
    Task.objects.create(
        key=_key(event),
        site=site,
        patient=patient,
        appointment=appointment,
        kind=TaskKind.CALL,
        title=_TITLES[Severity(event.severity)],
        detail=kept(
            "Open it under Adverse events (number %(number)s), take it, and close it there.",
            number=event.pk,
        ),
        why=[
            noop("Somebody reported it. Nothing further is booked in its area until it is closed.")
        ],
        due_at=now,
        created_at=now,
    )


@transaction.atomic
def take(*, event: AdverseEvent, by: Staff, now: datetime) -> AdverseEvent:
    """Be the one who sees to it: on call is paged no more. Raises EventClosed and Forbidden."""
    stored = _open(event, by, Capability.RUN_VISIT)
    before = {"taken_by": stored.taken_by_id}
    stored.taken_by, stored.taken_at, stored.page_at = by, now, None
    _save(stored)
    Task.objects.filter(key=_key(stored), closed_at=None).update(owner=by)
    _keep(stored, "event.take", by=by, now=now, before=before, after={"taken_by": by.pk})
    return stored


@transaction.atomic
def complete(
    *,
    event: AdverseEvent,
    severity: str,
    areas: Sequence[str],
    course: str,
    measures: str,
    by: Staff,
    now: datetime,
    expected_version: int | None = None,
) -> AdverseEvent:
    """Write down what became known since.

    Raises:
        Refused: EventClosed, StaleVersion, EventRefused; nothing is written.
        Forbidden: when `by` does not run visits at the event's site.
    """
    stored = _open(event, by, Capability.RUN_VISIT, expected_version)
    if severity not in Severity.values:
        raise EventRefused(gettext("Choose how severe it is."), field="severity")
    _are_known(stored.patient, areas)
    before = {"severity": stored.severity, "areas": stored.areas}
    if severity in PAGED and stored.severity not in PAGED and stored.taken_at is None:
        stored.page_at = now
    stored.severity, stored.areas = severity, list(dict.fromkeys(areas))
    stored.course, stored.measures = _text(course), _text(measures)
    _save(stored)
    after = {"severity": stored.severity, "areas": stored.areas}
    _keep(stored, "event.complete", by=by, now=now, before=before, after=after)
    return stored


@transaction.atomic
def close(
    *,
    event: AdverseEvent,
    outcome: str,
    conclusion: str,
    by: Staff,
    now: datetime,
    expected_version: int | None = None,
) -> AdverseEvent:
    """Close it with what came of it: its areas may be treated again, what was held back goes on.

    Raises:
        Refused: EventClosed, StaleVersion, EventRefused; nothing is written.
        Forbidden: when `by` is no clinician at the event's site.
    """
    stored = _open(event, by, Capability.CHART, expected_version)
    conclusion = _text(conclusion)
    if outcome not in EventOutcome.values:
        raise EventRefused(gettext("Choose what came of it."), field="outcome")
    if not conclusion:
        raise EventRefused(
            gettext("Write what you found, and why it may be closed."), field="conclusion"
        )
    stored.closed_at, stored.closed_by, stored.page_at = now, by, None
    stored.outcome, stored.conclusion = outcome, conclusion
    _save(stored)
    Task.objects.filter(key=_key(stored), closed_at=None).update(
        closed_at=now, closed_by=by, outcome=_outcome_of(stored)
    )
    _keep(stored, "event.close", by=by, now=now, after={"outcome": outcome})
    return stored


def areas_of(patient: Patient) -> list[str]:
    """Every area of the patient's treatments, those of the latest series first."""
    rows = TreatmentSeries.objects.filter(patient=patient).order_by("-booked_at", "-id")
    return list(
        dict.fromkeys(area for areas in rows.values_list("areas", flat=True) for area in areas)
    )


def _open(
    event: AdverseEvent, by: Staff, capability: Capability, expected_version: int | None = None
) -> AdverseEvent:
    access.require(by, capability, event.site)
    rows = AdverseEvent.objects.select_for_update(of=("self",), no_key=True)
    stored = rows.select_related("site", "patient").get(pk=event.pk)
    if stored.closed_at is not None:
        raise EventClosed(gettext("This event is closed. Report a new one if there is more."))
    if expected_version is not None and stored.version != expected_version:
        raise StaleVersion(
            gettext("Somebody changed this event since you opened it. Look at it again.")
        )
    return stored


def _save(event: AdverseEvent) -> None:
    event.version += 1
    event.save()


def _are_known(patient: Patient, areas: Sequence[str]) -> None:
    unknown = set(areas) - set(areas_of(patient))
    if unknown:
        raise EventRefused(gettext("Choose areas that were treated here, or none."), field="areas")


def _keep(
    event: AdverseEvent,
    action: str,
    *,
    by: Staff,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        action=action,
        subject=event,
        by=by,
        now=now,
        site=event.site,
        patient_id=event.patient_id,
        before=before,
        after=after,
    )
    Patient.objects.filter(pk=event.patient_id).raise_revision()


def _key(event: AdverseEvent) -> str:
    return f"event:{event.pk}"


def _line(text: str) -> str:
    return " ".join(text.replace("\x00", " ").split())[:WHAT_LENGTH]


def _text(text: str) -> str:
    return text.replace("\x00", " ").strip()[:TEXT_LENGTH]


@translation.override("en")  # what is kept is English, whoever asks
def _outcome_of(event: AdverseEvent) -> str:
    return str(event.get_outcome_display())
