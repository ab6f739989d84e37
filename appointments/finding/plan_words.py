"""Why a plan is as it is, in sentences for staff. Pure words; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from appointments.finding.intervals import Bounds
from appointments.finding.plans import Plan, Planned, Points
from clinic.hours import format_day, local

# Of a visit whose place was no choice of the plan's.
CHOSEN = "As chosen."
# What a visit waits for within a free time.
_UNTIL_THEN = {
    "provider": "no provider is free",
    "room": "no suitable room is free",
    "device": "no device is free",
    "patient": "the patient is elsewhere",
    "wishes": "it is before the wished hours",
    "past": "it is past",
    "together": "not everybody is free",
}


@dataclass(frozen=True, slots=True)
class About:
    """What is to be said of a visit. `like` is the usual wall minute, `same_provider` None when
    there is no visit before."""

    day: date
    minute: int
    bounds: Bounds
    previous: date | None
    same_provider: bool | None
    like: int | None
    stays: bool


def of_visit(about: About, points: Points) -> tuple[str, ...]:
    """The sentences of one visit."""
    if about.stays:
        return ("Stays where it is.",)
    said = [_date(about)]
    if about.same_provider is not None:
        said.append(
            "Same provider."
            if about.same_provider
            else "Another provider than at the visit before."
        )
    if about.like is not None:
        same = about.minute == about.like
        said.append("Same time of day." if same else _time(about))
    if points.weekday:
        said.append("No better place on the preferred weekdays.")
    if points.time:
        said.append("No better place in the preferred hours.")
    if points.gap:
        said.append("Leaves a gap that is too short for another visit.")
    return tuple(said)


def in_free_time(begins: datetime, starts_at: datetime, lacking: str, zone: str) -> str:
    """Of a first visit in a free time that somebody chose, which begins at `begins`; `lacking` is
    what it waits for there."""
    if starts_at == begins:
        return "At the chosen free time."
    if not lacking:
        return f"In the chosen free time, after set-up from {local(begins, zone):%H:%M} on."
    until = f"{local(starts_at, zone):%H:%M}"
    return f"In the chosen free time, at {until}: until then {_UNTIL_THEN[lacking]}."


def _date(about: About) -> str:
    off = (about.day - about.bounds.ideal).days
    if off == 0:
        return "On the ideal date."
    side = "after" if off > 0 else "before"
    return f"{_days(abs(off))} {side} the ideal date, {format_day(about.bounds.ideal)}."


def _time(about: About) -> str:
    return f"At {about.minute // 60:02}:{about.minute % 60:02}, the nearest to the usual time."


def of_plan(visits: Sequence[Planned], all_plans: Sequence[Plan]) -> tuple[str, ...]:
    """What a plan is good for, beside the others: the sentences of its rank."""
    said = []
    if visits is all_plans[0].visits and len(all_plans) > 1:
        said.append("The fewest points.")
    if visits[0].day == min(plan.visits[0].day for plan in all_plans):
        said.append("Begins first.")
    if len(visits) > 1:
        said += _of_series(visits, all_plans)
    return tuple(said)


def _of_series(visits: Sequence[Planned], all_plans: Sequence[Plan]) -> list[str]:
    said = []
    if visits[-1].day == min(plan.visits[-1].day for plan in all_plans):
        said.append("Done first.")
    off = sum(abs((visit.day - visit.bounds.ideal).days) for visit in visits[1:])
    said.append("Ideal intervals." if not off else f"{_days(off)} off the ideal intervals in all.")
    providers = {visit.resources["provider"] for visit in visits}
    said.append(
        "One provider throughout." if len(providers) == 1 else f"{len(providers)} providers."
    )
    if len({visit.day.weekday() for visit in visits}) == 1:
        said.append(f"Always on a {visits[0].day:%A}.")
    return said


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
