"""The columns of the board: each resource on one day, or one resource on each day of a week.

Owns reading them in a number of queries that does not grow with the visits. What a reader may
not see is drawn as time taken, without a name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext

from appointments.lifecycle import State
from appointments.models import Allocation, Block, Hold, HoldPurpose
from appointments.proposing import house_hours
from appointments.visits.holdings import KINDS
from clinic import statements
from clinic.models import HoursException, ProviderHours, Resource, ResourceKind, Site, Staff
from clinic.periods import Period, intersect
from clinic.wall_time import instant
from patients.models import Patient
from reminders.views.board.cards import Card, cards_of
from reminders.views.board.layout import Busy, Grid, Item, Kind, grid_of, hours_shown, lay_out

ONE_DAY = timedelta(days=1)

Working = Mapping[tuple[int, date], Sequence[Period]]


@dataclass(frozen=True, slots=True)
class Column:
    """One resource on one local day, with what lies in it in order of time."""

    resource: Resource
    day: date
    grid: Grid
    items: list[Item]

    @property
    def visits(self) -> int:
        return sum(each.kind == Kind.VISIT for each in self.items)


@dataclass(frozen=True, slots=True)
class Taken:
    """A time that is no visit of the reader's: a block, a hold, or one they may not see."""

    words: str
    detail: str = ""
    until: datetime | None = None


class Held(NamedTuple):
    """An allocation: a resource, whose it is, and from when until when."""

    resource_id: int
    appointment_id: int | None
    block_id: int | None
    hold_id: int | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """Columns on rows of the same local hours, and the visits in them."""

    columns: list[Column]
    cards: dict[int, Card]


def of_day(
    site: Site,
    staff: Staff,
    day: date,
    resources: Sequence[Resource],
    *,
    now: datetime,
    cancelled: bool,
) -> Board:
    """A column for each of the `resources` that is at work at `site` on `day`, or has a visit."""
    places = [(each, day) for each in resources]
    return _board(site, staff, places, now=now, cancelled=cancelled, only_here=True)


def of_week(
    site: Site, staff: Staff, resource: Resource, monday: date, *, now: datetime, cancelled: bool
) -> Board:
    """A column for each day of the week of one resource."""
    places = [(resource, monday + number * ONE_DAY) for number in range(7)]
    return _board(site, staff, places, now=now, cancelled=cancelled, only_here=False)


def resources_of(site: Site) -> list[Resource]:
    """Who and what there is at `site`: providers, then rooms, then devices, by name."""
    works_here = Exists(ProviderHours.objects.filter(provider=OuterRef("pk"), site=site))
    comes_here = Exists(HoursException.objects.filter(provider=OuterRef("pk"), site=site))
    here = Q(kind=ResourceKind.PROVIDER) & (works_here | comes_here) | Q(site=site)
    found = Resource.objects.filter(here, kind__in=KINDS, is_active=True)
    return sorted(found, key=lambda row: (KINDS.index(row.kind), row.name, row.pk))


def _board(
    site: Site,
    staff: Staff,
    places: Sequence[tuple[Resource, date]],
    *,
    now: datetime,
    cancelled: bool,
    only_here: bool,
) -> Board:
    if not places:
        return Board([], {})
    days = sorted({day for _, day in places})
    working = _working(site, days, [resource for resource, _ in places])
    held = _held(site, days, places, cancelled=cancelled, now=now)
    visits = {each.appointment_id for each in held if each.appointment_id}
    cards = cards_of(site, staff, visits, now=now)
    busy = _busy(held, cards, staff)
    if only_here:
        seen = {pk for pk, some in busy.items() if any(each.kind == Kind.VISIT for each in some)}
        places = [
            (resource, day)
            for resource, day in places
            if resource.kind != ResourceKind.PROVIDER
            or working[resource.pk, day]
            or resource.pk in seen
        ]
    grids = _grids(site, places, working, busy)
    wholes = {day: _whole(site, day) for day in days}
    columns = [
        Column(
            resource,
            day,
            grids[day],
            lay_out(
                grids[day],
                [each for each in busy[resource.pk] if each.held.overlaps(wholes[day])],
                working[resource.pk, day],
                now=now,
            ),
        )
        for resource, day in places
    ]
    return Board(columns, cards)


def _working(site: Site, days: Sequence[date], resources: Sequence[Resource]) -> Working:
    """When each is to be had."""
    houses = house_hours.load_days(site, days)
    return {(each.pk, day): houses[day].of(each) for day in days for each in resources}


def _held(
    site: Site,
    days: Sequence[date],
    places: Sequence[tuple[Resource, date]],
    *,
    cancelled: bool,
    now: datetime,
) -> list[Held]:
    """What holds the resources; with `cancelled` also what cancelled visits held in the end."""
    standing = Q(active=True) & (Q(hold=None) | Q(expires_at__gt=now))
    last_place = Q(
        active=False,
        appointment__state=State.CANCELLED,
        starts_at__lt=F("appointment__ends_at"),
        ends_at__gt=F("appointment__starts_at"),
    )
    first, last = _whole(site, days[0]), _whole(site, days[-1])
    rows = Allocation.objects.filter(
        standing | last_place if cancelled else standing,
        resource__in=statements.one_of({resource.pk for resource, _ in places}),
        # None lasts longer than a day: so the index need not look further back.
        starts_at__gt=first.starts_at - ONE_DAY,
        starts_at__lt=last.ends_at,
        ends_at__gt=first.starts_at,
    ).order_by("starts_at", "id")
    return [Held(*row) for row in rows.values_list(*Held._fields)]


def _busy(held: Sequence[Held], cards: Mapping[int, Card], staff: Staff) -> dict[int, list[Busy]]:
    """By resource, what holds it and whose it is."""
    blocks = Block.objects.in_bulk({each.block_id for each in held if each.block_id})
    holds = (
        Hold.objects.select_related("held_by", "patient")
        .order_by()
        .in_bulk({each.hold_id for each in held if each.hold_id})
    )
    planned = {hold.patient_id for hold in holds.values() if hold.patient_id}
    seen = set(Patient.objects.seen_by(staff).filter(pk__in=planned).values_list("pk", flat=True))
    found: dict[int, list[Busy]] = defaultdict(list)
    for each in held:
        whole = Period(each.starts_at, each.ends_at)
        if card := cards.get(each.appointment_id or 0):
            body = Period(card.visit.starts_at, card.visit.ends_at)
            busy = Busy(Kind.VISIT, whole, body, card)
        elif each.hold_id:
            busy = Busy(Kind.HOLD, whole, whole, _kept(holds[each.hold_id], seen))
        elif each.block_id:
            block = blocks[each.block_id]
            busy = Busy(Kind.BLOCK, whole, whole, Taken(block.get_kind_display(), block.reason))
        else:
            busy = Busy(Kind.BLOCK, whole, whole, Taken(gettext("Not at this site")))
        found[each.resource_id].append(busy)
    return found


def _kept(hold: Hold, seen: Collection[int | None]) -> Taken:
    if hold.purpose == HoldPurpose.OFFER:
        return Taken(gettext("Offered to the wait-list"), until=hold.expires_at)
    name = (
        hold.patient.display_name if hold.patient and hold.patient_id in seen else gettext("Held")
    )
    return Taken(name, gettext("Held by %(held_by)s") % {"held_by": hold.holder}, hold.expires_at)


def _grids(
    site: Site,
    places: Sequence[tuple[Resource, date]],
    working: Working,
    busy: Mapping[int, Sequence[Busy]],
) -> dict[date, Grid]:
    """One grid a day, all of the same local hours."""
    inside: list[Period] = []
    for resource, day in places:
        # A block may last for days; nobody has to see all of it.
        bodies = [each.body for each in busy.get(resource.pk, ()) if each.kind != Kind.BLOCK]
        inside += intersect([*working[resource.pk, day], *bodies], [_whole(site, day)])
    hours = hours_shown(site.zone, inside)
    return {day: grid_of(day, hours, site.zone) for _, day in places}


def _whole(site: Site, day: date) -> Period:
    return Period(instant(day, 0, site.zone), instant(day + ONE_DAY, 0, site.zone))
