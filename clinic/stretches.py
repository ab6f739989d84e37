"""Stretches of the wall clock within one day, such as 09:00-12:00: checked, read and written.

Pure. Minutes of the day, [from, to).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from clinic.saying import gettext
from clinic.wall_time import MINUTES_A_DAY

MOST_STRETCHES = 8

Stretch = tuple[int, int]

_SPAN = re.compile(r"(\d{1,2})(?::(\d\d))?\s*(?:-|–|to|until)\s*(\d{1,2})(?::(\d\d))?")
_BETWEEN = re.compile(r"[\s,;]*(?:and)?[\s,;]*")


class HoursRefused(Exception):
    """These cannot be the hours of a day. Nothing was changed."""

    code = "hours_refused"

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


def in_order(stretches: Sequence[Stretch], field: str = "stretches") -> list[Stretch]:
    """The same, the earliest first. Raises HoursRefused when they are too many, too long or
    overlap."""
    ordered = sorted(stretches)
    if len(ordered) > MOST_STRETCHES:
        raise HoursRefused(
            gettext("A day has %(most_stretches)s stretches at most.")
            % {"most_stretches": MOST_STRETCHES},
            field,
        )
    for starts, ends in ordered:
        if not 0 <= starts < ends <= MINUTES_A_DAY:
            raise HoursRefused(
                gettext("Hours end after they begin, on the same day: such as 09:00–17:00."), field
            )
    for (_, ends), (starts, _) in pairwise(ordered):
        if starts < ends:
            raise HoursRefused(gettext("Two stretches overlap. Make one of them."), field)
    return ordered


def read(text: str, field: str = "stretches") -> list[Stretch]:
    """What people write: "9-12, 13:00-17:30", "09:00 to 17:00"; nothing is no hours.

    Raises HoursRefused for anything else.
    """
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        span = _SPAN.match(text, at)
        if span is None:
            raise HoursRefused(gettext("Write hours such as 09:00-12:00, 13:00-17:00."), field)
        from_hour, from_minute, to_hour, to_minute = (int(part or 0) for part in span.groups())
        if from_minute > 59 or to_minute > 59:
            raise HoursRefused(gettext("An hour has minutes from 00 to 59."), field)
        found.append((from_hour * 60 + from_minute, to_hour * 60 + to_minute))
        between = _BETWEEN.match(text, span.end())
        at = between.end() if between else span.end()
        if at == span.end() < len(text):
            raise HoursRefused(gettext("Put a comma between two stretches."), field)
    return in_order(found, field)


def written(stretches: Sequence[Stretch]) -> str:
    """As `read` reads it: "09:00-12:00, 13:00-17:00"; empty when there are none."""
    return ", ".join(f"{_clock(starts)}-{_clock(ends)}" for starts, ends in stretches)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
