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
from appointments.refusals import kind_in_words
from clinic.models import Resource
from clinic.saying import gettext, language, noop
from clinic.saying_days import format_day
from clinic.saying_times import format_when
from clinic.wall_time import instant, local

ONE_DAY = timedelta(days=1)
# So many days with less time than usual are named with their reason.
MOST_CAUSES = 3
_NONE_FREE = {
    PROVIDER: noop("no provider with a valid credential is free long enough"),
    ROOM: noop("no room of the right kind is free long enough"),
    DEVICE: noop("no device is free long enough"),
    PATIENT: noop("the patient has other visits then"),
    "site": noop("the site is closed"),
    "spacing": noop("it would be too near to another treatment"),
    "past": noop("those dates are past"),
    "wishes": noop("nothing keeps to the wished weekdays and times"),
    "locked": noop("the visit keeps its time, which is not among them"),
    "together": noop("provider, room and device are never free at the same time"),
}


def no_date(session: int, window: Bounds) -> Problem:
    """When the neighbours of a session leave it no date."""
    return Problem(
        session,
        window,
        "interval",
        gettext(
            "No date for session %(session)s keeps the interval to the sessions before "
            "and after it. Move one of those first."
        )
        % {"session": session},
    )


def of(loaded: Loaded, facts: Facts, found: Impossible, ways: Iterable[WayOut]) -> Problem:
    """The first session that finds no place; `facts` are those that were asked."""
    days = found.bounds.earliest, found.bounds.latest
    first, last = (format_day(each, language()) for each in days)
    between = (
        gettext("on %(first)s") % {"first": first}
        if first == last
        else gettext("between %(first)s and %(last)s") % {"first": first, "last": last}
    )
    sentence = gettext("Session %(session)s finds no place %(between)s: %(binding)s.") % {
        "session": found.session,
        "between": between,
        "binding": _lacking(facts, found.binding),
    }
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
        return gettext("With the first session there, %(found)s") % {
            "found": _lower(of(loaded, facts, found, ()).sentence)
        }
    name = Resource.objects.values_list("name", flat=True).get(pk=free.resource)
    day = local(free.starts_at, facts.site.zone).date()
    if found.binding == "spacing":
        return Openings(replace(facts, first_day=day, last_day=day)).barred(day) or ""
    if found.binding == "unsuitable" and free.resource in loaded.facts.pools[PROVIDER]:
        return gettext("Every visit is wished with another provider.")
    return {
        "unsuitable": gettext("%(name)s is not to be had for %(protocol)s.")
        % {"name": name, "protocol": loaded.protocol.name.get(language())},
        "taken": gettext("%(name)s is no longer free then.") % {"name": name},
        "short": (
            gettext(
                "The visit takes %(takes)s minutes of %(name)s with set-up and clean-up, and "
                "%(left)s are free."
            )
            % {"takes": found.takes, "name": name, "left": found.left}
        ),
        "dates": gettext("It lies outside of the dates that the first session may have."),
        "past": gettext("It is past."),
    }.get(found.binding) or gettext("%(name)s is free, but %(binding)s.") % {
        "name": name,
        "binding": _lacking(facts, found.binding),
    }


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
        return (
            gettext("It is too late for %(first)s. Choose a later day.")
            % {"first": format_day(first, language())},
            binding,
            None,
        )
    if barred is not None:
        return barred, binding, None
    facts, until = openings.facts, None
    if binding in openings.free:
        until = openings.free_again(binding, last + ONE_DAY)
    days = gettext("Between %(first)s and %(last)s") % {
        "first": format_day(first, language()),
        "last": format_day(last, language()),
    }
    if first == last:
        days = gettext("On %(first)s") % {"first": format_day(first, language())}
    sentence = f"{days} {_lacking(facts, binding)}."
    return _told(loaded, facts, sentence, binding, (first, last), until), binding, until


def _lacking(facts: Facts, binding: str) -> str:
    if facts.pools.get(binding) == ():
        return gettext("%(site)s has no suitable %(binding)s") % {
            "site": facts.site.name,
            "binding": kind_in_words(binding),
        }
    if binding == "spacing" and (told := [each.sentence for each in facts.spaced if each.sentence]):
        return gettext("it is not to be treated then (%(told)s)") % {"told": " ".join(told)}
    return gettext(_NONE_FREE[binding])


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
        gettext("%(name)s is blocked from %(starts_at)s to %(ends_at)s (%(reason)s).")
        % {
            "name": names[each.resource_id],
            "starts_at": format_when(each.block.starts_at, facts.site.zone, language()),
            "ends_at": format_when(each.block.ends_at, facts.site.zone, language()),
            "reason": each.block.reason,
        }
        for each in over.select_related("block").order_by("block__starts_at", "id")[:MOST_CAUSES]
    ]


def _again(facts: Facts, binding: str, until: datetime | None) -> str:
    if until is None or binding not in (PROVIDER, ROOM, DEVICE):
        return ""
    return " " + gettext("A %(binding)s is free from %(until)s.") % {
        "binding": kind_in_words(binding),
        "until": format_when(until, facts.site.zone, language()),
    }


def _relaxation(loaded: Loaded, session: int, way: WayOut) -> Relaxation:
    on = format_day(way.day, language()) if way.day else ""
    sentence = {
        "provider": gettext("With any provider, session %(session)s can be on %(on)s.")
        % {"session": session, "on": on},
        "wishes": gettext(
            "On another weekday or at another time, session %(session)s can be on %(on)s."
        )
        % {"session": session, "on": on},
        "interval": (
            gettext(
                "Session %(session)s can be on %(on)s, %(days)s days beyond the longest "
                "interval, with a reason from somebody who may."
            )
            % {"session": session, "on": on, "days": way.days}
        ),
        "waitlist": gettext("Put the patient on the wait-list and offer them what becomes free."),
    }[way.kind]
    return Relaxation(way.kind, sentence.replace(" 1 days", " 1 day"), way.day)
