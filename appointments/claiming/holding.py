"""Holding places for a few minutes while somebody looks at a plan, and letting them go.

A hold keeps others off like a visit does, until it runs out by itself: from then on it is in
nobody's way, whether or not anybody has cleared it away. It changes nothing of a patient, so it
leaves no audit entry: its own row says who held what until when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from appointments.claiming import allocating, checking, taking
from appointments.claiming.allocating import Held, Lost
from appointments.claiming.taking import Claim
from appointments.models import Allocation, Hold, HoldPurpose, SchedulingSettings
from appointments.models.series import MOST_SESSIONS
from appointments.proposing.places import VisitWish
from appointments.refusals import SessionTaken, busy
from clinic import access
from clinic.access import Capability, Forbidden
from clinic.models import ProtocolVersion, Site, Staff
from clinic.periods import Period, subtract
from clinic.protocols import loading as protocols
from clinic.saying import gettext
from patients.models import Patient


def hold_plan(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    visits: Sequence[VisitWish],
    by: Staff,
    now: datetime,
) -> Hold:
    """Keep the places of a plan for the minutes that the site's settings say.

    What `by` held for this patient before is let go: one looks at one plan at a time. The
    intervals of the protocol are not asked here, since booking may override them.

    Raises:
        Refused: SlotTaken, SlotHeld or another of `refusals`; the former hold stands.
        Forbidden: when `by` may not book at `site`.
    """
    access.require(by, Capability.BOOK, site)
    checking.patient_is_known(patient, by)
    checking.protocol_may_be_booked(version)
    if not 1 <= len(visits) <= MOST_SESSIONS:
        raise SessionTaken(
            gettext("Hold 1 to %(most_sessions)s places at once.")
            % {"most_sessions": MOST_SESSIONS}
        )
    checking.treatment_fits(protocols.get(version), areas, len(visits))
    claim = Claim(patient, site, version, areas, visits, holder=by)
    try:
        with allocating.guarded():
            taking.take(claim, now=now)
            loaded = claim.load(now=now)
            checking.places_are_right(loaded, patient, visits)
            hold = Hold.objects.create(
                site=site,
                purpose=HoldPurpose.PLAN,
                patient=patient,
                held_by=by,
                held_at=now,
                expires_at=now + timedelta(minutes=SchedulingSettings.of(site).hold_minutes),
            )
            wanted = claim.wanted
            allocating.hold(wanted, [hold] * len(wanted))
            return hold
    except Lost:
        taking.refuse(claim, now=now)


def hold_for_patient(
    *, claims: Sequence[Claim], patient: Patient, site: Site, now: datetime
) -> Hold:
    """Keep for a patient, for the minutes that the site's settings say, the places that their
    visits would move to; what they kept before is let go.

    Of a new place that overlaps the present one, only what lies beside that is held: the visit
    itself keeps the rest.

    Raises:
        Refused: SlotTaken, SlotHeld or another of `refusals`; what they kept before stands.
    """
    try:
        with allocating.guarded():
            allocating.lock([patient.resource_id])
            kept = Hold.objects.own_of(patient)
            for claim in claims:
                claim.hold = kept
            taking.take(*claims, now=now)
            for claim in claims:
                checking.places_are_right(claim.load(now=now), patient, claim.visits)
            hold = Hold.objects.create(
                site=site,
                purpose=HoldPurpose.OWN,
                patient=patient,
                held_at=now,
                expires_at=now + timedelta(minutes=SchedulingSettings.of(site).hold_minutes),
            )
            wanted = list(_beside_their_own(claims))
            allocating.hold(wanted, [hold] * len(wanted))
            return hold
    except Lost:
        taking.refuse(*claims, now=now)


def _beside_their_own(claims: Sequence[Claim]) -> Iterator[Held]:
    visits = [visit for claim in claims for visit in claim.moving]
    rows = Allocation.objects.filter(appointment__in=visits, active=True)
    own: dict[int, list[Period]] = defaultdict(list)
    for resource, starts_at, ends_at in rows.values_list("resource_id", "starts_at", "ends_at"):
        own[resource].append(Period(starts_at, ends_at))
    wanted: dict[int, list[Period]] = defaultdict(list)
    for claim in claims:
        for held in claim.wanted:
            wanted[held.resource_id].append(held.period)
    for resource, periods in wanted.items():
        for piece in subtract(periods, own[resource]):
            yield Held(resource, piece)


def release(*, hold: Hold, now: datetime, by: Staff | None = None) -> bool:
    """Give back what a hold keeps; whether it stood until now. Twice is once.

    With `by`, who must be the one who held it or manage the site.

    Raises:
        Forbidden: when it is not theirs to give back.
    """
    if by is not None and by.pk != hold.held_by_id:
        access.require(by, Capability.MANAGE_SITE, hold.site)
    if by is not None and hold.purpose == HoldPurpose.OFFER:
        raise Forbidden(
            gettext("This place is offered to the wait-list. Withdraw the offer instead.")
        )
    try:
        with allocating.guarded():
            allocating.lock(allocating.held_by(hold))
            return allocating.let_go(hold, now=now)
    except Lost:
        raise busy() from None


def expire(*, now: datetime) -> int:
    """Clear away the holds that ran out at `now`; how many they were.

    What somebody else has locked is theirs to clear, or comes next time: waiting for it here
    could close a circle with who waits for us.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM appointments_allocation WHERE id IN (
                SELECT held.id
                FROM appointments_allocation held
                JOIN appointments_hold hold ON hold.id = held.hold_id
                WHERE hold.released_at IS NULL AND hold.expires_at <= %s
                FOR UPDATE OF held SKIP LOCKED
            )
            """,
            [now],
        )
        cursor.execute(
            """
            UPDATE appointments_hold SET released_at = expires_at WHERE id IN (
                SELECT id FROM appointments_hold hold
                WHERE released_at IS NULL AND expires_at <= %s
                  AND NOT EXISTS (SELECT FROM appointments_allocation WHERE hold_id = hold.id)
                FOR UPDATE SKIP LOCKED
            )
            """,
            [now],
        )
        return int(cursor.rowcount)
