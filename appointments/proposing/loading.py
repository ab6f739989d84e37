"""Loads the facts that decide where a visit fits: three queries, however much there is.

One for the house (resources, hours, exceptions, credentials, settings), one for what is taken,
one for the patient's other visits. Owns turning them into the pure values of `availability`.
Decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from appointments.finding import ticks
from appointments.finding.availability import NO_TIME, Facts
from appointments.finding.intervals import Spaced, Treated, spaced
from appointments.finding.local_days import Ints
from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM, need_of
from appointments.finding.plans import Weights
from appointments.finding.ticks import TICK_SECONDS
from appointments.finding.working_time import Exceptions, ProviderTime, SiteTime
from appointments.models import Hold
from clinic import statements
from clinic.models import Credential, HoursException, ProtocolVersion, ProviderHours, Resource, Site
from clinic.periods import Period
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from clinic.wall_time import instant, local
from patients.models import Patient

# PostgreSQL counts the microseconds since 2000-01-01T00:00Z.
_TICK_MICROSECONDS = TICK_SECONDS * 1_000_000
_POSTGRES_EPOCH_TICK = 946_684_800 // TICK_SECONDS
# No interval or spacing of a protocol is longer.
_MARGIN = timedelta(days=2 * 366)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The facts, the rows behind the ids in them, and the site's weights of plans."""

    facts: Facts
    protocol: Protocol
    resources: dict[int, Resource]
    weights: Weights
    site: Site


def load(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    first_day: date,
    last_day: date,
    now: datetime,
    only: Collection[int] = (),
    without: Collection[int] = (),
    holding: Hold | None = None,
    series_id: int | None = None,
    body: int | None = None,
    with_busy: bool = True,
    kept_free: Sequence[Spaced] = (),
) -> Loaded:
    """The facts of `first_day` to `last_day` (local dates of the site, both included).

    `only` restricts the resources to these ids. What the visits `without` (ids) and the hold
    `holding` have counts as free. The visits of `series_id` are no *other* treatment. `body`
    (ticks) is the length to look for, else that of the protocol. Busy times are left out for who
    does not ask what is free. `kept_free` are dates that are not to be had.
    """
    protocol = protocols.get(version)
    house = _house(site, protocol, only)
    span = Period(instant(first_day, 0, site.zone), instant(last_day, 24 * 60, site.zone))
    held = [*house.resources, patient.resource_id]
    return _loaded(
        Wanted(patient, version, areas, series_id, body),
        house,
        site=site,
        visits=_visits([patient], span)[patient.pk],
        taken=busy(held, span, now, without, holding) if with_busy else {},
        days=(first_day, last_day),
        now=now,
        without=without,
        kept_free=kept_free,
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A visit of a patient by a version, in areas of it; the visits of `series_id` are no *other*
    treatment. `body` (ticks) is its length where that is not the protocol's."""

    patient: Patient
    version: ProtocolVersion
    areas: Sequence[str]
    series_id: int | None = None
    body: int | None = None


def load_each(
    wanted: Sequence[Wanted], *, site: Site, first_day: date, last_day: date, now: datetime
) -> list[Loaded]:
    """As `load`, for many patients: in two queries, and one for each modality with its rooms."""
    houses: dict[tuple[object, ...], _House] = {}
    house_of = []
    for each in wanted:
        protocol = protocols.get(each.version)
        needs = protocol.resources
        key = protocol.modality, needs.room_kind, needs.device is not None
        if key not in houses:
            houses[key] = _house(site, protocol, ())
        house_of.append(houses[key])
    span = Period(instant(first_day, 0, site.zone), instant(last_day, 24 * 60, site.zone))
    held = {pk for house in houses.values() for pk in house.resources}
    held |= {each.patient.resource_id for each in wanted}
    taken = busy(sorted(held), span, now)
    visits = _visits([each.patient for each in wanted], span)
    return [
        _loaded(
            each,
            house,
            site=site,
            visits=visits[each.patient.pk],
            taken=taken,
            days=(first_day, last_day),
            now=now,
        )
        for each, house in zip(wanted, house_of, strict=True)
    ]


def _loaded(
    wanted: Wanted,
    house: _House,
    *,
    site: Site,
    visits: Sequence[_Visit],
    taken: dict[int, Ints],
    days: tuple[date, date],
    now: datetime,
    without: Collection[int] = (),
    kept_free: Sequence[Spaced] = (),
) -> Loaded:
    protocol = protocols.get(wanted.version)
    need = need_of(protocol, wanted.areas, wanted.body)
    pools = {
        kind: tuple(sorted(pk for pk, row in house.resources.items() if row.kind == kind))
        for kind in need.windows
    }
    pools[PATIENT] = (wanted.patient.resource_id,)
    first_day, last_day = days
    facts = Facts(
        site=house.site,
        need=need,
        pools=pools,
        providers=house.providers,
        busy=taken,
        not_before=now,
        first_day=first_day,
        last_day=last_day,
        spaced=(
            *spaced(protocol, wanted.areas, _treated(visits, wanted.series_id)),
            *kept_free,
        ),
        away=_away(visits, site, house.travel, without),
    )
    return Loaded(facts, protocol, house.resources, house.weights, site)


def eligible_at(site: Site, protocol: Protocol) -> Q:
    """The providers, rooms and devices that a visit by `protocol` at `site` may have."""
    works_here = Exists(ProviderHours.objects.filter(provider=OuterRef("pk"), site=site))
    comes_here = Exists(HoursException.objects.filter(provider=OuterRef("pk"), site=site))
    credentialed = Exists(
        Credential.objects.filter(provider=OuterRef("pk"), modality=protocol.modality)
    )
    eligible = Q(kind=PROVIDER) & (Q(works_here) | Q(comes_here)) & Q(credentialed)
    eligible |= Q(kind=ROOM, site=site, room_kind=protocol.resources.room_kind)
    if protocol.resources.device is not None:
        eligible |= Q(kind=DEVICE, site=site, modality=protocol.modality)
    return eligible


# --- The house ------------------------------------------------------------------------------------

# The conditions of `eligible_at`, written out: everything comes in one row.
_HOUSE = """
WITH eligible AS (
  SELECT id, kind, name, site_id, staff_id, room_kind, modality_id, serial, is_active
    FROM clinic_resource resource
   WHERE is_active AND (cardinality(%(only)s::bigint[]) = 0 OR id = ANY(%(only)s))
     AND (kind = 'provider'
          AND (EXISTS (SELECT FROM clinic_providerhours
                        WHERE provider_id = resource.id AND site_id = %(site)s)
               OR EXISTS (SELECT FROM clinic_hoursexception
                           WHERE provider_id = resource.id AND site_id = %(site)s))
          AND EXISTS (SELECT FROM clinic_credential
                       WHERE provider_id = resource.id AND modality_id = %(modality)s)
          OR kind = 'room' AND site_id = %(site)s AND room_kind = %(room_kind)s
          OR kind = 'device' AND site_id = %(site)s AND modality_id = %(modality)s
             AND %(has_device)s)
)
SELECT
  (SELECT json_agg(eligible ORDER BY id) FROM eligible),
  (SELECT json_agg(json_build_array(weekday, opens, closes) ORDER BY weekday, opens)
     FROM clinic_openinghours WHERE site_id = %(site)s),
  (SELECT json_agg(json_build_array(first_day, last_day, reason) ORDER BY first_day)
     FROM clinic_closure WHERE site_id = %(site)s),
  (SELECT json_agg(json_build_array(provider_id, day, starts, ends, reason) ORDER BY day, starts)
     FROM clinic_hoursexception
    WHERE site_id = %(site)s
      AND (provider_id IS NULL OR provider_id IN (SELECT id FROM eligible))),
  (SELECT json_agg(json_build_array(provider_id, weekday, starts, ends) ORDER BY weekday, starts)
     FROM clinic_providerhours
    WHERE site_id = %(site)s AND provider_id IN (SELECT id FROM eligible)),
  (SELECT json_agg(json_build_array(provider_id, valid_from, valid_until) ORDER BY valid_from)
     FROM clinic_credential
    WHERE modality_id = %(modality)s AND provider_id IN (SELECT id FROM eligible)),
  (SELECT json_agg(json_build_array(CASE site_id WHEN %(site)s THEN other_id ELSE site_id END,
                                    minutes))
     FROM clinic_traveltime WHERE %(site)s IN (site_id, other_id)),
  (SELECT to_json(settings) FROM appointments_schedulingsettings settings
    WHERE site_id = %(site)s)
"""


@dataclass(frozen=True, slots=True)
class _House:
    """`travel` are the minutes to each other site."""

    resources: dict[int, Resource]
    site: SiteTime
    providers: dict[int, ProviderTime]
    travel: dict[int, int]
    weights: Weights


def _house(site: Site, protocol: Protocol, only: Collection[int]) -> _House:
    [(*lists, settings)] = statements.rows(
        _HOUSE,
        {
            "only": list(only),
            "site": site.pk,
            "modality": protocol.modality,
            "room_kind": protocol.resources.room_kind,
            "has_device": protocol.resources.device is not None,
        },
    )
    rows, opening, closures, other_hours, hours, credentials, travel = (
        each or [] for each in lists
    )
    columns = [*rows[0]] if rows else []
    resources = {row["id"]: Resource.from_db(None, columns, row.values()) for row in rows}
    weeks, valid = defaultdict(list), defaultdict(list)
    for provider, *stretch in hours:
        weeks[provider].append(tuple(stretch))
    for provider, first, last in credentials:
        valid[provider].append((date.fromisoformat(first), last and date.fromisoformat(last)))
    return _House(
        resources,
        SiteTime(
            site.name,
            site.zone,
            tuple(tuple(stretch) for stretch in opening),
            tuple((date.fromisoformat(a), date.fromisoformat(b), why) for a, b, why in closures),
            _exceptions(None, other_hours),
            _reasons(None, other_hours),
        ),
        {
            pk: ProviderTime(
                tuple(weeks[pk]),
                tuple(valid[pk]),
                _exceptions(pk, other_hours),
                _reasons(pk, other_hours),
            )
            for pk, each in resources.items()
            if each.kind == PROVIDER
        },
        dict(travel),
        _weights(settings or {}),
    )


def _exceptions(provider: int | None, rows: Iterable[Sequence[Any]]) -> Exceptions:
    """Those of one provider, or of the site, by day. A row without times is a day without any."""
    by_day: dict[date, tuple[tuple[int, int], ...]] = {}
    for who, day, starts, ends, _ in rows:
        if who == provider:
            on = date.fromisoformat(day)
            stretch = () if starts is None else ((starts, ends),)
            by_day[on] = (*by_day.get(on, ()), *stretch)
    return by_day


def _reasons(provider: int | None, rows: Iterable[Sequence[Any]]) -> dict[date, str]:
    return {date.fromisoformat(day): why for who, day, *_, why in rows if who == provider}


def _weights(settings: Mapping[str, Any]) -> Weights:
    known = {each.name for each in fields(Weights)}
    return Weights(**{name: value for name, value in settings.items() if name in known})


# --- What is taken --------------------------------------------------------------------------------

# One packed value per resource: rows would cost ten times as much, for the driver then builds two
# datetimes for each of them. An allocation lasts a day at most, so none that began before the day
# before reaches into the span; without that bound the whole past would be read.
BUSY = """
SELECT resource_id,
       string_agg(timestamptz_send(starts_at) || timestamptz_send(ends_at), ''::bytea
                  ORDER BY starts_at)
  FROM appointments_allocation held
 WHERE active AND resource_id = ANY(%(resources)s)
   AND starts_at >= %(first)s - interval '1 day' AND starts_at < %(end)s AND ends_at > %(first)s
   AND (expires_at IS NULL OR expires_at > %(now)s)
   AND coalesce(hold_id, 0) <> %(hold)s
   AND (coalesce(appointment_id, 0) <> ALL(%(visits)s)
        OR EXISTS (SELECT FROM appointments_block_resources over
                     JOIN appointments_block block ON block.id = over.block_id
                    WHERE block.released_at IS NULL AND over.resource_id = held.resource_id
                      AND block.starts_at < held.ends_at AND block.ends_at > held.starts_at))
 GROUP BY resource_id
"""


def busy(
    resources: Sequence[int],
    span: Period,
    now: datetime,
    without: Collection[int] = (),
    holding: Hold | None = None,
) -> dict[int, Ints]:
    """The ticks that active allocations take in `span`, as rows [first, end) by resource.

    Holds that have run out by `now` take none. What the visits `without` and the hold `holding`
    have counts as free, except where a block stands over the visit.
    """
    asked: dict[str, Any] = {
        "resources": list(resources),
        "first": span.starts_at,
        "end": span.ends_at,
        "now": now,
        "visits": list(without),
        "hold": holding.pk if holding else -1,
    }
    with connection.cursor() as cursor:
        cursor.execute(BUSY, asked)
        return {resource: _unpacked(packed) for resource, packed in cursor}


def _unpacked(packed: bytes) -> Ints:
    """Pairs of PostgreSQL's binary timestamps: microseconds since 2000-01-01, big-endian."""
    micros = np.frombuffer(packed, dtype=">i8").astype(np.int64).reshape(-1, 2)
    first = micros[:, 0] // _TICK_MICROSECONDS
    end = -(-micros[:, 1] // _TICK_MICROSECONDS)
    return np.stack([first, end], axis=1) + _POSTGRES_EPOCH_TICK


# --- The patients' other visits ------------------------------------------------------------------

_VISITS = """
SELECT series.patient_id, visit.id, visit.series_id, visit.site_id, site.zone,
       visit.starts_at, visit.ends_at, series.areas, version.id, version.digest
  FROM appointments_appointment visit
  JOIN appointments_treatmentseries series ON series.id = visit.series_id
  JOIN clinic_protocolversion version ON version.id = visit.protocol_version_id
  JOIN clinic_site site ON site.id = visit.site_id
 WHERE series.patient_id = ANY(%(patients)s) AND visit.state NOT IN ('cancelled', 'no_show')
   AND visit.starts_at > %(first)s AND visit.starts_at < %(end)s
"""


@dataclass(frozen=True, slots=True)
class _Visit:
    id: int
    series_id: int
    site_id: int
    zone: str
    starts_at: datetime
    ends_at: datetime
    areas: list[str]
    version_id: int
    digest: str


def _visits(patients: Sequence[Patient], span: Period) -> dict[int, list[_Visit]]:
    """The standing visits of each patient within two years of `span`."""
    found: dict[int, list[_Visit]] = {patient.pk: [] for patient in patients}
    asked = {
        "patients": list(found),
        "first": span.starts_at - _MARGIN,
        "end": span.ends_at + _MARGIN,
    }
    for patient, *row in statements.rows(_VISITS, asked):
        found[patient].append(_Visit(*row))
    return found


def _treated(visits: Iterable[_Visit], series_id: int | None) -> list[Treated]:
    others = [visit for visit in visits if visit.series_id != series_id]
    known = protocols.by_digest({visit.digest: visit.version_id for visit in others})
    return [
        Treated(
            local(visit.starts_at, visit.zone).date(), known[visit.digest], frozenset(visit.areas)
        )
        for visit in others
    ]


def _away(
    visits: Iterable[_Visit], site: Site, travel: Mapping[int, int], without: Collection[int]
) -> Ints:
    """The ticks in which the patient is at another site, or on the way there or back."""
    rows = [
        (
            ticks.floor(visit.starts_at - timedelta(minutes=travel.get(visit.site_id, 0))),
            ticks.ceil(visit.ends_at + timedelta(minutes=travel.get(visit.site_id, 0))),
        )
        for visit in visits
        if visit.site_id != site.pk and visit.id not in without
    ]
    return np.array(sorted(rows), dtype=np.int64).reshape(-1, 2) if rows else NO_TIME
