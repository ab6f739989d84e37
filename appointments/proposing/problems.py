"""Why there is no place, in sentences, and what would open one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from appointments.finding import out_of_hours
from appointments.finding.availability import Facts, Openings
from appointments.finding.free_times import FreeTime, Unfit
from appointments.finding.intervals import Bounds
from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM
from appointments.finding.plans import Impossible
from appointments.finding.relaxing import WayOut
from appointments.models import Block
from appointments.proposing.loading import Loaded
from appointments.proposing.places import Problem, Relaxation
from clinic.hours import format_day, format_when, instant, local
from clinic.models import Resource

ONE_DAY = timedelta(days=1)
# So many days with less time than usual are named with their reason.
MOST_CAUSES = 3
_NONE_FREE = {
    PROVIDER: "no provider with a valid credential is free long enough",
    ROOM: "no room of the right kind is free long enough",
    DEVICE: "no device is free long enough",
    PATIENT: "the patient has other visits then",
    "site": "the site is closed",
    "spacing": "it would be too near to another treatment",
    "past": "those dates are past",
    "wishes": "nothing keeps to the wished weekdays and times",
    "locked": "the visit keeps its time, which is not among them",
    "together": "provider, room and device are never free at the same time",
}


def no_date(session: int, window: Bounds) -> Problem:
    """When the neighbours of a session leave it no date."""
    return Problem(
        session,
        window,
        "interval",
        f"No date for session {session} keeps the interval to the sessions before and after it."
        " Move one of those first.",
    )


def of(loaded: Loaded, facts: Facts, found: Impossible, ways: Iterable[WayOut]) -> Problem:
    """The first session that finds no place; `facts` are those that were asked."""
    days = found.bounds.earliest, found.bounds.latest
    first, last = map(format_day, days)
    between = f"on {first}" if first == last else f"between {first} and {last}"
    sentence = (
        f"Session {found.session} finds no place {between}: {_lacking(facts, found.binding)}."
    )
    return Problem(
        found.session,
        found.bounds,
        found.binding,
        _told(
            loaded,
            facts,
            sentence,
            found.binding,
            (found.bounds.earliest, found.bounds.latest),
            found.until,
        ),
        found.until,
        tuple(_relaxation(loaded, found.session, way) for way in ways),
    )


def of_free_time(loaded: Loaded, facts: Facts, free: FreeTime, found: Impossible | Unfit) -> str:
    """Why no plan begins in a free time; `facts` are those that were asked."""
    if isinstance(found, Impossible):
        return f"With the first session there, {_lower(of(loaded, facts, found, ()).sentence)}"
    name = Resource.objects.values_list("name", flat=True).get(pk=free.resource)
    day = local(free.starts_at, facts.site.zone).date()
    if found.binding == "spacing":
        return Openings(replace(facts, first_day=day, last_day=day)).barred(day) or ""
    if found.binding == "unsuitable" and free.resource in loaded.facts.pools[PROVIDER]:
        return "Every visit is wished with another provider."
    return {
        "unsuitable": f"{name} is not to be had for {loaded.protocol.name.en}.",
        "taken": f"{name} is no longer free then.",
        "short": (
            f"The visit takes {found.takes} minutes of {name} with set-up and clean-up, and"
            f" {found.left} are free."
        ),
        "dates": "It lies outside of the dates that the first session may have.",
        "past": "It is past.",
    }.get(found.binding) or f"{name} is free, but {_lacking(facts, found.binding)}."


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def of_days(
    loaded: Loaded, openings: Openings, first: date, last: date
) -> tuple[str, str, datetime | None]:
    """Why `first` to `last` have no offered start: a sentence, what binds, and until when, as far
    as the openings reach beyond."""
    barred = openings.barred(first) if first == last else None
    binding = openings.why_none(first, last) or "together"
    if first == last and binding == "past":
        return f"It is too late for {format_day(first)}. Choose a later day.", binding, None
    if barred is not None:
        return barred, binding, None
    facts, until = openings.facts, None
    if binding in openings.free:
        until = openings.free_again(binding, last + ONE_DAY)
    days = f"Between {format_day(first)} and {format_day(last)}"
    if first == last:
        days = f"On {format_day(first)}"
    sentence = f"{days} {_lacking(facts, binding)}."
    return _told(loaded, facts, sentence, binding, (first, last), until), binding, until


def _lacking(facts: Facts, binding: str) -> str:
    if facts.pools.get(binding) == ():
        return f"{facts.site.name} has no suitable {binding}"
    return _NONE_FREE[binding]


def _told(
    loaded: Loaded,
    facts: Facts,
    sentence: str,
    binding: str,
    days: tuple[date, date],
    until: datetime | None,
) -> str:
    """The sentence, with what staff said of those days, and until when."""
    short: list[str] = []
    if binding in (PROVIDER, ROOM, DEVICE, "site", "together"):
        names = {pk: resource.name for pk, resource in loaded.resources.items()}
        short = out_of_hours.cut_short(facts, names, binding, *days)
        short += _blocked(facts, names, binding, days)
    return " ".join([sentence, *short[:MOST_CAUSES]]) + _again(facts, binding, until)


def _blocked(
    facts: Facts, names: Mapping[int, str], binding: str, days: tuple[date, date]
) -> list[str]:
    """What staff said of the blocks that stand over what binds, the earliest first."""
    kinds = [binding] if binding in facts.pools else [PROVIDER, ROOM, DEVICE]
    over = Block.resources.through.objects.filter(
        resource__in={pk for kind in kinds for pk in facts.pools.get(kind, ())},
        block__released_at=None,
        block__starts_at__lt=instant(days[1], 24 * 60, facts.site.zone),
        block__ends_at__gt=instant(days[0], 0, facts.site.zone),
    ).exclude(block__reason="")
    return [
        f"{names[each.resource_id]} is blocked from"
        f" {format_when(each.block.starts_at, facts.site.zone, 'en')} to"
        f" {format_when(each.block.ends_at, facts.site.zone, 'en')} ({each.block.reason})."
        for each in over.select_related("block").order_by("block__starts_at", "id")[:MOST_CAUSES]
    ]


def _again(facts: Facts, binding: str, until: datetime | None) -> str:
    if until is None or binding not in (PROVIDER, ROOM, DEVICE):
        return ""
    return f" A {binding} is free from {format_when(until, facts.site.zone, 'en')}."


def _relaxation(loaded: Loaded, session: int, way: WayOut) -> Relaxation:
    on = format_day(way.day) if way.day else ""
    sentence = {
        "provider": f"With any provider, session {session} can be on {on}.",
        "wishes": f"On another weekday or at another time, session {session} can be on {on}.",
        "interval": (
            f"Session {session} can be on {on}, {way.days} days beyond the longest interval,"
            " with a reason from somebody who may."
        ),
        "waitlist": "Put the patient on the wait-list and offer them what becomes free.",
    }[way.kind]
    return Relaxation(way.kind, sentence.replace(" 1 days", " 1 day"), way.day)
