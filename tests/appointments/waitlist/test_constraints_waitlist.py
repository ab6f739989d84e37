"""What the database itself refuses of the wait-list, whoever writes."""

from datetime import date, datetime, timedelta

import pytest

from appointments.models import (
    Appointment,
    Gap,
    Invitation,
    Offer,
    PatientLink,
    WaitlistEntry,
)
from clinic.models import Staff
from patients.models import Patient
from tests.appointments.test_constraints import refused
from tests.waiting import gap_of, invitation_to, offer_of, waits_for_earlier

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def entry(visits: list[Appointment], now: datetime) -> WaitlistEntry:
    return waits_for_earlier(visits[1], now=now)


@pytest.fixture
def gap(visits: list[Appointment]) -> Gap:
    return gap_of(visits[0])


@pytest.fixture
def offer(gap: Gap, front_desk: Staff, now: datetime) -> Offer:
    return offer_of(gap, by=front_desk, now=now)


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("waitlist_visit_is_of_a_series", {"series": None}),
        ("waitlist_earlier_than_a_start", {"asked_start": None}),
        ("waitlist_earlier_than_a_start", {"appointment": None}),
        ("waitlist_times_in_order", {"earliest": 600, "latest": 540}),
        ("waitlist_times_in_order", {"latest": 24 * 60 + 1}),
        ("waitlist_days_in_order", {"first_day": date(2027, 3, 2), "last_day": date(2027, 3, 1)}),
        ("waitlist_closed_whole", {"closed_as": "booked"}),
        ("waitlist_closed_whole", {"closed_at": datetime.fromisoformat("2027-03-04T16:00Z")}),
    ],
)
def test_an_entry_is_whole(
    entry: WaitlistEntry, constraint: str, fields: dict[str, object]
) -> None:
    rows = WaitlistEntry.objects.filter(pk=entry.pk)
    refused(constraint, lambda: rows.update(**fields))


def test_nobody_waits_twice_for_the_same(
    visits: list[Appointment], entry: WaitlistEntry, now: datetime
) -> None:
    refused("waitlist_visit_once", lambda: waits_for_earlier(visits[1], now=now))
    next_one = {"appointment": None, "asked_start": None}
    waits_for_earlier(visits[1], now=now, **next_one)
    refused("waitlist_treatment_once", lambda: waits_for_earlier(visits[1], now=now, **next_one))
    WaitlistEntry.objects.update(closed_at=now, closed_as="withdrawn")
    waits_for_earlier(visits[1], now=now)
    waits_for_earlier(visits[1], now=now, **next_one)


def test_an_act_opens_one_gap_and_the_gap_is_whole(
    visits: list[Appointment], gap: Gap, now: datetime
) -> None:
    refused("opened_by_id", lambda: gap_of(visits[0]))
    refused("gap_in_order", lambda: gap_of(visits[1], ends_at=visits[1].starts_at))
    refused("gap_closed_whole", lambda: Gap.objects.filter(pk=gap.pk).update(closed_at=now))


def test_a_gap_is_offered_once_at_a_time(
    gap: Gap, offer: Offer, front_desk: Staff, now: datetime
) -> None:
    refused("offer_one_at_a_time", lambda: offer_of(gap, by=front_desk, now=now))
    refused("offer_closed_whole", lambda: Offer.objects.filter(pk=offer.pk).update(closed_at=now))
    refused("offer_expires_later", lambda: Offer.objects.update(expires_at=now))
    Offer.objects.update(closed_at=now, closed_as="expired")
    offer_of(gap, by=front_desk, now=now)


def test_an_offer_has_one_winner_and_invites_each_once(
    visits: list[Appointment], offer: Offer, entry: WaitlistEntry, now: datetime
) -> None:
    first = invitation_to(offer, entry)
    refused("invitation_once", lambda: invitation_to(offer, entry))
    second = invitation_to(offer, waits_for_earlier(visits[2], now=now))
    won = {"answer": "accepted", "answered_at": now}
    Invitation.objects.filter(pk=first.pk).update(**won)
    refused("invitation_one_winner", lambda: Invitation.objects.filter(pk=second.pk).update(**won))


def test_an_invitation_is_whole(offer: Offer, entry: WaitlistEntry, now: datetime) -> None:
    rows = Invitation.objects.filter(pk=invitation_to(offer, entry).pk)
    refused("invitation_answered_whole", lambda: rows.update(answer="declined"))
    refused("invitation_answered_whole", lambda: rows.update(answered_at=now))
    refused("invitation_in_order", lambda: rows.update(ends_at=now - HOUR))


def test_only_a_link_to_an_offer_has_an_invitation(
    offer: Offer, entry: WaitlistEntry, patient: Patient, now: datetime
) -> None:
    invitation = invitation_to(offer, entry)

    def link(purpose: str, invited: Invitation | None) -> object:
        return PatientLink.objects.create(
            token_digest="0" * 64,
            purpose=purpose,
            patient=patient,
            invitation=invited,
            created_at=now,
            expires_at=now + HOUR,
        )

    refused("link_offers_an_invitation", lambda: link("offer", None))
    refused("link_offers_an_invitation", lambda: link("care", invitation))
    link("offer", invitation)
