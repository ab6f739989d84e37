"""Booking series and visits, each all or nothing.

Owns the transaction of each act: lock, check, write, trace. A lost race becomes `SlotTaken` with
the three nearest places. Refuses to know what messages follow from an act.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appointments import clearance
from appointments.claiming import allocating, checking, taking
from appointments.claiming.allocating import Lost
from appointments.claiming.taking import Claim
from appointments.clearance import Act, Treatment, follow_up
from appointments.models import Appointment, Hold, TreatmentSeries
from appointments.models.series import MOST_SESSIONS, SeriesState
from appointments.proposing import standing
from appointments.proposing.places import VisitWish
from appointments.refusals import SeriesClosed, SessionTaken
from appointments.visits import history
from clinic import access, audit, statements
from clinic.access import Capability
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols import loading as protocols
from clinic.saying import gettext
from clinic.wall_time import local
from patients.models import Patient


def book_series(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    visits: Sequence[VisitWish],
    by: Staff | None,
    now: datetime,
    sessions: int | None = None,
    override_reason: str = "",
    overlap: bool = False,
    hold: Hold | None = None,
) -> TreatmentSeries:
    """Book a treatment series with its visits, in order of session.

    `sessions` is the number agreed in all, when more are agreed than booked now.
    `override_reason` lets breaches of the protocol's intervals pass, for those who may; with
    `overlap` also that visits of others hold the provider, room or device. What `by` holds for
    the patient is let go first, or else `hold`. `by` is None when the patient took an offered
    place themselves.

    Raises:
        Refused: one of `refusals`, with a sentence; nothing is written.
        Forbidden: when `by` may not book at `site`, or not override.
    """
    if by is not None:
        access.require(by, Capability.BOOK, site)
    overlap = checking.may_overlap(overlap, reason=override_reason, by=by, site=site)
    checking.patient_is_known(patient, by)
    checking.protocol_may_be_booked(version)
    protocol = protocols.get(version)
    agreed = sessions or len(visits)
    if not 1 <= len(visits) <= agreed <= MOST_SESSIONS:
        raise SessionTaken(
            gettext("A series has 1 to %(most_sessions)s visits, and none beyond those agreed.")
            % {"most_sessions": MOST_SESSIONS}
        )
    too_many = checking.treatment_fits(protocol, areas, agreed)
    claim = Claim(patient, site, version, areas, visits, hold=hold, holder=by, overlap=overlap)
    try:
        with allocating.guarded():
            taking.take(claim, now=now)
            loaded = claim.load(now=now)
            checking.places_are_right(loaded, patient, visits)
            found = checking.breaches(loaded, claim.days(), claim.sessions)
            for session, refusal in found:
                refusal.visit = session - 1
            breached = [refusal for _, refusal in found] + ([too_many] if too_many else [])
            checking.override(breached, reason=override_reason, by=by, site=site)
            passed = clearance.require(
                Act.BOOK,
                Treatment(patient, site, version, areas),
                days=[day for _, day in claim.days()],
                by=by,
                now=now,
                reason=override_reason,
            )
            series = TreatmentSeries(
                patient=patient,
                site=site,
                protocol_version=version,
                areas=list(areas),
                sessions=agreed,
                booked_at=now,
                booked_by=by,
            )
            statements.add(series)
            if too_many:
                found.append((len(visits), too_many))
            overrides = checking.codes(
                found, over=claim.sessions_over(), passed=zip(claim.sessions, passed, strict=True)
            )
            booked = claim.book(series, now=now, overrides=overrides, reason=override_reason)
            history.begin(booked, by=by, now=now)
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
                    **claim.trace_over(),
                },
                reason=override_reason if overrides else "",
            )
            follow_up.follow_up(patient=patient, by=by, now=now)
            patient.comes_to(site)
            return series
    except Lost:
        taking.refuse(claim, now=now)


def add_visit(
    *,
    series: TreatmentSeries,
    visit: VisitWish,
    by: Staff | None,
    now: datetime,
    override_reason: str = "",
    overlap: bool = False,
    hold: Hold | None = None,
) -> Appointment:
    """Book one more visit of an open series: its lowest session number without a visit.

    The number of sessions agreed grows when all of them have one. Raises as `book_series` does.
    """
    site, patient, version = series.site, series.patient, series.protocol_version
    if by is not None:
        access.require(by, Capability.BOOK, site)
    overlap = checking.may_overlap(overlap, reason=override_reason, by=by, site=site)
    checking.patient_is_known(patient, by)
    claim = Claim(
        patient,
        site,
        version,
        series.areas,
        [visit],
        [standing.free_session(series)],
        series,
        hold=hold,
        holder=by,
        overlap=overlap,
    )
    try:
        with allocating.guarded():
            taking.take(claim, now=now)
            series = TreatmentSeries.objects.select_for_update(no_key=True).get(pk=series.pk)
            if series.state != SeriesState.OPEN:
                raise SeriesClosed(gettext("This series is closed. Book a new one."))
            session = standing.free_session(series)
            claim.sessions = [session]
            if session > MOST_SESSIONS:
                raise SessionTaken(
                    gettext("A series has at most %(most_sessions)s visits.")
                    % {"most_sessions": MOST_SESSIONS}
                )
            loaded = claim.load(now=now)
            checking.place_is_right(loaded, patient, visit)
            found = checking.breaches(loaded, claim.days(), claim.sessions)
            if session > series.sessions:
                too_many = checking.treatment_fits(loaded.protocol, series.areas, session)
                found += [(session, too_many)] if too_many else []
                series.sessions = session
                series.save(update_fields=["sessions"])
            breached = [refusal for _, refusal in found]
            checking.override(breached, reason=override_reason, by=by, site=site)
            (passed,) = clearance.require(
                Act.BOOK,
                Treatment(patient, site, version, series.areas, series),
                days=[local(visit.starts_at, site.zone).date()],
                by=by,
                now=now,
                reason=override_reason,
            )
            overrides = checking.codes(
                found, over=claim.sessions_over(), passed=[(session, passed)]
            )
            reason = override_reason if overrides else ""
            (booked,) = claim.book(series, now=now, overrides=overrides, reason=reason)
            history.begin([booked], by=by, now=now)
            audit.record(
                action="appointment.book",
                subject=booked,
                by=by,
                now=now,
                site=site,
                patient_id=patient.pk,
                after={
                    "session": session,
                    "starts_at": visit.starts_at.isoformat(),
                    **claim.trace_over(),
                },
                reason=reason,
            )
            follow_up.follow_up(patient=patient, by=by, now=now)
            Patient.objects.filter(pk=patient.pk).raise_revision()
            return booked
    except Lost:
        taking.refuse(claim, now=now)
