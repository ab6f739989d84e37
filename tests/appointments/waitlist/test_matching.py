"""Who of the stored wait-list could have a stored gap, and with which place."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment, Gap, Invitation, TreatmentSeries, WaitlistEntry
from appointments.visits import cancelling
from appointments.waitlist import entries, matching
from appointments.waitlist.entries import EarlierVisit, FirstVisit, NextSession
from appointments.waitlist.wishes import Wishes
from clinic.models import (
    Credential,
    ProtocolVersion,
    ProviderHours,
    Resource,
    ResourceKind,
    Role,
    Site,
    Staff,
)
from patients.models import Patient
from tests.appointments.conftest import FIRST, Book, Wish
from tests.personas import a_patient, provider_resource, staff_at
from tests.waiting import invitation_to, offer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def gap(visits: list[Appointment], front_desk: Staff, now: datetime) -> Gap:
    """Ten o'clock on FIRST, given back by Elena's first visit."""
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    return Gap.objects.get()


@pytest.fixture
def noor(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Noor", family="Haddad", phone="+12125550187")


@pytest.fixture
def waits(
    noor: Patient, site: Site, house: ProtocolVersion, front_desk: Staff, now: datetime
) -> Callable[..., WaitlistEntry]:
    """Puts Noor (or another) on the list for a first visit."""

    def put(patient: Patient = noor, **wishes: Any) -> WaitlistEntry:
        return entries.add(
            target=FirstVisit(patient, site, house, ("face",)),
            wishes=Wishes(**wishes),
            by=front_desk,
            now=now,
        )

    return put


def ids(gap: Gap, now: datetime) -> list[int]:
    return [each.entry.pk for each in matching.matches_of(gap=gap, now=now).matches]


def why_not(gap: Gap, now: datetime) -> str:
    found = matching.matches_of(gap=gap, now=now)
    assert not found.matches
    [other] = found.others
    return other.sentence


def test_a_match_has_the_place_of_the_gap_and_can_be_booked(
    gap: Gap, waits: Callable[..., WaitlistEntry], book: Book, noor: Patient, now: datetime
) -> None:
    entry = waits()
    [found] = matching.matches_of(gap=gap, now=now).matches
    assert found.entry == entry
    assert (found.place.starts_at, found.place.ends_at) == (gap.starts_at, gap.ends_at)
    assert (found.place.provider, found.place.room) == (gap.provider, gap.room)
    assert found.reasons
    booked = book(found.place.wish, patient=noor)
    assert booked.appointments.get().starts_at == gap.starts_at
    assert why_not(gap, now).startswith("Nothing is free") or not ids(gap, now)


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"weekdays": (0, 1)}, "Comes on Mondays and Tuesdays only."),
        ({"first_day": date(2027, 3, 5)}, "Comes from Fri 5 Mar on."),
        ({"last_day": date(2027, 3, 3)}, "Comes until Wed 3 Mar."),
        ({"latest": 8 * 60}, "Comes between 00:00 and 08:00"),
        ({"notice_minutes": 30 * 24 * 60}, "Needs to know 30 days before."),
    ],
)
def test_who_does_not_suit_is_named_with_the_cause(
    gap: Gap,
    waits: Callable[..., WaitlistEntry],
    now: datetime,
    wishes: dict[str, Any],
    sentence: str,
) -> None:
    waits(**wishes)
    assert why_not(gap, now).startswith(sentence)


def test_the_interval_of_the_own_series_decides(
    gap: Gap, wish: Wish, book: Book, noor: Patient, front_desk: Staff, now: datetime
) -> None:
    series = book(wish(date(2027, 2, 18)), patient=noor, sessions=2)
    entries.add(target=NextSession(series), by=front_desk, now=now)
    assert "the protocol asks for at least 21" in why_not(gap, now)


def test_an_earlier_visit_that_would_leave_the_next_one_too_late_ripples(
    gap: Gap, wish: Wish, book: Book, noor: Patient, front_desk: Staff, now: datetime
) -> None:
    series = book(wish(date(2027, 3, 18)), wish(date(2027, 4, 29), "14:00"), patient=noor)
    first, second = series.appointments.order_by("session")
    entries.add(target=EarlierVisit(first), by=front_desk, now=now)
    [found] = matching.matches_of(gap=gap, now=now).matches
    assert found.ripples
    second.is_locked = True
    second.save()
    assert why_not(gap, now).endswith("Session 2 keeps its time.")


def test_the_freed_time_joins_the_free_time_around_it(
    gap: Gap, waits: Callable[..., WaitlistEntry], book: Book, wish: Wish, now: datetime
) -> None:
    """The gap itself is half booked over; with the time before it a whole visit fits."""
    Gap.objects.update(ends_at=gap.starts_at + timedelta(minutes=30))
    gap.refresh_from_db()
    patient = gap.opened_by.appointment.series.patient
    book(wish(FIRST, "11:15"), patient=patient)
    waits()
    [found] = matching.matches_of(gap=gap, now=now).matches
    assert found.place.starts_at < gap.starts_at < found.place.ends_at


def test_a_gap_of_a_provider_who_does_not_treat_so_offers_its_room_to_another(
    gap: Gap,
    waits: Callable[..., WaitlistEntry],
    treatment_provider: Resource,
    site: Site,
    protocol: ProtocolVersion,
    now: datetime,
) -> None:
    waits()
    Credential.objects.filter(provider=treatment_provider).update(valid_until=date(2027, 3, 1))
    assert why_not(gap, now) == "Nothing is free for long enough."
    ines = provider_resource(site, staff_at(site, Role.PROVIDER, "Ines Ito"), protocol.modality)
    [found] = matching.matches_of(gap=gap, now=now).matches
    assert (found.place.provider, found.place.room) == (ines, gap.room)


def test_a_wished_provider_is_a_condition(
    gap: Gap,
    waits: Callable[..., WaitlistEntry],
    site: Site,
    protocol: ProtocolVersion,
    now: datetime,
) -> None:
    ines = provider_resource(site, staff_at(site, Role.PROVIDER, "Ines Ito"), protocol.modality)
    waits(provider=ines)
    [found] = matching.matches_of(gap=gap, now=now).matches
    assert found.place.provider == ines
    ProviderHours.objects.filter(provider=ines, weekday=3).delete()
    assert why_not(gap, now) == "Nothing is free for long enough."


def test_whoever_declined_this_gap_is_not_matched_and_who_was_silent_comes_last(
    gap: Gap,
    waits: Callable[..., WaitlistEntry],
    patient: Patient,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    silent = waits(priority=5)
    other = waits(a_patient(site, front_desk, now, given="Omar", phone="+12125550188"))
    assert ids(gap, now) == [silent.pk, other.pk]
    offer = offer_of(gap, by=front_desk, now=now, closed_at=now, closed_as="expired")
    answer = {"answered_at": now}
    invitation = invitation_to(offer, silent, answer="expired", **answer)
    assert ids(gap, now) == [other.pk, silent.pk]
    Invitation.objects.filter(pk=invitation.pk).update(answer="declined")
    assert ids(gap, now) == [other.pk]


def test_the_other_sites_list_is_not_asked(
    gap: Gap, waits: Callable[..., WaitlistEntry], other_site: Site, now: datetime
) -> None:
    waits()
    WaitlistEntry.objects.update(site=other_site)
    found = matching.matches_of(gap=gap, now=now)
    assert (found.matches, found.others) == ((), ())


def test_only_the_asked_entries_are_looked_at(
    gap: Gap,
    waits: Callable[..., WaitlistEntry],
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    waits()
    second = waits(a_patient(site, front_desk, now, given="Omar", phone="+12125550188"))
    [found] = matching.matches_of(gap=gap, now=now, only=[second.pk]).matches
    assert found.entry == second


def test_thousands_on_the_list_cost_no_more_queries_than_a_few(
    gap: Gap,
    waits: Callable[..., WaitlistEntry],
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    waits()
    for number in range(11):
        waits(
            a_patient(site, front_desk, now, given=f"P{number}", phone=f"+1212555{2000 + number}")
        )

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(matching.matches_of(gap=gap, now=now).matches) == matching.MOST
        return len(captured)

    queries()
    few = queries()
    assert few <= 9
    resources = Resource.objects.bulk_create(
        Resource(kind=ResourceKind.PATIENT, name="") for _ in range(2000)
    )
    patients = Patient.objects.bulk_create(
        Patient(
            legal_given="X",
            legal_family="Y",
            birth_date=date(1990, 1, 1),
            resource=resource,
            created_at=now,
        )
        for resource in resources
    )
    WaitlistEntry.objects.bulk_create(
        WaitlistEntry(
            site=site, patient=each, protocol_version=house, areas=["face"], created_at=now
        )
        for each in patients
    )
    assert queries() == few


def test_the_cancel_page_can_say_how_many_may_want_the_place(
    visits: list[Appointment],
    waits: Callable[..., WaitlistEntry],
    series: TreatmentSeries,
    front_desk: Staff,
    now: datetime,
) -> None:
    assert matching.how_many_may_suit(visit=visits[0], now=now) == 0
    waits()
    assert matching.how_many_may_suit(visit=visits[0], now=now) == 1
    entries.add(target=EarlierVisit(visits[1]), by=front_desk, now=now)
    assert matching.how_many_may_suit(visit=visits[0], now=now) == 1


def test_who_could_not_come_by_the_intervals_of_their_series_is_not_counted(
    visits: list[Appointment],
    book: Book,
    wish: Wish,
    noor: Patient,
    front_desk: Staff,
    now: datetime,
) -> None:
    near = book(wish(FIRST - timedelta(days=7)), sessions=2, patient=noor)
    entries.add(target=NextSession(near), by=front_desk, now=now)
    assert matching.how_many_may_suit(visit=visits[0], now=now) == 0
    assert matching.how_many_may_suit(visit=visits[1], now=now) == 1
