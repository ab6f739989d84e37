"""Why a plan is as it is, in sentences for staff. Pure words; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from appointments.finding.intervals import Bounds
from appointments.finding.plans import Plan, Planned, Points
from clinic.saying import gettext, language, ngettext, noop
from clinic.saying_days import format_day
from clinic.wall_time import local

# Of a visit whose place was no choice of the plan's.
CHOSEN = noop("As chosen.")
# What a visit waits for within a free time.
_UNTIL_THEN = {
    "provider": noop("no provider is free"),
    "room": noop("no suitable room is free"),
    "device": noop("no device is free"),
    "patient": noop("the patient is elsewhere"),
    "wishes": noop("it is before the wished hours"),
    "past": noop("it is past"),
    "together": noop("not everybody is free"),
}


_ALWAYS = (
    noop("Always on a Monday."),
    noop("Always on a Tuesday."),
    noop("Always on a Wednesday."),
    noop("Always on a Thursday."),
    noop("Always on a Friday."),
    noop("Always on a Saturday."),
    noop("Always on a Sunday."),
)


@dataclass(frozen=True, slots=True)
class About:
    """What is to be said of a visit. `like` is the usual wall minute, `same_provider` None when
    there is no visit before; `near` says what keeps the ideal date free, if anything does."""

    day: date
    minute: int
    bounds: Bounds
    previous: date | None
    same_provider: bool | None
    like: int | None
    stays: bool
    near: str = ""


def of_visit(about: About, points: Points) -> tuple[str, ...]:
    """The sentences of one visit."""
    if about.stays:
        return (gettext("Stays where it is."),)
    said = [_date(about)]
    if about.near:
        said.append(about.near)
    if about.same_provider is not None:
        said.append(
            gettext("Same provider.")
            if about.same_provider
            else gettext("Another provider than at the visit before.")
        )
    if about.like is not None:
        same = about.minute == about.like
        said.append(gettext("Same time of day.") if same else _time(about))
    if points.weekday:
        said.append(gettext("No better place on the preferred weekdays."))
    if points.time:
        said.append(gettext("No better place in the preferred hours."))
    if points.gap:
        said.append(gettext("Leaves a gap that is too short for another visit."))
    return tuple(said)


def in_free_time(begins: datetime, starts_at: datetime, lacking: str, zone: str) -> str:
    """Of a first visit in a free time that somebody chose, which begins at `begins`; `lacking` is
    what it waits for there."""
    if starts_at == begins:
        return gettext("At the chosen free time.")
    if not lacking:
        return gettext("In the chosen free time, after set-up from %(begins)s on.") % {
            "begins": f"{local(begins, zone):%H:%M}"
        }
    until = f"{local(starts_at, zone):%H:%M}"
    return gettext("In the chosen free time, at %(until)s: until then %(lacking)s.") % {
        "until": until,
        "lacking": gettext(_UNTIL_THEN[lacking]),
    }


def _date(about: About) -> str:
    off = (about.day - about.bounds.ideal).days
    if off == 0:
        return gettext("On the ideal date.")
    sentence = (
        gettext("%(days)s after the ideal date, %(ideal)s.")
        if off > 0
        else gettext("%(days)s before the ideal date, %(ideal)s.")
    )
    return sentence % {
        "days": _days(abs(off)),
        "ideal": format_day(about.bounds.ideal, language()),
    }


def _time(about: About) -> str:
    return gettext("At %(time)s, the nearest to the usual time.") % {
        "time": f"{about.minute // 60:02}:{about.minute % 60:02}"
    }


def of_plan(visits: Sequence[Planned], all_plans: Sequence[Plan]) -> tuple[str, ...]:
    """What a plan is good for, beside the others: the sentences of its rank."""
    said = []
    if visits is all_plans[0].visits and len(all_plans) > 1:
        said.append(gettext("The fewest points."))
    if visits[0].day == min(plan.visits[0].day for plan in all_plans):
        said.append(gettext("Begins first."))
    if len(visits) > 1:
        said += _of_series(visits, all_plans)
    return tuple(said)


def _of_series(visits: Sequence[Planned], all_plans: Sequence[Plan]) -> list[str]:
    said = []
    if visits[-1].day == min(plan.visits[-1].day for plan in all_plans):
        said.append(gettext("Done first."))
    off = sum(abs((visit.day - visit.bounds.ideal).days) for visit in visits[1:])
    said.append(
        gettext("Ideal intervals.")
        if not off
        else gettext("%(off)s off the ideal intervals in all.") % {"off": _days(off)}
    )
    providers = {visit.resources["provider"] for visit in visits}
    said.append(
        gettext("One provider throughout.")
        if len(providers) == 1
        else gettext("%(count)s providers.") % {"count": len(providers)}
    )
    if len({visit.day.weekday() for visit in visits}) == 1:
        said.append(gettext(_ALWAYS[visits[0].day.weekday()]))
    return said


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}
