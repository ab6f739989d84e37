"""Loads the facts that decide where a visit fits: a constant number of queries per call.

Owns reading hours, credentials, allocations and the patient's other treatments into the pure
values of `availability`. Decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from struct import iter_unpack

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from appointments.allocating import NO_VISIT
from appointments.availability import (
    DEVICE,
    PATIENT,
    PROVIDER,
    ROOM,
    Busy,
    Facts,
    need_of,
)
from appointments.intervals import Treated, spaced
from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.working_time import ProviderTime, SiteTime
from clinic.hours import Period, instant, local
from clinic.models import (
    Closure,
    Credential,
    OpeningHours,
    ProtocolVersion,
    ProviderHours,
    Resource,
    Site,
)
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from patients.models import Patient

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The facts, and the rows behind the ids in them."""

    facts: Facts
    protocol: Protocol
    resources: dict[int, Resource]


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
    provider: Resource | None = None,
    without: Appointment | None = None,
    series_id: int | None = None,
    with_busy: bool = True,
) -> Loaded:
    """The facts of `first_day` to `last_day` (local dates of the site, both included).

    `only` restricts the resources to these ids, `provider` the providers to one. `without` is
    a visit whose own place counts as free. The visits of `series_id` are no *other* treatment.
    Busy times are left out for who does not ask what is free.
    """
    protocol = protocols.get(version)
    need = need_of(protocol, areas)
    eligible = Resource.objects.filter(eligible_at(site, protocol), is_active=True)
    if only:
        eligible = eligible.filter(pk__in=only)
    if provider is not None:
        eligible = eligible.filter(~Q(kind=PROVIDER) | Q(pk=provider.pk))
    rows = {resource.pk: resource for resource in eligible}
    pools = {
        kind: tuple(pk for pk, row in rows.items() if row.kind == kind) for kind in need.windows
    }
    pools[PATIENT] = (patient.resource_id,)
    span = Period(instant(first_day, 0, site.zone), instant(last_day, 24 * 60, site.zone))
    return Loaded(
        Facts(
            site=site_time(site),
            need=need,
            pools=pools,
            providers=provider_times(site, version.modality_id, pools[PROVIDER]),
            busy=busy([*rows, patient.resource_id], span, without) if with_busy else {},
            not_before=now,
            spaced=tuple(spaced(protocol, areas, _treated(patient, series_id, span))),
        ),
        protocol,
        rows,
    )


def eligible_at(site: Site, protocol: Protocol) -> Q:
    """The providers, rooms and devices that a visit by `protocol` at `site` may have."""
    works_here = Exists(ProviderHours.objects.filter(provider=OuterRef("pk"), site=site))
    credentialed = Exists(
        Credential.objects.filter(provider=OuterRef("pk"), modality=protocol.modality)
    )
    eligible = Q(kind=PROVIDER) & Q(works_here) & Q(credentialed)
    eligible |= Q(kind=ROOM, site=site, room_kind=protocol.resources.room_kind)
    if protocol.resources.device is not None:
        eligible |= Q(kind=DEVICE, site=site, modality=protocol.modality)
    return eligible


def site_time(site: Site) -> SiteTime:
    hours = OpeningHours.objects.filter(site=site).order_by("weekday", "opens")
    closures = Closure.objects.filter(site=site).order_by("first_day")
    return SiteTime(
        site.name,
        site.zone,
        tuple(hours.values_list("weekday", "opens", "closes")),
        tuple(closures.values_list("first_day", "last_day", "reason")),
    )


def provider_times(
    site: Site, modality_id: str, providers: Iterable[int]
) -> dict[int, ProviderTime]:
    """The hours at `site` and the credentials for the modality of each provider."""
    ids = tuple(providers)
    weeks = defaultdict(list)
    for hours in ProviderHours.objects.filter(site=site, provider__in=ids):
        weeks[hours.provider_id].append((hours.weekday, hours.starts, hours.ends))
    credentials = defaultdict(list)
    for each in Credential.objects.filter(modality=modality_id, provider__in=ids):
        credentials[each.provider_id].append((each.valid_from, each.valid_until))
    return {pk: ProviderTime(tuple(sorted(weeks[pk])), tuple(credentials[pk])) for pk in ids}


def busy(resources: Sequence[int], span: Period, without: Appointment | None) -> dict[int, Busy]:
    """The active allocations that touch `span`, one packed value per resource.

    The place of `without` counts as free, except where a block stands over it.

    Rows would cost ten times as much: the driver then builds two datetimes for each of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT resource_id,
                   string_agg(
                       timestamptz_send(starts_at) || timestamptz_send(ends_at), ''::bytea
                       ORDER BY starts_at
                   )
            FROM appointments_allocation
            WHERE active AND resource_id = ANY(%s) AND starts_at < %s AND ends_at > %s
              AND (
                  appointment_id IS DISTINCT FROM %s OR EXISTS (
                      SELECT FROM appointments_block_resources over
                      JOIN appointments_block block ON block.id = over.block_id
                      WHERE block.released_at IS NULL
                        AND over.resource_id = appointments_allocation.resource_id
                        AND block.starts_at < appointments_allocation.ends_at
                        AND block.ends_at > appointments_allocation.starts_at
                  )
              )
            GROUP BY resource_id
            """,
            [
                list(resources),
                span.ends_at,
                span.starts_at,
                without.pk if without else NO_VISIT,
            ],
        )
        return {resource: Busy(_unpacked(bytes(packed))) for resource, packed in cursor}


def _unpacked(packed: bytes) -> tuple[Period, ...]:
    """Pairs of PostgreSQL's binary timestamps: microseconds since 2000-01-01, big-endian."""
    return tuple(
        Period(
            _POSTGRES_EPOCH + timedelta(microseconds=starts),
            _POSTGRES_EPOCH + timedelta(microseconds=ends),
        )
        for starts, ends in iter_unpack(">qq", packed)
    )


def _treated(patient: Patient, series_id: int | None, span: Period) -> list[Treated]:
    """The patient's visits of other series, within two years of `span`: the longest interval."""
    margin = timedelta(days=2 * 366)
    visits = (
        Appointment.objects.filter(
            series__patient=patient,
            starts_at__gt=span.starts_at - margin,
            starts_at__lt=span.ends_at + margin,
        )
        .exclude(state__in=(State.CANCELLED, State.NO_SHOW))
        .exclude(series=series_id)
        .select_related("series__protocol_version", "site")
    )
    return [
        Treated(
            local(visit.starts_at, visit.site.zone).date(),
            protocols.get(visit.series.protocol_version),
            frozenset(visit.series.areas),
        )
        for visit in visits
    ]
