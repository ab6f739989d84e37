"""The treatment series and services of the demo, from ten weeks back to sixteen ahead.

Imagines courses (who, what, on which days, and what becomes of each visit) and gives them places;
`lives` turns them into acts. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from random import Random

from appointments.proposing.places import VisitWish
from clinic.protocols.schema import Kind, Protocol
from clinic.wall_time import instant, local
from config.demo_data.diary import Diary
from config.demo_data.house import SITES, House
from config.demo_data.people import Person

WEEKS_BACK, WEEKS_AHEAD = 10, 16
# Visits that a site's day has at least, by days from today: full lists near today.
_FULL = {0: 14, -1: 6, 1: 8, 2: 6}
_NEAR, _NEAR_DAYS = 4, 6
# Of ten patients so many have a treatment; the others come for services only.
_WITH_A_TREATMENT = 7
# What people come for: (protocol, areas, sessions, weight).
_TREATMENTS = (
    ("rf_microneedling", ("face",), 3, 6),
    ("rf_microneedling", ("neck",), 3, 2),
    ("ipl", ("face",), 4, 4),
    ("ipl", ("hands",), 3, 1),
    ("laser_nonablative", ("face",), 4, 3),
    ("laser_fractional", ("face",), 3, 2),
    ("rf_series", ("face",), 5, 3),
    ("rf_series", ("abdomen",), 4, 1),
    ("ultrasound", ("brow", "submental"), 1, 2),
    ("rf_monopolar", ("face",), 1, 2),
)
_SERVICES = (("toxin", 4), ("facial", 4), ("call", 2), ("consultation", 3))
_DAY = timedelta(days=1)


class Fate(StrEnum):
    DONE = "done"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


class Turn(StrEnum):
    """Where a course stands today."""

    TODAY = "today"
    FINISHED = "finished"
    RUNNING = "running"
    AHEAD = "ahead"
    ENDED = "ended"


# Every patient has one, in this proportion; the rest come for services only.
_TURNS = (
    *(Turn.TODAY,) * 3,
    *(Turn.RUNNING,) * 7,
    *(Turn.FINISHED,) * 5,
    *(Turn.AHEAD,) * 5,
    Turn.ENDED,
)


_TODAY = (*(Fate.DONE,) * 2, Fate.NO_SHOW, *(Fate.DONE,) * 2, Fate.CANCELLED, *(Fate.DONE,) * 6)


@dataclass(slots=True)
class Visit:
    """One visit to be booked at `wish`; later moved to `moved_to`, and what becomes of it."""

    session: int
    wish: VisitWish
    fate: Fate = Fate.DONE
    moved_to: VisitWish | None = None

    @property
    def starts_at(self) -> datetime:
        return (self.moved_to or self.wish).starts_at


@dataclass(slots=True)
class Course:
    """One series to be booked by one person at one site at `booked_at` (UTC)."""

    person: Person
    slug: str
    protocol: Protocol
    areas: tuple[str, ...]
    sessions: int
    booked_at: datetime
    visits: list[Visit] = field(default_factory=list)
    ends_early: bool = False


def imagine(
    house: House,
    people: Sequence[Person],
    diary: Diary,
    dice: Random,
    *,
    now: datetime,
    weeks_back: int = WEEKS_BACK,
) -> list[Course]:
    """All courses, in order of booking. Today's are placed first."""
    planner = _Planner(house, diary, dice, now, 7 * weeks_back)
    turns = {person.number: _turn(person) for person in people}
    order = list(Turn)
    courses: list[Course] = []
    for person in sorted(people, key=lambda p: (order.index(turns[p.number]), p.number)):
        if person.number % 10 < _WITH_A_TREATMENT:
            courses += planner.treatment(person, turns[person.number])
    courses += planner.services(people, courses)
    planner.decide_fates(courses)
    planner.move_some(courses)
    return sorted(courses, key=lambda course: (course.booked_at, course.person.number))


def _turn(person: Person) -> Turn:
    return _TURNS[person.number // 2 % len(_TURNS)]


@dataclass(slots=True)
class _Planner:
    house: House
    diary: Diary
    dice: Random
    now: datetime
    days_back: int

    def treatment(self, person: Person, turn: Turn) -> Iterator[Course]:
        protocol, areas, sessions = self._choice()
        today = local(self.now, self.house.places[person.home].site.zone).date()
        days = self._days(protocol, sessions, turn, today)
        course = self._placed(person, protocol, areas, days, today, strict=turn is Turn.TODAY)
        if course is not None:
            course.ends_early = turn is Turn.ENDED
            yield course

    def services(self, people: Sequence[Person], courses: Sequence[Course]) -> Iterator[Course]:
        """Services that fill the days of both sites up."""
        count: dict[tuple[str, date], int] = {}
        for course in courses:
            for visit in course.visits:
                on = self._day(course.slug, visit.starts_at)
                count[course.slug, on] = count.get((course.slug, on), 0) + 1
        for offset in sorted(range(-_NEAR_DAYS, _NEAR_DAYS + 1), key=abs):
            wanted = _FULL.get(offset, _NEAR)
            for slug in SITES:
                here = [person for person in people if person.home == slug]
                on = self._day(slug, self.now) + offset * _DAY
                for _ in range(wanted - count.get((slug, on), 0)):
                    yield from self._service(self.dice.choice(here), slug, on)

    def decide_fates(self, courses: Sequence[Course]) -> None:
        """Most visits happen. Today some patients of each site stay away or cancelled."""
        today: dict[str, list[Visit]] = {slug: [] for slug in SITES}
        for course in courses:
            for visit in course.visits:
                visit.fate = self.dice.choices(list(Fate), (88, 5, 7))[0]
                if self._day(course.slug, visit.starts_at) == self._day(course.slug, self.now):
                    today[course.slug].append(visit)
        for visits in today.values():
            for number, visit in enumerate(sorted(visits, key=lambda each: each.starts_at)):
                visit.fate = _TODAY[number % len(_TODAY)]

    def move_some(self, courses: Sequence[Course]) -> None:
        """Every ninth course had its last visit booked at another hour first."""
        for number, course in enumerate(courses):
            visit = course.visits[-1]
            if number % 9 or visit.fate is not Fate.DONE:
                continue
            on = self._day(course.slug, visit.starts_at)
            if visit.starts_at - course.booked_at < 3 * _DAY:
                continue
            first = self._place(course.person, course.slug, course.protocol, course.areas, on)
            if first is not None:
                visit.wish, visit.moved_to = first, visit.wish

    def _service(self, person: Person, slug: str, on: date) -> Iterator[Course]:
        name, _ = self.dice.choices(_SERVICES, [weight for _, weight in _SERVICES])[0]
        protocol = self.house.protocol(name)
        (area,) = protocol.applicability.areas
        today = self._day(slug, self.now)
        course = self._placed(person, protocol, (area,), [on], today, strict=True)
        if course is not None:
            yield course

    def _placed(
        self,
        person: Person,
        protocol: Protocol,
        areas: tuple[str, ...],
        days: list[date],
        today: date,
        *,
        strict: bool,
    ) -> Course | None:
        """A course with a place for every visit; `strict` keeps a day that is today."""
        visits: list[Visit] = []
        shift = 0
        for session, day in enumerate(days, start=1):
            tries = (0,) if strict and (day == today or len(days) == 1) else (0, 1, 2, 3, 4)
            for more in tries:
                on = day + (0 if strict else shift) * _DAY + more * _DAY
                wish = self._place(person, person.home, protocol, areas, on)
                if wish is not None:
                    shift += more
                    visits.append(Visit(session, wish))
                    break
            else:
                return None
        booked_at = self._booked_at(person.home, self._day(person.home, visits[0].starts_at))
        if booked_at is None:
            return None
        return Course(person, person.home, protocol, areas, len(days), booked_at, visits)

    def _place(
        self, person: Person, slug: str, protocol: Protocol, areas: tuple[str, ...], on: date
    ) -> VisitWish | None:
        return self.diary.place(
            slug=slug,
            protocol=protocol,
            areas=areas,
            person=person.number,
            on=on,
            near=self.dice.randrange(10 * 60, 18 * 60),
        )

    def _days(self, protocol: Protocol, sessions: int, turn: Turn, today: date) -> list[date]:
        interval = protocol.series.interval
        gaps: list[int] = []
        if interval is not None and protocol.kind is Kind.SERIES:
            gaps = [interval.ideal.days + self.dice.randint(0, 3) for _ in range(1, sessions)]
        past = self.days_back
        length = sum(gaps)
        first = {
            # Some session falls on today; the earlier ones must lie within the weeks back.
            Turn.TODAY: -sum(gaps[: self.dice.randrange(sessions)]),
            Turn.FINISHED: -length - self.dice.randint(2, 12),
            Turn.RUNNING: -self.dice.randint(3, max(4, min(past, length - 2))),
            Turn.AHEAD: self.dice.randint(1, 28),
            Turn.ENDED: -self.dice.randint(past // 2, past),
        }[turn]
        while gaps and (first < -past or first + sum(gaps) > 7 * WEEKS_AHEAD):
            # A shorter series, agreed on from the start.
            first += gaps.pop(0) if first < -past else 0
            if first >= -past and first + sum(gaps) > 7 * WEEKS_AHEAD:
                gaps.pop()
        days = [today + first * _DAY]
        for gap in gaps:
            days.append(days[-1] + gap * _DAY)
        return days

    def _booked_at(self, slug: str, first_day: date) -> datetime | None:
        """A moment of the clinic's day, some days before the first visit, and past."""
        lead = self.dice.randint(3, 12)
        today = self._day(slug, self.now)
        on = min(first_day - lead * _DAY, today - self.dice.randint(1, 6) * _DAY)
        zone = self.house.places[slug].site.zone
        seconds = self.dice.randrange(0, 7 * 3600)
        return instant(on, 10 * 60, zone) + timedelta(seconds=seconds)

    def _choice(self) -> tuple[Protocol, tuple[str, ...], int]:
        weights = [weight for *_, weight in _TREATMENTS]
        name, areas, sessions, _ = self.dice.choices(_TREATMENTS, weights)[0]
        return self.house.protocol(name), areas, sessions

    def _day(self, slug: str, at: datetime) -> date:
        return local(at, self.house.places[slug].site.zone).date()
