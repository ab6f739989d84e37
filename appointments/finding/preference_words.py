"""What suits a patient, as a person types it: "thu,fri 14:00-18:00", "mornings", "mon-fri".

Days and one time of day, in any order, parted by commas or blanks. The time is that of the start,
both ends included, on the wall clock of the site. Pure words; refuses to guess.
"""

from __future__ import annotations

import re

from appointments.finding.plans import EVERY_DAY, Preference
from appointments.refusals import Refused
from clinic.wall_time import MINUTES_A_DAY

LONGEST = 100
EXAMPLES = 'write such as "thu,fri 14:00-18:00", "mon-fri" or "mornings"'

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = tuple(day[:3] for day in _DAYS)
_NUMBERS = {name: number for names in (_DAYS, _SHORT) for number, name in enumerate(names)}
_NUMBERS |= {f"{day}s": number for number, day in enumerate(_DAYS)}
_SETS = {
    "any": EVERY_DAY,
    "weekdays": frozenset(range(5)),
    "weekends": frozenset((5, 6)),
}
NOON, EVENING = 12 * 60, 17 * 60
_TIMES = {
    "mornings": (0, NOON),
    "afternoons": (NOON, EVENING),
    "evenings": (EVENING, MINUTES_A_DAY),
}
_CLOCK = r"([0-9]{1,2})(?::([0-9]{2}))?"
_SPAN = re.compile(f"{_CLOCK}-{_CLOCK}")
_DASH = re.compile(r"\s*[-–—]\s*")
_BETWEEN = re.compile(r"[\s,]+")


class PreferenceUnreadable(Refused):
    """The words are no preference; the sentence says which, and what to write."""

    code = "preference_unreadable"
    field = "prefer"


def read(text: str, *, strict: bool = False) -> Preference:
    """The preference that `text` states; `strict` makes it a condition.

    Raises PreferenceUnreadable.
    """
    if len(text) > LONGEST:
        raise PreferenceUnreadable(f"A preference has at most {LONGEST} letters; {EXAMPLES}.")
    words = [word for word in _BETWEEN.split(_DASH.sub("-", text.lower())) if word]
    if not words:
        raise PreferenceUnreadable(f"There is no preference; {EXAMPLES}.")
    weekdays: frozenset[int] = frozenset()
    times: list[tuple[int, int]] = []
    for word in words:
        if (days := _days(word)) is not None:
            weekdays |= days
        elif (time := _time(word)) is not None:
            times.append(time)
        else:
            raise PreferenceUnreadable(f"'{_shown(word)}' is no day and no time; {EXAMPLES}.")
    if len(times) > 1:
        raise PreferenceUnreadable(f"Give one time of day; {EXAMPLES}.")
    earliest, latest = times[0] if times else (0, MINUTES_A_DAY)
    return Preference(weekdays or EVERY_DAY, earliest, latest, strict)


def write(preference: Preference) -> str:
    """Words that `read` understands as the same days and times."""
    days = ",".join(_SHORT[number] for number in sorted(preference.weekdays))
    if preference.weekdays == EVERY_DAY:
        days = "any"
    if (preference.earliest, preference.latest) == (0, MINUTES_A_DAY):
        return days
    return f"{days} {_wall(preference.earliest)}-{_wall(preference.latest)}"


def _days(word: str) -> frozenset[int] | None:
    if word in _SETS:
        return _SETS[word]
    first, dash, last = word.partition("-")
    if first not in _NUMBERS or (dash and last not in _NUMBERS):
        return None
    begins = _NUMBERS[first]
    # "fri-mon" goes on over the end of the week.
    more = (_NUMBERS[last] - begins) % 7 if dash else 0
    return frozenset((begins + number) % 7 for number in range(more + 1))


def _time(word: str) -> tuple[int, int] | None:
    if word in _TIMES:
        return _TIMES[word]
    found = _SPAN.fullmatch(word)
    if found is None:
        return None
    hour, minute, to_hour, to_minute = (int(each or 0) for each in found.groups())
    earliest, latest = hour * 60 + minute, to_hour * 60 + to_minute
    if max(minute, to_minute) > 59 or max(earliest, latest) > MINUTES_A_DAY:
        raise PreferenceUnreadable(f"'{word}' is no time of day, from 00:00 to 24:00.")
    if latest < earliest:
        raise PreferenceUnreadable(
            f"'{word}' ends before it begins. The latest start must not lie before the earliest."
        )
    return earliest, latest


def _wall(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _shown(word: str) -> str:
    """A word of somebody else, fit to be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in word[:20])
