"""Placing a visit without dragging it: pick it up, look at any day, press a free start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.http import HttpRequest

from appointments import proposing
from appointments.finding import ticks
from appointments.lifecycle import Move, State, offered
from appointments.models import Appointment
from appointments.proposing.places import DayStarts, Place
from clinic.models import Site, Staff
from clinic.periods import Period
from clinic.wall_time import local
from reminders.views.board.asking import WEEK, Asked
from reminders.views.board.columns import Board
from reminders.views.board.layout import Item, Kind
from reminders.views.book_series import draft as drafts

QUARTER = 3


@dataclass(frozen=True, slots=True)
class Picked:
    """The visit in hand, and every start of the day at which it may be put down."""

    visit: Appointment
    starts: DayStarts


@dataclass(frozen=True, slots=True)
class Start:
    """A start as a button: `written` is the place as a form sends it."""

    place: Place
    written: str


def picked(request: HttpRequest, site: Site, wanted: Asked, now: datetime) -> Picked | None:
    """The visit that the address has in hand; None when there is none that may be moved."""
    if not wanted.pick or wanted.view == WEEK:
        return None
    visit = (
        Appointment.objects.seen_by(cast(Staff, request.user))
        .filter(pk=wanted.pick, site=site)
        .select_related("site", "series__patient", "protocol_version")
        .first()
    )
    if visit is None or Move.MOVE not in offered(State(visit.state), is_locked=visit.is_locked):
        return None
    starts = proposing.free_starts(
        patient=visit.series.patient,
        site=site,
        version=visit.protocol_version,
        areas=visit.series.areas,
        day=wanted.day,
        now=now,
        moving=visit,
    )
    return Picked(visit, starts)


def draw(pick: Picked, drawn: Board) -> str:
    """Add to the column of each provider the first start of each free stretch, and those at the
    quarters of the hour after it. Returns the one that is nearest to the time of day which the
    visit has now, as written; empty when there is none."""
    columns = {column.resource.pk: column for column in drawn.columns}
    before: dict[int, int] = {}  # the last start of each provider, drawn or not
    until: dict[int, int] = {}  # the row at which the last one drawn ends
    away: dict[str, int] = {}  # of each one drawn, the minutes from the time that it has now
    now_at = _minute(pick.visit.starts_at, pick.visit.site.zone)
    for place in pick.starts.places:
        column, tick = columns.get(place.provider.pk), ticks.floor(place.starts_at)
        is_first = before.get(place.provider.pk) != tick - 1
        before[place.provider.pk] = tick
        if column is None or not (is_first or tick % QUARTER == 0):
            continue
        first = column.grid.row(place.starts_at)
        if first < until.get(place.provider.pk, 0):
            continue
        last = until[place.provider.pk] = min(first + QUARTER, column.grid.rows)
        period = Period(place.starts_at, place.ends_at)
        start = Start(place, drafts.written(place.wish))
        column.items.append(Item(Kind.START, first, last, period, start))
        away[start.written] = abs(_minute(place.starts_at, pick.visit.site.zone) - now_at)
    return min(away, key=away.__getitem__, default="")


def _minute(at: datetime, zone: str) -> int:
    """The minute of the local day."""
    clock = local(at, zone)
    return clock.hour * 60 + clock.minute
