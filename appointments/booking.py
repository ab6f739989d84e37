"""Booking, moving and cancelling visits, each all or nothing.

Owns the transaction of each act: lock, check, write, trace. A lost race becomes `SlotTaken` with
the three nearest places. Refuses to know what messages follow from an act.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from appointments import allocating, checking, claiming, history, standing
from appointments.allocating import Lost
from appointments.availability import DEVICE, PROVIDER, ROOM
from appointments.bitsets import TICK
from appointments.claiming import Claim
from appointments.lifecycle import Move, State, after
from appointments.models import Appointment, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.places import VisitWish
from appointments.refusals import Refused, SeriesClosed, SessionTaken
from clinic import access, audit
from clinic.access import Capability
from clinic.hours import local
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols import loading as protocols
from patients.models import Patient

MOST_VISITS = 12


def book_series(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    visits: Sequence[VisitWish],
    by: Staff,
    now: datetime,
    sessions: int | None = None,
    override_reason: str = "",
) -> TreatmentSeries:
    """Book a treatment series with its visits, in order of session.

    `sessions` is the number agreed in all, when more are agreed than booked now.
    `override_reason` lets breaches of the protocol's intervals pass, for those who may.

    Raises:
        Refused: one of `refusals`, with a sentence; nothing is written.
        Forbidden: when `by` may not book at `site`, or not override.
    """
    access.require(by, Capability.BOOK, site)
    checking.patient_is_known(patient, by)
    checking.protocol_may_be_booked(version)
    protocol = protocols.get(version)
    agreed = sessions or len(visits)
    if not 1 <= len(visits) <= agreed <= MOST_VISITS:
        raise SessionTaken(f"A series has 1 to {MOST_VISITS} visits, and none beyond those agreed.")
    too_many = checking.treatment_fits(protocol, areas, agreed)
    claim = Claim(patient, site, version, areas, visits)
    try:
        with allocating.guarded():
            claim.take()
            loaded = claim.load(now=now)
            for wish in visits:
                checking.place_is_right(loaded, patient, wish)
            found = checking.breaches(loaded, claim.days(), claim.sessions)
            breached = [refusal for _, refusal in found] + ([too_many] if too_many else [])
            checking.override(breached, reason=override_reason, by=by, site=site)
            series = TreatmentSeries.objects.create(
                patient=patient,
                site=site,
                protocol_version=version,
                areas=list(areas),
                sessions=agreed,
                booked_at=now,
                booked_by=by,
            )
            if too_many:
                found.append((len(visits), too_many))
            overrides = checking.codes(found)
            booked = claim.book(series, now=now, overrides=overrides, reason=override_reason)
            history.begin(booked, by=by, now=now)
            patient.sites.add(site)
            audit.record(
                action="series.book",
                subject=series,
                by=by,
                now=now,
                site=site,
                patient_id=patient.pk,
                after={
                    "protocol": str(version),
                    "areas": list(areas),
                    "starts_at": [wish.starts_at.isoformat() for wish in visits],
                },
                reason=override_reason if breached else "",
            )
            Patient.objects.filter(pk=patient.pk).raise_revision()
            return series
    except Lost:
        claiming.refuse(claim, now=now)


def add_visit(
    *,
    series: TreatmentSeries,
    visit: VisitWish,
    by: Staff,
    now: datetime,
    override_reason: str = "",
) -> Appointment:
    """Book one more visit of an open series: its lowest session number without a visit.

    The number of sessions agreed grows when all of them have one. Raises as `book_series` does.
    """
    site, patient, version = series.site, series.patient, series.protocol_version
    access.require(by, Capability.BOOK, site)
    checking.patient_is_known(patient, by)
    claim = Claim(
        patient, site, version, series.areas, [visit], standing.free_session(series), series
    )
    try:
        with allocating.guarded():
            claim.take()
            series = TreatmentSeries.objects.select_for_update(no_key=True).get(pk=series.pk)
            if series.state != SeriesState.OPEN:
                raise SeriesClosed("This series is closed. Book a new one.")
            session = claim.first_session = standing.free_session(series)
            if session > MOST_VISITS:
                raise SessionTaken(f"A series has at most {MOST_VISITS} visits.")
            loaded = claim.load(now=now)
            checking.place_is_right(loaded, patient, visit)
            found = checking.breaches(loaded, claim.days(), claim.sessions)
            breached = [refusal for _, refusal in found]
            if session > series.sessions:
                too_many = checking.treatment_fits(loaded.protocol, series.areas, session)
                breached += [too_many] if too_many else []
                series.sessions = session
                series.save(update_fields=["sessions"])
            checking.override(breached, reason=override_reason, by=by, site=site)
            reason = override_reason if breached else ""
            overrides = {session: [refusal.code for refusal in breached]}
            (booked,) = claim.book(series, now=now, overrides=overrides, reason=reason)
            history.begin([booked], by=by, now=now)
            audit.record(
                action="appointment.book",
                subject=booked,
                by=by,
                now=now,
                site=site,
                patient_id=patient.pk,
                after={"session": session, "starts_at": visit.starts_at.isoformat()},
                reason=reason,
            )
            Patient.objects.filter(pk=patient.pk).raise_revision()
            return booked
    except Lost:
        claiming.refuse(claim, now=now)


def move(
    *,
    appointment: Appointment,
    starts_at: datetime,
    by: Staff,
    now: datetime,
    provider_id: int | None = None,
    room_id: int | None = None,
    device_id: int | None = None,
    reason: str = "",
    expected_version: int | None = None,
    override_reason: str = "",
) -> Appointment:
    """Give a visit another start (UTC), or other resources, keeping its length.

    A resource that is not named is kept when it is free then, else another eligible one is
    taken. A visit that is under way, done or cancelled never moves.

    Raises:
        Refused, MoveRefused, Forbidden: with a sentence; nothing is written.
    """
    access.require(by, Capability.BOOK, appointment.site)
    after(State(appointment.state), Move.MOVE)
    series, site = appointment.series, appointment.site
    named = {PROVIDER: provider_id, ROOM: room_id, DEVICE: device_id}
    wish = claiming.wish_for_move(appointment, starts_at, named, now=now)
    claim = Claim(
        series.patient,
        site,
        series.protocol_version,
        series.areas,
        [wish],
        appointment.session,
        series,
        moving=appointment,
    )
    try:
        with allocating.guarded():
            visit = history.locked(
                appointment,
                by=by,
                capability=Capability.BOOK,
                expected=expected_version,
            )
            state = after(State(visit.state), Move.MOVE)
            claim.take(also=allocating.resources_of(visit).values())
            loaded = claim.load(now=now)
            checking.place_is_right(loaded, series.patient, wish)
            breached: list[Refused] = []
            if local(starts_at, site.zone).date() != local(visit.starts_at, site.zone).date():
                found = checking.breaches(loaded, claim.days(), claim.sessions)
                breached = [refusal for _, refusal in found]
            checking.override(breached, reason=override_reason, by=by, site=site)
            was = history.before(visit, allocating.release(visit))
            allocating.hold(claim.wanted, [visit] * len(claim.wanted))
            if starts_at != visit.starts_at:
                visit.schedule_version += 1
                visit.scheduled_at = now
            visit.starts_at, visit.ends_at = (
                starts_at,
                starts_at + claim.need.body * TICK,
            )
            visit.state = state
            if breached:
                visit.override_reason = override_reason
                visit.overrides = sorted({refusal.code for refusal in breached})
            history.keep(
                visit,
                Move.MOVE,
                was,
                by=by,
                now=now,
                reason=reason or (override_reason if breached else ""),
            )
            return visit
    except Lost:
        claiming.refuse(claim, now=now)


def cancel(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    reason: str = "",
    by_patient: bool = False,
    expected_version: int | None = None,
) -> Appointment:
    """Cancel a visit and give back its place; `by_patient` says whose wish it was."""
    with transaction.atomic():
        visit = history.locked(
            appointment, by=by, capability=Capability.BOOK, expected=expected_version
        )
        state = after(State(visit.state), Move.CANCEL)
        was = history.before(visit, allocating.release(visit))
        visit.state, visit.closed_at, visit.cancelled_by_patient = state, now, by_patient
        visit.schedule_version += 1
        history.keep(visit, Move.CANCEL, was, by=by, now=now, reason=reason)
        return visit
