"""Which few of the free times to show first: those most like what suited before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

HOUR = 60  # minutes


class Fit(StrEnum):
    """Why a time is shown."""

    SAME_DAY = "same_day"
    SAME_TIME = "same_time"  # the same weekday and time of day
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Choice:
    """A free time on the clock of the site."""

    at: datetime
    fit: Fit


def choices(
    starts: Sequence[datetime], *, like: datetime, near: date, most: int = 3
) -> list[Choice]:
    """Up to `most` of the free `starts` (on the clock of the site), in order of time.

    `like` is the time that suited before, `near` the day that the visit should be near to: another
    time of that day, the same weekday and time, and the nearest other days with the time of day
    that comes closest.
    """
    found: dict[datetime, Choice] = {}
    for choice in _ranked(starts, like, near):
        found.setdefault(choice.at, choice)
        if len(found) == most:
            break
    return sorted(found.values(), key=lambda choice: choice.at)


def _ranked(starts: Sequence[datetime], like: datetime, near: date) -> Iterator[Choice]:
    def off(at: datetime) -> tuple[int, bool, int, datetime]:
        """By days, of two days as far the later one, and by the time of day."""
        return abs((at.date() - near).days), at.date() < near, apart(at), at

    def apart(at: datetime) -> int:
        return abs(_minute(at) - _minute(like))

    ordered = sorted((each for each in starts if each != like), key=off)
    same_day = [at for at in ordered if at.date() == like.date()]
    # Who cannot come at three can hardly come at a quarter past.
    same_day.sort(key=lambda at: (apart(at) < HOUR, apart(at)))
    yield from (Choice(at, Fit.SAME_DAY) for at in same_day[:1])
    yield from [Choice(at, Fit.SAME_TIME) for at in ordered if _is_alike(at, like)][:1]
    seen = {like.date()}
    for at in ordered:
        if at.date() not in seen:
            seen.add(at.date())
            yield Choice(at, Fit.SAME_TIME if _is_alike(at, like) else Fit.NEAR)
    for at in ordered:
        yield Choice(at, Fit.SAME_DAY if at.date() == like.date() else Fit.NEAR)


def _is_alike(at: datetime, like: datetime) -> bool:
    return at.weekday() == like.weekday() and _minute(at) == _minute(like)


def _minute(at: datetime) -> int:
    return at.hour * 60 + at.minute
