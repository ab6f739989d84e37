"""Clinics and households that nobody has: who is treated with what, when, and what changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from clinic import wall_time
from clinic.protocols.schema import Kind as ProtocolKind
from clinic.protocols.schema import Protocol
from reminders.planning.facts import SiteFacts

ZONES = (
    *("America/New_York", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Phoenix", "America/Los_Angeles", "America/Los_Angeles", "Pacific/Honolulu"),
)
HOLD, SPREAD = timedelta(minutes=3), timedelta(minutes=10)
OPENS, CLOSES = 9 * 60, 18 * 60
# Assumptions, not measurements: shares of patients and visits.
HAS_SMS, HAS_EMAIL, HAS_MARKETING, HAS_PHOTOS = 0.9, 0.93, 0.35, 0.6
SHARES_NUMBER, LIVES_ELSEWHERE = 0.06, 0.04
MOVES, CANCELS, STAYS_AWAY = 0.12, 0.05, 0.04
# How long before the window a series may have begun and still have something to say in it.
RUN_UP = timedelta(days=75)


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a visit at `at`: "move" to `start`, "cancel", "done" or "no_show"."""

    at: datetime
    session: int
    what: str
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A series: booked at once, and what becomes of it. Instants are UTC."""

    number: int
    protocol: Protocol
    areas: tuple[str, ...]
    booked_at: datetime
    starts: tuple[datetime, ...]
    minutes: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """`consents` as the gate sees them; `zone` where the person lives."""

    zone: str
    consents: frozenset[tuple[str, str]]
    course: Course


@dataclass(frozen=True, slots=True)
class Household:
    """Who shares one telephone number."""

    number: int
    site: SiteFacts
    people: tuple[Person, ...]


def site(number: int) -> SiteFacts:
    """The clinic of this number."""
    zone = ZONES[number % len(ZONES)]
    return SiteFacts(number, f"Clinic {number}", zone, HOLD, spread=SPREAD)


def households(
    number: int, *, protocols: Sequence[Protocol], first: date, days: int, visits: int, seed: int
) -> Iterator[Household]:
    """The households of one clinic with something to say within `days` of `first` (local dates).

    So many that the clinic sees about `visits` patients on a working day. The same `seed` gives
    the same clinic.
    """
    dice = Random(f"{seed}.{number}")
    at = site(number)
    series = [each for each in protocols if each.kind is ProtocolKind.SERIES]
    sessions = sum(each.series.sessions.typical for each in series) / len(series)
    span = RUN_UP.days + days
    for each in range(round(visits * span / sessions)):
        family = 2 if dice.random() < SHARES_NUMBER else 1
        people = tuple(
            _person(dice, at, series, first - RUN_UP, span, each * 2 + member)
            for member in range(family)
        )
        yield Household(each, at, people)


def _person(
    dice: Random,
    at: SiteFacts,
    protocols: Sequence[Protocol],
    earliest: date,
    span: int,
    number: int,
) -> Person:
    zone = dice.choice(ZONES) if dice.random() < LIVES_ELSEWHERE else at.zone
    shares = {
        ("care", "sms"): HAS_SMS,
        ("care", "email"): HAS_EMAIL,
        ("marketing", "email"): HAS_MARKETING,
        ("marketing", "sms"): HAS_MARKETING / 2,
        ("photos", "any"): HAS_PHOTOS,
    }
    consents = frozenset(pair for pair, share in shares.items() if dice.random() < share)
    return Person(zone, consents, _course(dice, at, protocols, earliest, span, number))


def _course(
    dice: Random,
    at: SiteFacts,
    protocols: Sequence[Protocol],
    earliest: date,
    span: int,
    number: int,
) -> Course:
    protocol = dice.choice(protocols)
    area = dice.choice(sorted(protocol.applicability.areas))
    day = earliest + timedelta(days=dice.randrange(span))
    booked_at = wall_time.instant(day, dice.randrange(OPENS, CLOSES), at.zone)
    minutes = 30 + protocol.chair_minutes([area])
    interval = protocol.series.interval
    apart = interval.ideal.days if interval else 0
    starts, day = [], day + timedelta(days=dice.choice((1, 3, 6, 10, 14, 21, 30)))
    for _ in range(protocol.series.sessions.typical):
        starts.append(_open_start(dice, day, minutes, at.zone))
        day += timedelta(days=apart)
    changes = [
        change
        for session, start in enumerate(starts, start=1)
        for change in _changes(dice, booked_at, session, start, minutes, at.zone)
    ]
    return Course(
        number=number,
        protocol=protocol,
        areas=(area,),
        booked_at=booked_at,
        starts=tuple(starts),
        minutes=minutes,
        changes=tuple(sorted(changes, key=lambda each: each.at)),
    )


def _open_start(dice: Random, day: date, minutes: int, zone: str) -> datetime:
    """A start on the day, or on the Monday after a Sunday, on the quarter of an hour."""
    if day.weekday() == 6:
        day += timedelta(days=1)
    return wall_time.instant(day, dice.randrange(OPENS, CLOSES - min(minutes, 480), 15), zone)


def _changes(
    dice: Random, booked_at: datetime, session: int, start: datetime, minutes: int, zone: str
) -> Iterator[Change]:
    chance = dice.random()
    ahead = start - booked_at
    at = booked_at + ahead * dice.uniform(0.3, 0.95)
    if chance < CANCELS:
        yield Change(at, session, "cancel")
        return
    if chance < CANCELS + MOVES:
        later = wall_time.local(start, zone).date() + timedelta(days=dice.choice((1, 2, 7)))
        start = _open_start(dice, later, minutes, zone)
        yield Change(at, session, "move", start)
    end = start + timedelta(minutes=minutes)
    if dice.random() < STAYS_AWAY:
        yield Change(end, session, "no_show")
    else:
        yield Change(end, session, "done")
