"""Where a course stands: sessions that count, results to expect, when to touch up. Pure.

Results and touch-up count from the last session in which something was treated, whenever the course
ended; days are local dates of the site.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from appointments.charting.fields import COMPLETED
from appointments.lifecycle import State
from clinic.protocols.schema import Maintenance, Phase, Product, Protocol, Step
from clinic.wall_time import shifted_day

# What protocols call advice on how to live: their steps carry this topic after a session.
_LIFESTYLE = ("prep.hydrate", "lifestyle")


class Milestone(StrEnum):
    """When an outcome is scored: before the first session, before the first results, between
    these and the peak, and from the peak on."""

    BASELINE = "baseline"
    EARLY = "early"
    FIRST = "first"
    PEAK = "peak"


class TouchUp(StrEnum):
    NOT_YET = "not_yet"
    DUE = "due"
    OVERDUE = "overdue"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Window:
    """The first date that the protocol allows, the one it wants, and the last (included)."""

    opens: date
    ideal: date
    closes: date

    def days_left(self, today: date) -> int:
        """Until it closes; less than nothing once it has."""
        return (self.closes - today).days


def touch_up_window(last: date, maintenance: Maintenance | None) -> Window | None:
    """After the last treated session on `last`; None when the protocol knows no touch-up."""
    if maintenance is None:
        return None
    due = shifted_day(last, maintenance.due)
    return Window(due, due, shifted_day(last, maintenance.latest))


@dataclass(frozen=True, slots=True)
class Session:
    """One visit of the course. `outcome` and `treated` (None: all areas) are those of its log,
    `counts` the decision on one that was not completed."""

    number: int
    day: date
    state: State
    outcome: str = ""
    treated: Sequence[str] | None = None
    counts: bool | None = None

    @property
    def is_undecided(self) -> bool:
        return (
            self.state is State.DONE and self.outcome not in ("", COMPLETED) and self.counts is None
        )

    @property
    def is_counted(self) -> bool:
        return self.state is State.DONE and not self.is_undecided and self.counts is not False

    @property
    def is_treated(self) -> bool:
        return self.state is State.DONE and self.treated != ()


@dataclass(frozen=True, slots=True)
class Course:
    """`counted` of `agreed` sessions are done and count. The window of results is from the first
    ones on until their peak; `touch_up` is empty where the protocol names none, or the course
    goes on."""

    counted: int
    agreed: int
    undecided: tuple[int, ...]
    uncounted: tuple[int, ...]
    last_day: date | None
    milestone: Milestone
    weeks: int | None = None
    results_from: date | None = None
    results_peak: date | None = None
    touch_up: TouchUp | None = None
    touch_up_from: date | None = None
    touch_up_until: date | None = None


def course_of(
    protocol: Protocol,
    sessions: Iterable[Session],
    *,
    agreed: int,
    is_over: bool,
    today: date,
    succeeded_on: date | None = None,
) -> Course:
    """`is_over` when the course is through or was ended early; `succeeded_on` is the day of the
    latest other treatment of the same kind, whose own window then holds."""
    every = sorted(sessions, key=lambda each: (each.day, each.number))
    treated = [each for each in every if each.is_treated]
    last = treated[-1].day if treated else None
    uncounted = tuple(each.number for each in every if each.counts is False)
    course = Course(
        counted=sum(each.is_counted for each in every),
        agreed=max(agreed - len(uncounted), 0),
        undecided=tuple(each.number for each in every if each.is_undecided),
        uncounted=uncounted,
        last_day=last,
        milestone=_milestone(protocol, last, today),
    )
    return course if last is None else _dated(course, protocol, last, is_over, today, succeeded_on)


def regimen(protocol: Protocol) -> tuple[Product, ...]:
    """The products of the protocol, in the order in which they may be used."""
    return tuple(sorted(protocol.products, key=lambda each: each.start.approximate_seconds))


def lifestyle(protocol: Protocol) -> tuple[Step, ...]:
    """Its advice on how to live after a session."""
    return tuple(
        step
        for step in protocol.steps
        if step.phase is Phase.POST and step.topic.startswith(_LIFESTYLE)
    )


def _milestone(protocol: Protocol, last: date | None, today: date) -> Milestone:
    results = protocol.series.results
    if last is None:
        return Milestone.BASELINE
    if results is None or today < shifted_day(last, results.first):
        return Milestone.EARLY
    return Milestone.FIRST if today < shifted_day(last, results.peak) else Milestone.PEAK


def _dated(
    course: Course,
    protocol: Protocol,
    last: date,
    is_over: bool,
    today: date,
    succeeded_on: date | None,
) -> Course:
    results = protocol.series.results
    window = touch_up_window(last, protocol.series.maintenance) if is_over else None
    touch_up = None
    if window is not None:
        touch_up = TouchUp.DUE if today >= window.opens else TouchUp.NOT_YET
        if window.days_left(today) < 0:
            touch_up = TouchUp.OVERDUE
        if succeeded_on is not None and succeeded_on > last:
            touch_up = TouchUp.SUCCEEDED
    return replace(
        course,
        weeks=max((today - last).days, 0) // 7,
        results_from=shifted_day(last, results.first) if results else None,
        results_peak=shifted_day(last, results.peak) if results else None,
        touch_up=touch_up,
        touch_up_from=window.opens if window else None,
        touch_up_until=window.closes if window else None,
    )
