"""The place to offer to each patient who is due back: the first free one from the ideal day on,
tomorrow at the earliest.

For a page of patients together: the queries do not grow with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from appointments import clearance
from appointments.clearance import Act, Bar, Treatment
from appointments.finding.needs import PROVIDER
from appointments.proposing.loading import Loaded, Wanted, load_each
from appointments.proposing.places import Place
from appointments.proposing.soonest import first_place
from appointments.recalling.listing import Due
from appointments.recalling.windows import Cause
from clinic.models import Site
from clinic.wall_time import local

# How far behind the latest ideal day of a page is looked for places.
BEYOND = timedelta(days=28)
_ONE_DAY = timedelta(days=1)


def best_places(dues: Sequence[Due], *, site: Site, now: datetime) -> dict[int, Place]:
    """By series (id), as far as there is a place: on no day that something bars, within the window
    while it is open, with who treated the patient last where they are free. Nobody with an open
    adverse event has one."""
    asked = [due for due in dues if not due.has_open_event]
    if not asked:
        return {}
    today = local(now, site.zone).date()
    tomorrow = today + _ONE_DAY
    treatments = [
        Treatment(
            due.series.patient,
            site,
            due.series.protocol_version,
            due.series.areas,
            None if due.cause == Cause.TOUCH_UP else due.series,
        )
        for due in asked
    ]
    bars = clearance.standing(treatments, now=now, acts=frozenset({Act.BOOK}))
    last_day = max(_ideal(due, tomorrow) for due in asked) + BEYOND
    facts = load_each(
        [
            Wanted(each.patient, each.version, each.areas, each.series.pk if each.series else None)
            for each in treatments
        ],
        site=site,
        first_day=tomorrow,
        last_day=last_day,
        now=now,
    )
    found = {
        due.series.pk: _best(due, loaded, barring, tomorrow, last_day)
        for due, loaded, barring in zip(asked, facts, bars, strict=True)
    }
    return {series: place for series, place in found.items() if place is not None}


def _best(
    due: Due, loaded: Loaded, bars: Sequence[Bar], earliest: date, last_day: date
) -> Place | None:
    usual = {PROVIDER: due.provider.pk} if due.provider else {}
    for first, last in _days(due, earliest, last_day):
        place = first_place(
            loaded,
            first_day=first,
            last_day=last,
            usual=usual,
            allowed=lambda day: not any(bar.bars(Act.BOOK, day) for bar in bars),
        )
        if place is not None:
            return place
    return None


def _days(due: Due, earliest: date, last_day: date) -> list[tuple[date, date]]:
    """From the ideal day to the end of the window; else the days before. What is overdue has no
    end any more."""
    ideal = _ideal(due, earliest)
    closes = due.window.closes if due.window else last_day
    opens = due.window.opens if due.window else earliest
    return [
        (ideal, last_day if closes < earliest else min(closes, last_day)),
        (max(opens, earliest), ideal - _ONE_DAY),
    ]


def _ideal(due: Due, earliest: date) -> date:
    return max(due.window.ideal, earliest) if due.window else earliest
