"""Requests for a review and birthday greetings, from facts alone; and the spread of what is due."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from appointments.lifecycle import State
from clinic.retelling import retold
from clinic.wall_time import local
from reminders.catalogue import Kind
from reminders.planning.birthdays import birthday_in
from reminders.planning.facts import EventFacts, PatientFacts, VisitFacts
from reminders.planning.merging import Wanted
from reminders.planning.plans import plan
from tests.reminders.planning.world import (
    NEW_YORK,
    SITE,
    of_kind,
    patient,
    said,
    series,
    visit,
    wall,
)

ASKING = replace(SITE, reviews_from=date(2027, 1, 1), birthdays_from=date(2027, 1, 1))
LEAP = date(1984, 2, 29)


def done(day: str = "2027-04-12", number: int = 1, **changes: object) -> VisitFacts:
    starts = f"{day} 10:00"
    changes = {"site": ASKING, "state": State.DONE, "done_at": wall(f"{day} 11:40"), **changes}
    return visit(number, starts, **changes)  # type: ignore[arg-type]


def of(
    *visits: VisitFacts, born: date | None = date(1990, 6, 5), **changes: object
) -> PatientFacts:
    facts = replace(patient(series(*visits)), birth_date=born)
    return replace(facts, **changes)  # type: ignore[arg-type]


def reviews(facts: PatientFacts) -> list[Wanted]:
    return of_kind(plan(facts).messages, Kind.REVIEW_REQUEST, "email")


def birthdays(facts: PatientFacts) -> list[Wanted]:
    return of_kind(plan(facts).messages, Kind.BIRTHDAY, "email")


# --- Reviews --------------------------------------------------------------------------------------


def test_a_good_visit_is_followed_by_one_request_a_week_later_alone() -> None:
    [asked] = reviews(of(done()))
    assert (asked.due_at, asked.purpose, asked.skip) == (wall("2027-04-19 10:00"), "marketing", "")
    assert [item.anchor for item in asked.items] == ["visit:1"]
    assert asked.expires_at - asked.due_at == timedelta(days=14)
    assert not reviews(of(done(), spoken=said(asked)))


def test_everybody_is_asked_alike_also_after_a_session_that_was_cut_short() -> None:
    """To ask only who is content would be review gating."""
    assert [each.skip for each in reviews(of(done(treated=("face",))))] == [""]


def test_while_an_adverse_event_is_open_nobody_is_asked() -> None:
    facts = of(done(), events=(EventFacts(("neck",)), EventFacts(("face",))))
    assert {each.skip for each in reviews(facts)} == {"adverse_event"}
    assert {each.skip for each in reviews(replace(facts, events=()))} == {""}


@pytest.mark.parametrize(
    "facts",
    [
        of(visit(site=ASKING)),  # it is still to come
        of(done(site=SITE)),
        of(done(site=replace(ASKING, reviews_from=date(2027, 4, 13)))),
        of(done(is_history=True)),
        of(done(), born=date(2010, 1, 1)),
        of(done(), born=None),
        of(done(), is_deceased=True),
    ],
)
def test_nobody_is_asked_before_the_visit_the_day_of_the_site_or_their_coming_of_age(
    facts: PatientFacts,
) -> None:
    assert not reviews(facts)


# --- Birthdays ------------------------------------------------------------------------------------


def test_birthdays_of_the_two_years_after_a_visit_are_greeted_once_each() -> None:
    facts = of(done("2027-04-12", 1), done("2028-04-12", 2))
    greeted = birthdays(facts)
    assert [each.due_at for each in greeted] == [
        wall("2027-06-05 10:00"), wall("2028-06-05 10:00"), wall("2029-06-05 10:00"),
    ]  # fmt: skip
    assert not birthdays(replace(facts, spoken=said(*greeted)))
    assert {each.series_id for each in greeted} == {None}


def test_a_later_visit_keeps_what_was_planned() -> None:
    before, after = birthdays(of(done())), birthdays(of(done(), done("2027-05-10", 2)))
    assert [each.key for each in before] == [each.key for each in after]


@pytest.mark.parametrize(
    ("year", "day"), [(2027, "02-28"), (2028, "02-29"), (2029, "02-28"), (2100, "02-28")]
)
def test_the_29th_of_february_is_the_28th_of_other_years(year: int, day: str) -> None:
    assert birthday_in(year, LEAP).isoformat() == f"{year}-{day}"


def test_it_says_why_it_comes_on_the_28th_and_in_a_leap_year_needs_not() -> None:
    greeted = birthdays(of(done(), born=LEAP))
    assert [local(each.due_at, NEW_YORK).date().isoformat() for each in greeted] == [
        "2028-02-29", "2029-02-28",
    ]  # fmt: skip
    leap, common = (" ".join(map(retold, each.why)) for each in greeted)
    assert "29 Feb." in leap and "28th" not in leap
    assert "in other years it is said on the 28th" in common


@pytest.mark.parametrize(
    ("zones", "due"),
    [
        (("Europe/Madrid",), wall("2027-06-05 10:00", "Europe/Madrid")),
        ((NEW_YORK, "America/Los_Angeles"), wall("2027-06-05 10:00", "America/Los_Angeles")),
    ],
)
def test_it_is_their_day_wherever_they_may_be(zones: tuple[str, ...], due: datetime) -> None:
    assert birthdays(of(done(), zones=zones))[0].due_at == due


def test_children_get_none_until_the_day_they_come_of_age() -> None:
    born = date(2010, 6, 5)
    assert [each.due_at for each in birthdays(of(done("2027-05-12"), born=born))] == [
        wall("2028-06-05 10:00")
    ]


def test_while_an_adverse_event_is_open_nobody_is_wished_a_happy_birthday() -> None:
    facts = of(done(), events=(EventFacts(("neck",)),))
    assert {each.skip for each in birthdays(facts)} == {"adverse_event"}
    assert {each.skip for each in birthdays(replace(facts, events=()))} == {""}


# --- Spread ---------------------------------------------------------------------------------------


def test_what_is_due_for_many_is_spread_and_says_so_and_nothing_else_moves() -> None:
    spread = replace(ASKING, spread=timedelta(minutes=10))
    plain = {
        each.key: each
        for each in plan(of(done(), visit(2, "2027-05-10 10:00", site=ASKING))).messages
    }
    found = plan(of(done(site=spread), visit(2, "2027-05-10 10:00", site=spread))).messages
    moved = [each for each in found if each.due_at != plain[each.key].due_at]
    assert {each.key for each in found} == plain.keys()
    lag = {each.due_at - plain[each.key].due_at for each in moved}
    assert len(lag) == 1 and timedelta() < lag.pop() < timedelta(minutes=10)
    assert Kind.REMINDER_CONFIRM in {each.kind for each in moved}
    assert all(each.priority and not each.waits_for and not each.skip for each in moved)
    assert all(any("so that not all leave at once" in line for line in each.why) for each in moved)
