"""What was chosen so far of a series to book, carried whole in the address of the page.

Reads and writes query parameters. Refuses to look anything up: ids may be of nothing, or of what
the reader may not see. What cannot be read counts as not chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TypeVar
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext

from appointments.finding.free_times import FreeTime
from appointments.finding.plans import EVERY_DAY, Preference
from appointments.models.series import MOST_SESSIONS
from appointments.proposing.places import VisitWish
from appointments.views.waitlist_rows import WEEKDAYS
from clinic.api_fields import FIRST_YEAR, LAST_YEAR
from clinic.reader_language import reader_language
from clinic.saying_days import format_day
from clinic.views.row_id import row_id
from clinic.wall_time import MINUTES_A_DAY

Skip = tuple[int, str, str]
T = TypeVar("T")

_FAR = "%Y%m%dT%H%M"


@dataclass(frozen=True, slots=True)
class Draft:
    """`first_from` is a local date of the site, `free_time` where on the board the booking began.
    `weekdays` (0 = Monday; none means any) and the
    start from `earliest` to `latest`, in minutes of the site's wall clock, are what is preferred.
    `wishes` are the places chosen so far, in order of session; `skips` what shall not be sent."""

    patient_id: int | None = None
    version_id: int | None = None
    areas: tuple[str, ...] = ()
    sessions: int | None = None
    first_from: date | None = None
    free_time: FreeTime | None = None
    provider_id: int | None = None
    weekdays: frozenset[int] = frozenset()
    earliest: int | None = None
    latest: int | None = None
    only: bool = False
    wishes: tuple[VisitWish, ...] = ()
    skips: frozenset[Skip] = frozenset()
    reason: str = ""

    @property
    def preference(self) -> Preference:
        """Raises ValueError when the latest start lies before the earliest."""
        earliest, latest = self.earliest or 0, MINUTES_A_DAY if self.latest is None else self.latest
        if latest < earliest:
            raise ValueError(latest)
        return Preference(self.weekdays or EVERY_DAY, earliest, latest, strict=self.only)

    @property
    def preferred(self) -> str:
        """Such as "Thu, Fri from 14:00 until 18:00"; empty when there is no preference."""
        said = [", ".join(str(WEEKDAYS[each]) for each in sorted(self.weekdays))]
        said += (
            [gettext("from %(time)s") % {"time": clock(self.earliest)}]
            if self.earliest is not None
            else []
        )
        said += (
            [gettext("until %(time)s") % {"time": clock(self.latest)}]
            if self.latest is not None
            else []
        )
        return " ".join(part for part in said if part)

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """The parameters of who, what and when, with the chosen places."""
        pairs = [
            ("patient", self.patient_id),
            ("protocol", self.version_id),
            *(("area", area) for area in self.areas),
            ("sessions", self.sessions),
            ("from", self.first_from),
            ("at", self.free_time and free_time(self.free_time.starts_at, self.free_time.resource)),
            ("provider", self.provider_id),
            *(("weekday", number) for number in sorted(self.weekdays)),
            ("earliest", None if self.earliest is None else clock(self.earliest)),
            ("latest", None if self.latest is None else clock(self.latest)),
            ("only", "1" if self.only else ""),
            *(("visit", written(wish)) for wish in self.wishes),
        ]
        return [(name, str(value)) for name, value in pairs if value not in (None, "")]

    @property
    def query(self) -> str:
        """The whole draft as a query string."""
        skips = [("skip", f"{session}:{step}:{by}") for session, step, by in sorted(self.skips)]
        reason = [("reason", self.reason)] if self.reason else []
        return urlencode([*self.chosen, *skips, *reason])

    @property
    def wishes_query(self) -> str:
        """Who and what without places: the way back to the first step."""
        return replace(self, wishes=(), skips=frozenset(), reason="").query

    def with_visit(self, session: int, wish: VisitWish) -> Draft:
        """Another place for one session (from 1); the others stay."""
        wishes = list(self.wishes)
        wishes[session - 1 : session] = [wish]
        return replace(self, wishes=tuple(wishes))


def read(data: QueryDict) -> Draft:
    """The draft in the parameters of a page, or in the fields of its first form.

    There the areas and sessions carry the id of their protocol: `area_5`, `sessions_5`.
    """
    version = _value(int, data.get("protocol"))
    sessions = _value(int, data.get("sessions") or data.get(f"sessions_{version}"))
    weekdays = (_value(int, text) for text in data.getlist("weekday"))
    wishes = [_value(wish, text) for text in data.getlist("visit")]
    return Draft(
        patient_id=_value(int, data.get("patient")),
        version_id=version,
        areas=tuple(data.getlist("area") or data.getlist(f"area_{version}")),
        sessions=sessions if sessions and 1 <= sessions <= MOST_SESSIONS else None,
        first_from=_value(day_of, data.get("from")),
        free_time=_value(_free_time, data.get("at")),
        provider_id=_value(int, data.get("provider")),
        weekdays=frozenset(each for each in weekdays if each in EVERY_DAY),
        earliest=_value(_minute, data.get("earliest")),
        latest=_value(_minute, data.get("latest")),
        only=data.get("only") == "1",
        wishes=tuple(each for each in wishes if each is not None),
        skips=frozenset(
            skip
            for text in data.getlist("skip")
            for each in text.split()
            if (skip := _value(_skip, each)) is not None
        ),
        reason=data.get("reason", "").strip()[:200],
    )


def is_raw(data: QueryDict) -> bool:
    """Whether these are the fields of the first form, which make no address to keep."""
    return any(name.startswith(("area_", "sessions_")) for name in data)


def written(wish: VisitWish) -> str:
    """A place as one parameter: start in UTC, provider, room, device."""
    return f"{moment(wish.starts_at)}~{wish.provider_id}~{wish.room_id}~{wish.device_id or ''}"


def wish(text: str) -> VisitWish:
    """The place of `written`. Raises ValueError."""
    start, *ids = text.split("~")
    provider, room, device = (row_id(each) for each in ids)
    if not (provider and room) or bool(device) != bool(ids[2]):
        raise ValueError(text)
    return VisitWish(instant(start), provider, room, device or None)


def free_time(starts_at: datetime, resource: int) -> str:
    """A free time as one parameter: its beginning in UTC, and the resource that is free."""
    return f"{moment(starts_at)}~{resource}"


def moment(at: datetime) -> str:
    """An instant as a part of a parameter."""
    return at.astimezone(UTC).strftime(_FAR)


def instant(text: str) -> datetime:
    """The instant of `moment`. Raises ValueError, also for one of no clinic's time."""
    at = datetime.strptime(text, _FAR).replace(tzinfo=UTC)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(text)
    return at


def clock(minute: int) -> str:
    """A minute of the wall clock as a field of time writes it: 870 is "14:30"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def day_of(text: str) -> date:
    """A local date that somebody typed. Raises ValueError, also for one of no clinic's time."""
    day = date.fromisoformat(text)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(text)
    return day


def asked_day(text: str | None, otherwise: date) -> tuple[date, str]:
    """The day that a page is asked for, and what to say when it cannot be read; None asks for
    none."""
    if text is None:
        return otherwise, ""
    try:
        return day_of(text), ""
    except ValueError:
        return otherwise, (
            gettext(
                "That is not a date. Choose one in the calendar, or write it such as %(such)s."
                " You see %(day)s instead."
            )
            % {"such": otherwise.isoformat(), "day": format_day(otherwise, reader_language())}
        )


def _free_time(text: str) -> FreeTime:
    begins, _, resource = text.partition("~")
    if not (number := row_id(resource)):
        raise ValueError(text)
    return FreeTime(instant(begins), number)


def _minute(text: str) -> int:
    typed = time.fromisoformat(text)
    return typed.hour * 60 + typed.minute


def _skip(text: str) -> Skip:
    session, step, channel = text.split(":")
    return int(session), step, channel


def _value(of: Callable[[str], T], text: str | None) -> T | None:
    try:
        return of(text) if text else None
    except (ValueError, OverflowError):
        return None
