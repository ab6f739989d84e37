"""ISO-8601 durations that keep calendar time and elapsed time apart.

Owns parsing, writing and saying a duration. Adding one to an instant needs a zone and lives in
`clinic.wall_time`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinic.saying import gettext

DAYS_A_MONTH = 30  # for ordering only
SECONDS_A_DAY = 86_400
LONGEST_DAYS = 36_500  # a century: longer is a slip of the keyboard, and overflows a date

_PATTERN = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)

_WORDS = {
    "en": {
        "month": ("month", "months"),
        "week": ("week", "weeks"),
        "day": ("day", "days"),
        "hour": ("hour", "hours"),
        "minute": ("minute", "minutes"),
        "second": ("second", "seconds"),
        "and": "and",
    },
    "es": {
        "month": ("mes", "meses"),
        "week": ("semana", "semanas"),
        "day": ("día", "días"),
        "hour": ("hora", "horas"),
        "minute": ("minuto", "minutos"),
        "second": ("segundo", "segundos"),
        "and": "y",
    },
}


class DurationError(ValueError):
    """The text is not a duration; the message is a sentence that quotes it."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Calendar months and days, then elapsed seconds; none is negative.

    `P7D` is seven local days and keeps the wall clock; `PT168H` is 168 elapsed hours. They are
    not equal, though they order alike.
    """

    months: int = 0
    days: int = 0
    seconds: int = 0

    def __post_init__(self) -> None:
        if min(self.months, self.days, self.seconds) < 0:
            raise DurationError("A duration is never negative")

    def __str__(self) -> str:
        """The canonical form: weeks as days, years as months, zero as PT0S."""
        hours, rest = divmod(self.seconds, 3600)
        minutes, seconds = divmod(rest, 60)
        date = _joined((self.months, "M"), (self.days, "D"))
        time = _joined((hours, "H"), (minutes, "M"), (seconds, "S"))
        if not date and not time:
            return "PT0S"
        return f"P{date}T{time}" if time else f"P{date}"

    def __bool__(self) -> bool:
        return bool(self.months or self.days or self.seconds)

    @property
    def is_calendar(self) -> bool:
        """It has months or days, so adding it needs a zone."""
        return bool(self.months or self.days)

    @property
    def is_elapsed(self) -> bool:
        """It has no months and no days; zero is elapsed."""
        return not self.is_calendar

    @property
    def approximate_seconds(self) -> int:
        """A key to order durations by, with months of 30 days. Never add it to an instant."""
        days = self.months * DAYS_A_MONTH + self.days
        return days * SECONDS_A_DAY + self.seconds

    @property
    def whole_days(self) -> int:
        """Full days, with months of 30 days: P28D → 28, PT72H → 3, P6M → 180."""
        return self.approximate_seconds // SECONDS_A_DAY

    @property
    def minutes(self) -> int:
        """Full minutes of the elapsed part: PT1H15M → 75."""
        return self.seconds // 60


def parse(text: str) -> Duration:
    """Read P#Y#M#W#DT#H#M#S: whole numbers, no sign, at most a century.

    Raises DurationError with a sentence such as "'P7X' is not an ISO-8601 duration".
    """
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise DurationError(
            gettext("%(value)s is not an ISO-8601 duration") % {"value": f"'{text}'"}
        )
    years, months, weeks, days, hours, minutes, seconds = map(int, found.groups(default="0"))
    duration = Duration(
        months=years * 12 + months,
        days=weeks * 7 + days,
        seconds=hours * 3600 + minutes * 60 + seconds,
    )
    if duration.approximate_seconds > LONGEST_DAYS * SECONDS_A_DAY:
        raise DurationError(gettext("'%(text)s' is longer than a century") % {"text": text})
    return duration


def from_minutes(minutes: int) -> Duration:
    """Elapsed minutes as a duration."""
    return Duration(seconds=minutes * 60)


def in_words(duration: Duration, language: str) -> str:
    """Say it to a patient: "7 days", "48 hours", "6 months"; `language` is "en" or "es".

    From 28 days on, whole weeks are said as weeks, because nobody counts to 84 days.
    """
    words = _WORDS[language]
    weeks, days = divmod(duration.days, 7)
    if duration.days < 28 or days:
        weeks, days = 0, duration.days
    hours, rest = divmod(duration.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    units = {
        "month": duration.months,
        "week": weeks,
        "day": days,
        "hour": hours,
        "minute": minutes,
        "second": seconds,
    }
    parts = [
        f"{count} {words[unit][0 if count == 1 else 1]}" for unit, count in units.items() if count
    ]
    if not parts:
        return f"0 {words['minute'][1]}"
    *first, last = parts
    return f"{', '.join(first)} {words['and']} {last}" if first else last


def _joined(*parts: tuple[int, str]) -> str:
    return "".join(f"{count}{letter}" for count, letter in parts if count)
