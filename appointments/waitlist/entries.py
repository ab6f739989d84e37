"""Who waits for a place: put on the list, changed and taken off.

Owns what may be waited for. Refuses to know which place suits whom (`matching`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from appointments.claiming import checking
from appointments.lifecycle import Move, State, after
from appointments.models import Appointment, EntryEnd, Invitation, TreatmentSeries, WaitlistEntry
from appointments.models.series import SeriesState
from appointments.proposing import standing
from appointments.refusals import BeingOffered
from appointments.waitlist import overtaken
from appointments.waitlist.refusals import AlreadyWaiting, NothingToWaitFor, NotWaiting
from appointments.waitlist.wishes import ANY_PLACE, Wishes, set_wishes
from clinic import access, audit
from clinic.access import Capability
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols import loading as protocols
from clinic.saying import gettext
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class EarlierVisit:
    """To come earlier than a visit that is booked."""

    appointment: Appointment


@dataclass(frozen=True, slots=True)
class NextSession:
    """The next session of a series that is not booked."""

    series: TreatmentSeries


@dataclass(frozen=True, slots=True)
class FirstVisit:
    """A first visit by a protocol."""

    patient: Patient
    site: Site
    version: ProtocolVersion
    areas: tuple[str, ...]


Target = EarlierVisit | NextSession | FirstVisit


def add(*, target: Target, by: Staff, now: datetime, wishes: Wishes = ANY_PLACE) -> WaitlistEntry:
    """Put a patient on the wait-list.

    Raises:
        Refused, MoveRefused: with a sentence; the patient is waiting already, or there is nothing
            that they could wait for, or no place could meet the wishes.
        Forbidden: when `by` may not book at the site, or does not see the patient.
    """
    entry = _entry_for(target, by=by, now=now)
    access.require(by, Capability.BOOK, entry.site)
    checking.patient_is_known(entry.patient, by)
    set_wishes(entry, wishes, now=now)
    entry.created_at, entry.created_by = now, by
    try:
        with transaction.atomic():
            overtaken.close(site=entry.site, now=now, patient=entry.patient)
            entry.save()
            entry.patient.sites.add(entry.site)
            _record("waitlist.add", entry, by=by, now=now, after=_facts(entry))
    except IntegrityError as error:
        raise AlreadyWaiting(
            gettext(
                "%(first_name)s is on the wait-list for this already. Change that entry instead."
            )
            % {"first_name": entry.patient.first_name}
        ) from error
    return entry


def change(*, entry: WaitlistEntry, wishes: Wishes, by: Staff, now: datetime) -> WaitlistEntry:
    """Give an entry other wishes. Raises as `add` does, and NotWaiting when it is closed."""
    with transaction.atomic():
        stored = locked(entry, by=by)
        before = _facts(stored)
        set_wishes(stored, wishes, now=now)
        stored.save()
        _record("waitlist.change", stored, by=by, now=now, before=before, after=_facts(stored))
        return stored


def withdraw(*, entry: WaitlistEntry, by: Staff, now: datetime) -> WaitlistEntry:
    """Take a patient off the list.

    Raises NotWaiting when it is closed, BeingOffered while a place is offered to them, Forbidden.
    """
    with transaction.atomic():
        stored = locked(entry, by=by)
        if Invitation.objects.open_at(now).filter(entry=stored).exists():
            raise BeingOffered(
                gettext("A place is being offered to this patient. Take it back first.")
            )
        close(stored, EntryEnd.WITHDRAWN, now=now)
        _record("waitlist.withdraw", stored, by=by, now=now)
        return stored


def locked(entry: WaitlistEntry, *, by: Staff | None) -> WaitlistEntry:
    """The entry as it is now, under its lock. Raises Forbidden, and NotWaiting when closed."""
    stored = (
        WaitlistEntry.objects.select_for_update(of=("self",), no_key=True)
        .select_related("patient", "site", "protocol_version", "series", "appointment")
        .get(pk=entry.pk)
    )
    if by is not None:
        access.require(by, Capability.BOOK, stored.site)
    if stored.closed_at is not None:
        raise NotWaiting(
            gettext("This patient does not wait any more: %(get_closed_as_display)s.")
            % {"get_closed_as_display": stored.get_closed_as_display().lower()}
        )
    return stored


def close(entry: WaitlistEntry, end: EntryEnd, *, now: datetime) -> None:
    """Close an entry that the caller has locked."""
    entry.closed_at, entry.closed_as = now, end
    entry.save(update_fields=["closed_at", "closed_as"])


# --- What is asked for ----------------------------------------------------------------------------


def _entry_for(target: Target, *, by: Staff, now: datetime) -> WaitlistEntry:
    """The entry without its wishes, when there is something to wait for."""
    match target:
        case EarlierVisit(appointment=visit):
            after(State(visit.state), Move.MOVE)
            if visit.starts_at <= now:
                raise NothingToWaitFor(
                    gettext("This visit has begun already."), field="appointment"
                )
            if visit.is_locked:
                raise NothingToWaitFor(
                    gettext("This visit is locked, so it keeps its time. Unlock it first."),
                    field="appointment",
                )
            entry = _of_series(visit.series, visit.site)
            entry.appointment, entry.asked_start = visit, visit.starts_at
            return entry
        case NextSession(series=series):
            if series.state != SeriesState.OPEN:
                raise NothingToWaitFor(
                    gettext("This series is closed. Wait for a first visit instead."),
                    field="series",
                )
            if standing.free_session(series) > series.sessions:
                raise NothingToWaitFor(
                    gettext(
                        "Every session of this series is booked. Wait for an earlier time of one."
                    ),
                    field="series",
                )
            return _of_series(series, series.site)
        case FirstVisit(patient=patient, site=site, version=version, areas=areas):
            access.require(by, Capability.BOOK, site)
            checking.protocol_may_be_booked(version)
            checking.treatment_fits(protocols.get(version), areas, 1)
            return WaitlistEntry(
                site=site, patient=patient, protocol_version=version, areas=list(areas)
            )


def _of_series(series: TreatmentSeries, site: Site) -> WaitlistEntry:
    return WaitlistEntry(
        site=site,
        patient=series.patient,
        series=series,
        protocol_version=series.protocol_version,
        areas=series.areas,
    )


# --- The trace ------------------------------------------------------------------------------------


def _facts(entry: WaitlistEntry) -> dict[str, Any]:
    """What is kept of an entry in the audit trail; the note stays with the entry."""
    return {
        "weekdays": entry.weekdays,
        "earliest": entry.earliest,
        "latest": entry.latest,
        "first_day": entry.first_day and entry.first_day.isoformat(),
        "last_day": entry.last_day and entry.last_day.isoformat(),
        "provider": entry.provider_id,
        "notice_minutes": entry.notice_minutes,
        "priority": entry.priority,
    }


def _record(
    action: str,
    entry: WaitlistEntry,
    *,
    by: Staff,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action=action,
        subject=entry,
        by=by,
        now=now,
        site=entry.site,
        patient_id=entry.patient_id,
        before=before,
        after=after,
    )
