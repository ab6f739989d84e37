"""Who of the wait-list could have a gap: loads the facts, asks the pure matcher, gives back rows.

The wishes are asked of the database, so that thousands on the list cost as little as a few; the
day is then looked at for the few that are left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from appointments.lifecycle import TO_COME, State
from appointments.models import Answer, Appointment, Gap, Invitation, WaitlistEntry
from appointments.proposing.places import Place
from appointments.waitlist import hearing, overtaken
from appointments.waitlist.gap_places import loaded_for, starts_in
from appointments.waitlist.ranking import Opening, Start, Waiter, in_order, match
from clinic.models import Resource
from clinic.protocols import loading as protocols
from clinic.wall_time import local
from patients.dialling import zones_of
from patients.models import ContactPoint

# So many are looked at for one gap, the first by priority and waiting time; the day is looked at
# until so many have a place.
SHORTLIST, MOST = 60, 10
# Of those whose own wishes bar them, so many are named with the cause.
EXPLAINED = 20
# A visit that begins before the gap may reach into it, by so many minutes at most.
_LONGEST_BEFORE = 4 * 60


@dataclass(frozen=True, slots=True)
class MatchedEntry:
    """An entry that suits a gap, the place that it would have, and why it stands where it does.

    `ripples` when later visits of its series have to move along. A message may reach the patient
    at `hears_at` (UTC) at the earliest; None is never.
    """

    entry: WaitlistEntry
    place: Place
    ripples: bool
    reasons: tuple[str, ...]
    hears_at: datetime | None


@dataclass(frozen=True, slots=True)
class OtherEntry:
    """An entry that does not suit, and why not."""

    entry: WaitlistEntry
    sentence: str


@dataclass(frozen=True, slots=True)
class GapMatches:
    """The entries that suit a gap in order of rank, and some of those that do not."""

    matches: tuple[MatchedEntry, ...]
    others: tuple[OtherEntry, ...]


def matches_of(*, gap: Gap, now: datetime, only: Collection[int] = ()) -> GapMatches:
    """Who could have a gap at `now`; `only` asks for these entries and no others."""
    opening = Opening(gap.starts_at, gap.ends_at, gap.site.zone)
    entries = {entry.pk: entry for entry in _looked_at(gap, opening, only, now=now)}
    waiters = _waiters(list(entries.values()), gap)
    starts: dict[int, list[Start]] = {}
    resources: dict[int, Resource] = {}
    ordered = in_order(opening, list(waiters.values()), now=now)
    days = loaded_for([entries[waiter.id] for waiter in ordered], gap, now=now)
    for waiter, loaded in zip(ordered, days, strict=True):
        if sum(map(bool, starts.values())) >= max(MOST, len(only)):
            del waiters[waiter.id]
            continue
        waiters[waiter.id] = replace(waiter, spaced=loaded.facts.spaced)
        starts[waiter.id] = list(starts_in(loaded, entries[waiter.id], gap))
        resources.update(loaded.resources)
    found = match(opening, list(waiters.values()), starts, now=now)
    heard = _heard([entries[each.id] for each in found.matches], now=now)
    return GapMatches(
        tuple(
            MatchedEntry(
                entries[each.id],
                Place.of(each.start.starts_at, each.start.ends_at, each.start.resources, resources),
                each.ripples,
                each.reasons,
                heard[each.id],
            )
            for each in found.matches
        ),
        tuple(OtherEntry(entries[number], why) for number, why in found.others.items()),
    )


def _heard(entries: Sequence[WaitlistEntry], *, now: datetime) -> dict[int, datetime | None]:
    """When a message may reach each of them, by entry, as the gate will judge it."""
    patients = [entry.patient_id for entry in entries]
    phones = ContactPoint.objects.filter(patient__in=patients, kind="phone", retired_at=None)
    numbers = dict(phones.order_by("is_preferred", "-id").values_list("patient_id", "value"))
    heard = {}
    for entry in entries:
        patient = entry.patient
        zones = [patient.zone] if patient.zone else [entry.site.zone]
        if not patient.zone and patient.pk in numbers:
            zones += zones_of(numbers[patient.pk])
        own = patient.quiet_from, patient.quiet_until
        quiet = (own[0], own[1]) if own[0] is not None and own[1] is not None else None
        heard[entry.pk] = hearing.hears_at(zones, now=now, quiet=quiet)
    return heard


def how_many_may_suit(*, visit: Appointment, now: datetime) -> int:
    """How many at most wait for the treatment of `visit` at its site and could come at its time:
    by their wishes, and the first of them by the intervals of their series too. What is free is
    not asked."""
    opening = Opening(visit.starts_at, visit.ends_at, visit.site.zone)
    waiting = overtaken.still_waiting(site=visit.site, now=now)
    suited = (
        waiting.filter(_may_suit(opening, now=now))
        .filter(protocol_version__modality=visit.protocol_version.modality_id)
        .exclude(patient=visit.series.patient_id)
    )
    first = _rows(suited, SHORTLIST)
    every = suited.count() if len(first) == SHORTLIST else len(first)
    return every - len(first) + len(in_order(opening, [*_waiters(first).values()], now=now))


def _looked_at(
    gap: Gap, opening: Opening, only: Collection[int], *, now: datetime
) -> list[WaitlistEntry]:
    waiting = overtaken.still_waiting(site=gap.site, now=now)
    if only:
        return _rows(waiting.filter(pk__in=only), len(only))
    suited = _rows(waiting.filter(_may_suit(opening, now=now)), SHORTLIST)
    known = [entry.pk for entry in suited]
    return suited + _rows(waiting.exclude(pk__in=known), EXPLAINED)


def _rows(rows: QuerySet[WaitlistEntry], most: int) -> list[WaitlistEntry]:
    loaded = rows.select_related(
        "patient", "site", "series__site", "protocol_version", "appointment", "provider"
    )
    return list(loaded[:most])


def _may_suit(opening: Opening, *, now: datetime) -> Q:
    """The wishes that the database can judge; the matcher judges them all again."""
    day = opening.day
    minutes = [local(at, opening.zone) for at in (opening.starts_at, opening.ends_at)]
    first, end = (there.hour * 60 + there.minute for there in minutes)
    notice = int((opening.ends_at - now) / timedelta(minutes=1))
    return (
        (Q(weekdays=[]) | Q(weekdays__contains=[day.weekday()]))
        & (Q(first_day=None) | Q(first_day__lte=day))
        & (Q(last_day=None) | Q(last_day__gte=day))
        & Q(latest__gte=first - _LONGEST_BEFORE)
        & (Q(earliest__lt=end) if end > first else Q())
        & Q(notice_minutes__lt=notice)
        & (Q(appointment=None) | Q(appointment__starts_at__gt=opening.starts_at))
    )


# --- From rows to facts ---------------------------------------------------------------------------


def _waiters(entries: Sequence[WaitlistEntry], gap: Gap | None = None) -> dict[int, Waiter]:
    """The facts of the entries, by id, in two queries; with how they answered offers of `gap`."""
    series = {entry.series_id for entry in entries if entry.series_id}
    visits = defaultdict(list)
    rows = Appointment.objects.filter(series__in=series).exclude(state=State.CANCELLED)
    for visit in rows.select_related("site").order_by("session"):
        visits[visit.series_id].append(visit)
    answers = dict(
        Invitation.objects.filter(entry__in=entries, offer__gap=gap)
        .order_by("id")
        .values_list("entry_id", "answer")
    )
    return {entry.pk: _waiter(entry, visits[entry.series_id or 0], answers) for entry in entries}


def _waiter(entry: WaitlistEntry, visits: Sequence[Appointment], answers: dict[int, str]) -> Waiter:
    session = entry.appointment.session if entry.appointment else _next_session(visits)
    others = [
        visit for visit in visits if visit.session != session and visit.state != State.NO_SHOW
    ]
    return Waiter(
        id=entry.pk,
        protocol=protocols.get(entry.protocol_version),
        waits_since=entry.created_at,
        session=session,
        days=tuple((visit.session, _day(visit)) for visit in others),
        fixed=frozenset(visit.session for visit in others if _keeps_its_time(visit)),
        comes_at=entry.appointment.starts_at if entry.appointment else None,
        weekdays=frozenset(entry.weekdays),
        earliest=entry.earliest,
        latest=entry.latest,
        first_day=entry.first_day,
        last_day=entry.last_day,
        notice=timedelta(minutes=entry.notice_minutes),
        priority=entry.priority,
        asked=answers.get(entry.pk) in (Answer.EXPIRED, Answer.GONE, Answer.WITHDRAWN),
        declined=answers.get(entry.pk) == Answer.DECLINED,
    )


def _next_session(visits: Sequence[Appointment]) -> int:
    taken = {visit.session for visit in visits}
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


def _keeps_its_time(visit: Appointment) -> bool:
    return visit.is_locked or visit.state not in TO_COME


def _day(visit: Appointment) -> date:
    return local(visit.starts_at, visit.site.zone).date()
