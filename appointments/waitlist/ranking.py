"""Which of those who wait suit a gap, in which order, and why. Pure.

Wishes, notice, the intervals of the patient's own series and the spacing to other treatments are
conditions. Those who meet them are ranked by priority, by how far their series is past its ideal
date, by the days that they have waited and by how little of the gap they would leave over.
Refuses to know what is free: the free starts are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from appointments.finding.intervals import Spaced, bounds, interval_breaches, spacing_breach
from appointments.refusals import IntervalTooLong, Refused
from clinic.protocols.schema import Protocol
from clinic.retelling import Fact, counted, kept, moment, word
from clinic.retelling import day as local_day
from clinic.saying import gettext, language, ngettext, noop
from clinic.saying_days import format_day
from clinic.saying_times import format_when
from clinic.wall_time import MINUTES_A_DAY, local

_WEEKDAYS = (
    noop("Mondays"),
    noop("Tuesdays"),
    noop("Wednesdays"),
    noop("Thursdays"),
    noop("Fridays"),
    noop("Saturdays"),
    noop("Sundays"),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """The time of a gap [starts_at, ends_at), UTC, on the clock of its site."""

    starts_at: datetime
    ends_at: datetime
    zone: str

    @property
    def day(self) -> date:
        return local(self.starts_at, self.zone).date()


@dataclass(frozen=True, slots=True)
class Start:
    """A free place of a visit in the gap (UTC), and who and what it would have, by kind."""

    starts_at: datetime
    ends_at: datetime
    resources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Waiter:
    """One who waits: an entry of the list and the patient's series as it stands.

    `comes_at` is the start of the visit that they would come earlier than. `session` is the one
    to be placed, `days` are the other standing visits (session, local date), and `fixed` those
    of them that keep their time. `declined` when they did not want this very gap, `asked` when
    they were asked and did not answer.
    """

    id: int
    protocol: Protocol
    waits_since: datetime
    session: int = 1
    days: tuple[tuple[int, date], ...] = ()
    fixed: frozenset[int] = frozenset()
    comes_at: datetime | None = None
    spaced: tuple[Spaced, ...] = ()
    weekdays: frozenset[int] = frozenset()
    earliest: int = 0
    latest: int = MINUTES_A_DAY
    first_day: date | None = None
    last_day: date | None = None
    notice: timedelta = timedelta()
    priority: int = 0
    asked: bool = False
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """One who suits, the start that they would have and why they stand where they stand.

    `ripples` when later visits of the series have to move along.
    """

    id: int
    start: Start
    ripples: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """Those who suit in order of rank, and for each of the others the sentence that says why
    not."""

    matches: tuple[Match, ...] = ()
    others: Mapping[int, str] = field(default_factory=dict)


def match(
    opening: Opening,
    waiters: Sequence[Waiter],
    starts: Mapping[int, Sequence[Start]],
    *,
    now: datetime,
) -> Matching:
    """Rank the waiters; `starts` are the free starts of each, by id."""
    ranked: list[tuple[tuple[object, ...], Match]] = []
    others: dict[int, str] = {}
    for waiter in waiters:
        barred = bar(opening, waiter, now=now)
        found = None if barred else _best(opening, waiter, starts.get(waiter.id, ()), now=now)
        if isinstance(found, Start):
            made = Match(
                waiter.id,
                found,
                _ripples(opening, waiter),
                tuple(_reasons(opening, waiter, found, now=now)),
            )
            ranked.append((_rank(opening, waiter, found, now=now), made))
        else:
            others[waiter.id] = barred or found or ""
    ranked.sort(key=lambda pair: pair[0])
    return Matching(tuple(made for _, made in ranked), others)


def in_order(opening: Opening, waiters: Sequence[Waiter], *, now: datetime) -> list[Waiter]:
    """Those whom nothing bars, in order of rank as far as it does not hang on what is free."""
    open_to = [waiter for waiter in waiters if bar(opening, waiter, now=now) is None]
    return sorted(open_to, key=lambda waiter: _standing(opening, waiter, now=now))


def bar(opening: Opening, waiter: Waiter, *, now: datetime) -> str | None:
    """The first cause for which the gap is not for this waiter, whatever is free in it."""
    return next(_bars(opening, waiter, now=now), None)


def _bars(opening: Opening, waiter: Waiter, *, now: datetime) -> Iterator[str]:
    day = opening.day
    if waiter.declined:
        yield gettext("Did not want this place.")
    if waiter.first_day is not None and day < waiter.first_day:
        yield gettext("Comes from %(first_day)s on.") % {
            "first_day": format_day(waiter.first_day, language())
        }
    if waiter.last_day is not None and day > waiter.last_day:
        yield gettext("Comes until %(last_day)s.") % {
            "last_day": format_day(waiter.last_day, language())
        }
    if waiter.weekdays and day.weekday() not in waiter.weekdays:
        wished = _listing([gettext(_WEEKDAYS[each]) for each in sorted(waiter.weekdays)])
        yield gettext("Comes on %(wished)s only.") % {"wished": wished}
    if waiter.comes_at is not None and waiter.comes_at <= opening.starts_at:
        yield gettext("Comes earlier already: %(comes_at)s.") % {
            "comes_at": format_when(waiter.comes_at, opening.zone, language())
        }
    if now + waiter.notice >= opening.ends_at:
        yield gettext("Needs to know %(notice)s before.") % {"notice": _span(waiter.notice)}
    yield from _clinical_bars(waiter, day)


def _clinical_bars(waiter: Waiter, day: date) -> Iterator[str]:
    """What the protocol says against a visit on `day`: the rules of booking themselves."""
    for session, refusal in _breaches(waiter, day):
        # A later visit that comes too late after this one can be moved along.
        follows = session > waiter.session and isinstance(refusal, IntervalTooLong)
        if not follows:
            yield refusal.sentence
        elif session in waiter.fixed:
            yield gettext("%(split)s. Session %(session)s keeps its time.") % {
                "split": refusal.sentence.split(". ")[0],
                "session": session,
            }
    too_near = spacing_breach(day, waiter.spaced)
    if too_near is not None:
        yield too_near.sentence


def _breaches(waiter: Waiter, day: date) -> list[tuple[int, Refused]]:
    """What is wrong between the placed session and its neighbours."""
    days = sorted([*waiter.days, (waiter.session, day)])
    place = days.index((waiter.session, day))
    beside = days[max(0, place - 1) : place + 2]
    return list(interval_breaches(beside, waiter.protocol))


def _ripples(opening: Opening, waiter: Waiter) -> bool:
    return any(session > waiter.session for session, _ in _breaches(waiter, opening.day))


def _best(
    opening: Opening, waiter: Waiter, starts: Sequence[Start], *, now: datetime
) -> Start | str:
    """The start that leaves the least over, or why there is none."""
    if not starts:
        return gettext("Nothing is free for long enough.")
    timely = [each for each in starts if each.starts_at >= now + waiter.notice]
    if not timely:
        return gettext("Needs to know %(notice)s before.") % {"notice": _span(waiter.notice)}
    wished = [
        each
        for each in timely
        if waiter.earliest <= _minute(each.starts_at, opening.zone) <= waiter.latest
        and (waiter.comes_at is None or each.starts_at < waiter.comes_at)
    ]
    if not wished:
        return gettext("Comes %(waiter)s; what is free starts at %(opening)s.") % {
            "waiter": _times(waiter),
            "opening": _clock(timely, opening.zone),
        }
    return min(
        wished,
        key=lambda each: (
            _left_over(opening, each),
            abs(each.starts_at - opening.starts_at),
            each.starts_at,
        ),
    )


def _left_over(opening: Opening, start: Start) -> int:
    """The minutes of the gap that a visit would not take."""
    first = max(start.starts_at, opening.starts_at)
    taken = max(timedelta(), min(start.ends_at, opening.ends_at) - first)
    return int((opening.ends_at - opening.starts_at - taken).total_seconds()) // 60


def _standing(opening: Opening, waiter: Waiter, *, now: datetime) -> tuple[bool, int, int, int]:
    """The lower, the earlier: whoever was asked already comes after those who were not."""
    return (
        waiter.asked,
        -waiter.priority,
        -max(0, _overdue(opening, waiter)),
        -(now - waiter.waits_since).days,
    )


def _rank(opening: Opening, waiter: Waiter, start: Start, *, now: datetime) -> tuple[object, ...]:
    return (
        *_standing(opening, waiter, now=now),
        _left_over(opening, start),
        waiter.waits_since,
        waiter.id,
    )


def _ideal(waiter: Waiter) -> date | None:
    """The ideal date of the session to be placed, counted from the one before it."""
    before = [day for session, day in sorted(waiter.days) if session < waiter.session]
    interval = waiter.protocol.series.interval
    return bounds(before[-1], interval).ideal if before and interval else None


def _overdue(opening: Opening, waiter: Waiter) -> int:
    """Days past the ideal date: of the visit as it is booked, else of this place."""
    ideal = _ideal(waiter)
    if ideal is None:
        return 0
    comes = waiter.comes_at
    return ((local(comes, opening.zone).date() if comes else opening.day) - ideal).days


# --- Reasons --------------------------------------------------------------------------------------


def _reasons(opening: Opening, waiter: Waiter, start: Start, *, now: datetime) -> Iterator[str]:
    """Kept with an invitation, so as they are stored."""
    if waiter.priority:
        yield kept("Priority %(priority)s.", priority=waiter.priority)
    overdue, ideal = _overdue(opening, waiter), _ideal(waiter)
    if overdue > 0 and ideal is not None:
        message = (
            noop("Session %(session)s is booked %(days)s past its ideal date, %(ideal)s.")
            if waiter.comes_at
            else noop("Session %(session)s would be %(days)s past its ideal date, %(ideal)s.")
        )
        yield kept(message, session=waiter.session, days=_so_many(overdue), ideal=local_day(ideal))
    waited = (now - waiter.waits_since).days
    yield (
        kept("Waits for %(waited)s.", waited=_so_many(waited))
        if waited
        else noop("Waits for less than a day.")
    )
    if waiter.comes_at is not None:
        gained = (local(waiter.comes_at, opening.zone).date() - opening.day).days
        yield kept(
            "Comes %(sooner)s sooner than %(comes_at)s.",
            sooner=_so_many(gained) if gained else word("hours"),
            comes_at=moment(waiter.comes_at, opening.zone),
        )
    before = [pair for pair in sorted(waiter.days) if pair[0] < waiter.session]
    if before and waiter.protocol.series.interval is not None:
        yield kept(
            "%(gap)s after session %(before)s: within the interval.",
            gap=_so_many((opening.day - before[-1][1]).days),
            before=before[-1][0],
        )
    if _ripples(opening, waiter):
        yield noop("Later visits of the series move along.")
    if waiter.weekdays or waiter.earliest or waiter.latest < MINUTES_A_DAY:
        yield noop("The day and time are as wished.")
    left = _left_over(opening, start)
    yield (
        kept("Leaves %(left)s minutes of the gap over.", left=left)
        if left
        else noop("Leaves nothing of the gap over.")
    )
    if waiter.asked:
        yield noop("Was asked before and did not answer in time.")


def _so_many(days: int) -> Fact:
    return counted("%(count)s day", "%(count)s days", days)


def _minute(at: datetime, zone: str) -> int:
    there = local(at, zone)
    return there.hour * 60 + there.minute


def _times(waiter: Waiter) -> str:
    if waiter.earliest or waiter.latest < MINUTES_A_DAY:
        return gettext("between %(earliest)s and %(latest)s") % {
            "earliest": _wall(waiter.earliest),
            "latest": _wall(waiter.latest),
        }
    return gettext("before the present visit")


def _wall(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _clock(starts: Sequence[Start], zone: str) -> str:
    return f"{local(min(each.starts_at for each in starts), zone):%H:%M}"


def _span(notice: timedelta) -> str:
    minutes = int(notice.total_seconds()) // 60
    if minutes % MINUTES_A_DAY == 0 and minutes:
        return _days(minutes // MINUTES_A_DAY)
    hours, rest = divmod(minutes, 60)
    if rest:
        return gettext("%(minutes)s minutes") % {"minutes": minutes}
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def _listing(words: Sequence[str]) -> str:
    return (
        words[0]
        if len(words) == 1
        else gettext("%(words)s and %(words_2)s")
        % {"words": ", ".join(words[:-1]), "words_2": words[-1]}
    )
