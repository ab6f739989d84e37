"""Days between treatments: the interval of a series and the spacing to other treatments.

All distances are differences of local calendar dates of the site, never hours. Refuses to know
free time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from appointments.refusals import (
    IntervalTooLong,
    IntervalTooShort,
    OutOfOrder,
    Refused,
    SpacingTooShort,
)
from clinic.durations import Duration
from clinic.protocols.areas import overlap
from clinic.protocols.schema import (
    Direction,
    Interval,
    Kind,
    OverMax,
    Protocol,
    SpacingOutcome,
    SpacingScope,
    Text,
)
from clinic.saying import gettext, language, ngettext
from clinic.saying_days import format_day
from clinic.wall_time import shifted_day

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The local dates on which the next session may lie, both ends included."""

    earliest: date
    ideal: date
    latest: date


def bounds(previous: date, interval: Interval) -> Bounds:
    """When the session after the one of `previous` is due; never on the same day."""
    return Bounds(
        max(shifted_day(previous, interval.min), previous + DAY),
        max(shifted_day(previous, interval.ideal), previous + DAY),
        max(shifted_day(previous, interval.max), previous + DAY),
    )


def bounds_between(previous: date | None, following: date | None, interval: Interval) -> Bounds:
    """When a session between two others is due; at least one of them is given.

    The earliest date may lie after the latest: then no date keeps both intervals.
    """
    after = bounds(previous, interval) if previous else None
    if following is None:
        assert after is not None
        return after
    before = Bounds(
        shifted_day(following, interval.max, -1),
        min(shifted_day(following, interval.ideal, -1), following - DAY),
        min(shifted_day(following, interval.min, -1), following - DAY),
    )
    if after is None:
        return before
    earliest, latest = max(after.earliest, before.earliest), min(after.latest, before.latest)
    return Bounds(earliest, max(earliest, min(after.ideal, latest)), latest)


def interval_breaches(
    days: Sequence[tuple[int, date]], protocol: Protocol
) -> list[tuple[int, Refused]]:
    """What is wrong between neighbouring sessions: (session, refusal) of the later one.

    `days` are (session number, local date) of the standing visits, in order of session.
    """
    found: list[tuple[int, Refused]] = []
    for (before, first), (session, second) in pairwise(days):
        refusal = _between(before, first, session, second, protocol)
        if refusal is not None:
            found.append((session, refusal))
    return found


def _between(
    before: int, first: date, session: int, second: date, protocol: Protocol
) -> Refused | None:
    if second <= first:
        return OutOfOrder(
            gettext(
                "Session %(session)s must come on a later day than session %(before)s (%(first)s)."
            )
            % {"session": session, "before": before, "first": format_day(first, language())}
        )
    interval = protocol.series.interval
    if interval is None:
        return None
    allowed, gap = bounds(first, interval), (second - first).days
    apart = {"session": session, "days": _days(gap), "before": before}
    if second < allowed.earliest:
        return IntervalTooShort(
            gettext(
                "Session %(session)s is %(days)s after session %(before)s; the protocol asks for"
                " at least %(least)s. The earliest valid date is %(earliest)s."
            )
            % {
                **apart,
                "least": (allowed.earliest - first).days,
                "earliest": format_day(allowed.earliest, language()),
            },
            earliest=allowed.earliest,
        )
    # A session that was left out in between, or is not booked yet, accounts for a longer gap.
    latest = first + (allowed.latest - first) * (session - before)
    if second > latest:
        advice = (
            gettext("Start a new series, or have a clinician review it.")
            if protocol.series.gap_over_max is OverMax.RESTART
            else gettext("A clinician must review a longer gap.")
        )
        return IntervalTooLong(
            gettext(
                "Session %(session)s is %(days)s after session %(before)s; the protocol asks for"
                " at most %(most)s. The latest valid date is %(latest)s."
            )
            % {
                **apart,
                "most": (latest - first).days,
                "latest": format_day(latest, language()),
            }
            + f" {advice}",
            latest=latest,
        )
    return None


# --- Spacing to other treatments ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Treated:
    """A visit of another series of the same patient: planned or done."""

    day: date
    protocol: Protocol
    areas: frozenset[str]


@dataclass(frozen=True, slots=True)
class Spaced:
    """Dates kept free around another treatment on `day`: those between `after` and `before`,
    both exclusive. `strict` spacing yields to nobody. With a `sentence` something else keeps them
    free, which it says."""

    day: date
    name: Text
    after: date
    before: date
    strict: bool
    sentence: str = ""

    def __contains__(self, day: date) -> bool:
        return self.after < day < self.before


def spaced(protocol: Protocol, areas: Iterable[str], others: Iterable[Treated]) -> list[Spaced]:
    """The dates that `others` keep free from a treatment by `protocol` in `areas`."""
    wanted = frozenset(areas)
    return [kept for other in others if (kept := _kept_free(protocol, wanted, other)) is not None]


def _kept_free(protocol: Protocol, areas: frozenset[str], other: Treated) -> Spaced | None:
    """The widest of the gaps that either protocol asks for, on either side of `other`."""
    together = _same_area(protocol, areas, other)
    gaps_after = _gaps(protocol, other.protocol, Direction.BEFORE, together)
    gaps_after += _gaps(other.protocol, protocol, Direction.AFTER, together)
    gaps_before = _gaps(protocol, other.protocol, Direction.AFTER, together)
    gaps_before += _gaps(other.protocol, protocol, Direction.BEFORE, together)
    interval = protocol.series.interval
    if protocol.id == other.protocol.id and together and interval is not None:
        gaps_after.append((interval.min, False))
        gaps_before.append((interval.min, False))
    if not gaps_after and not gaps_before:
        return None
    return Spaced(
        day=other.day,
        name=other.protocol.name,
        after=min(
            (shifted_day(other.day, gap, -1) for gap, _ in gaps_before),
            default=other.day - DAY,
        ),
        before=max((shifted_day(other.day, gap) for gap, _ in gaps_after), default=other.day + DAY),
        strict=any(strict for _, strict in (*gaps_after, *gaps_before)),
    )


def _gaps(
    asking: Protocol, other: Protocol, direction: Direction, together: bool
) -> list[tuple[Duration, bool]]:
    return [
        (rule.min_gap, rule.outcome is SpacingOutcome.BLOCK)
        for rule in asking.spacing
        if rule.direction is direction
        and (together or rule.scope is SpacingScope.ANY)
        and _is(other, rule.other)
        and not (rule.other == "any_device" and other.id == asking.id)
    ]


def _is(protocol: Protocol, other: str) -> bool:
    if other == "any_device":
        return protocol.kind is Kind.SERIES and protocol.resources.device is not None
    return other in (protocol.id, protocol.modality)


def _same_area(protocol: Protocol, areas: frozenset[str], other: Treated) -> bool:
    """Plain services do not say where they treat, so they count as the same area."""
    if Kind.SERVICE in (protocol.kind, other.protocol.kind):
        return True
    return overlap(areas, other.areas)


def first_free(day: date, kept: Iterable[Spaced]) -> tuple[date, tuple[Spaced, ...]]:
    """The first date from `day` on that nothing keeps free, and what does so before it."""
    asked, passed = tuple(kept), []
    while found := [each for each in asked if day in each]:
        passed += found
        day = max(each.before for each in found)
    return day, tuple(dict.fromkeys(passed))


def spacing_breach(day: date, kept: Iterable[Spaced]) -> SpacingTooShort | None:
    """The first spacing that `day` breaks."""
    for spacing in sorted(kept, key=lambda each: each.before, reverse=True):
        if day in spacing:
            return SpacingTooShort(
                spacing.sentence
                or gettext(
                    "%(day)s is too near to %(spacing)s on %(day_2)s. The first valid date after "
                    "it is %(before)s."
                )
                % {
                    "day": format_day(day, language()),
                    "spacing": spacing.name.get(language()),
                    "day_2": format_day(spacing.day, language()),
                    "before": format_day(spacing.before, language()),
                },
                earliest=spacing.before,
                overridable=not spacing.strict,
            )
    return None


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}
