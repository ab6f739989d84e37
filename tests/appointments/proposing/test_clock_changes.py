"""Typed times that the clock skips or shows twice."""

import pytest

from clinic.models import (
    OpeningHours,
    ProviderHours,
    Resource,
    Site,
    Staff,
)
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, Book, Wish
from tests.appointments.proposing.conftest import NEW_YORK

pytestmark = pytest.mark.django_db

HOWE, SANTIAGO, BEIRUT = "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut"


@CLOCK
@pytest.mark.parametrize(
    ("zone", "wall", "code", "facts", "words"),
    [
        (
            *(NEW_YORK, "2027-03-14T02:30", "wall_time_missing"),
            *({"next": "2027-03-14T07:00:00Z"}, "The next time is 03:00."),
        ),
        (
            *(NEW_YORK, "2027-11-07T01:30", "wall_time_repeats"),
            {"first": "2027-11-07T05:30:00Z", "second": "2027-11-07T06:30:00Z"},
            "the first (EDT) or the second (EST)",
        ),
        # Half an hour is skipped and repeated.
        (
            *(HOWE, "2027-10-03T02:15", "wall_time_missing"),
            *({"next": "2027-10-02T15:30:00Z"}, "The next time is 02:30."),
        ),
        (
            *(HOWE, "2027-04-04T01:45", "wall_time_repeats"),
            {"first": "2027-04-03T14:45:00Z", "second": "2027-04-03T15:15:00Z"},
            "the first (UTC+11) or the second (UTC+1030)",
        ),
        # The day begins at one o'clock.
        (
            *(SANTIAGO, "2027-09-05T00:30", "wall_time_missing"),
            *({"next": "2027-09-05T04:00:00Z"}, "The next time is 01:00."),
        ),
        (
            *(SANTIAGO, "2027-04-03T23:30", "wall_time_repeats"),
            {"first": "2027-04-04T02:30:00Z", "second": "2027-04-04T03:30:00Z"},
            "the first (UTC-03) or the second (UTC-04)",
        ),
        (
            *(BEIRUT, "2027-03-28T00:15", "wall_time_missing"),
            *({"next": "2027-03-27T22:00:00Z"}, "The next time is 01:00."),
        ),
    ],
)
def test_a_wall_time_that_is_not_or_comes_twice_is_answered_with_what_is(
    zone: str,
    wall: str,
    code: str,
    facts: dict[str, str],
    words: str,
    book: Book,
    wish: Wish,
    site: Site,
    front_desk: Staff,
) -> None:
    visit = book(wish(FIRST)).appointments.get()
    Site.objects.filter(pk=site.pk).update(zone=zone)
    answer = api(front_desk).post(
        f"/api/v1/appointments/{visit.pk}/move/", {"version": 1, "starts_at": {"wall": wall}}
    )
    told = refused(answer, 400, code, "starts_at")
    assert {name: told[name] for name in facts} == facts
    assert words in told["sentence"]


@CLOCK
@pytest.mark.parametrize(
    ("fold", "starts_at"), [(0, "2027-11-07T05:30:00Z"), (1, "2027-11-07T06:30:00Z")]
)
def test_a_repeated_time_is_booked_as_it_was_chosen(
    fold: int,
    starts_at: str,
    book: Book,
    wish: Wish,
    site: Site,
    treatment_provider: Resource,
    front_desk: Staff,
) -> None:
    visit = book(wish(FIRST)).appointments.get()
    whole_day = {"starts": 0, "ends": 24 * 60}
    OpeningHours.objects.filter(site=site).delete()
    ProviderHours.objects.filter(provider=treatment_provider).delete()
    OpeningHours.objects.create(site=site, weekday=6, opens=0, closes=24 * 60)
    ProviderHours.objects.create(provider=treatment_provider, site=site, weekday=6, **whole_day)
    answer = api(front_desk).post(
        f"/api/v1/appointments/{visit.pk}/move/",
        {"version": 1, "starts_at": {"wall": "2027-11-07T01:30", "fold": fold}},
    )
    assert answer.json()["starts_at"] == starts_at, answer.content
