"""The treatment logs of the demo: what a provider writes after each session, and one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from appointments.charting import drafting, phrasing, reporting, signing
from appointments.charting.fields import (
    COMPLETED,
    OUTCOME,
    of_region,
    of_session,
    of_zone,
    regions,
)
from appointments.charting.log import Log, Value, document_of, log_of
from appointments.models import Appointment
from clinic import access
from clinic.access import Capability
from clinic.models import ResourceKind, Staff
from clinic.protocols import loading
from clinic.protocols.schema import LogField, LogType, Protocol
from config.demo_data.house import HARBOUR, SUNSET, House
from config.demo_data.usual_settings import Between, Way, way_of

_BEFORE = timedelta(hours=5)
# What each house often writes, by who wrote it down for all.
_PHRASES = {
    HARBOUR: (
        "provider",
        "Skin cleansed, make-up and jewellery off.",
        "Test pulse: no reaction after 5 minutes.",
        "Tolerated well; no blisters, no blanching at the end.",
        "Mild redness and swelling as expected.",
        "Cooled for 10 minutes, mineral SPF 50 applied.",
        "Aftercare explained and given in writing.",
    ),
    SUNSET: (
        "rosa",
        "Piel limpia, sin maquillaje ni joyas.",
        "Disparo de prueba: sin reacción a los 5 minutos.",
        "Buena tolerancia; sin ampollas ni palidez al terminar.",
        "Enrojecimiento e hinchazón leves, como se esperaba.",
        "Frío 10 minutos, protector mineral SPF 50 aplicado.",
        "Cuidados posteriores explicados y entregados por escrito.",
    ),
}


def phrases(house: House, *, now: datetime) -> None:
    """What is put into notes by one press, in the language that each site writes in."""
    for slug, (by, *texts) in _PHRASES.items():
        for text in texts:
            phrasing.add(site=house.places[slug].site, text=text, by=house.staff[by], now=now)


def write(visit: Appointment, dice: Random, *, now: datetime) -> None:
    """The log of a visit that was just done, written and signed by who treated."""
    visit = Appointment.objects.select_related("series__patient", "site", "protocol_version").get(
        pk=visit.pk
    )
    protocol = loading.get(visit.protocol_version)
    by = _treated_by(visit)
    if not protocol.session_log or by is None:
        return
    if not access.can(by, Capability.CHART, visit.site):
        return
    log = imagined(protocol, visit.series.areas, dice, series=visit.series_id)
    drafting.save(appointment=visit, log=log, by=by, now=now, expected_version=0)
    signing.sign(appointment=visit, by=by, now=now)


def report(visit: Appointment, *, by: Staff, now: datetime) -> None:
    """The patient calls some days after: a mild one, which waits for a clinician."""
    visit = Appointment.objects.select_related("series__patient", "site").get(pk=visit.pk)
    reporting.report(
        patient=visit.series.patient,
        site=visit.site,
        appointment=visit,
        what="Redness that stays longer than expected",
        severity="mild",
        noticed_at=now - _BEFORE,
        areas=visit.series.areas,
        by=by,
        now=now,
    )


def imagined(protocol: Protocol, areas: Sequence[str], dice: Random, *, series: int) -> Log:
    """A log in which everything is as usual: about what was set in the sessions before."""
    way = way_of(protocol.id, series)

    def told(fields: Mapping[str, LogField], place: str = "") -> dict[str, Value]:
        return {
            each.id: _value(each, way, Random(f"{series} {place} {each.id}"), dice)
            for each in fields.values()
            if each.required or each.id in way
        }

    zone = of_zone(protocol)
    return log_of(
        document_of(
            Log(
                session=told(of_session(protocol)),
                zones={area: told(zone, area) for area in areas} if zone else {},
                regions={
                    region: told(of_region(protocol), region) for region in regions(protocol, areas)
                },
            )
        )
    )


def _value(field: LogField, way: Way, begun: Random, dice: Random) -> Value:
    """`begun` says where the series began; a session may be a step beside it."""
    if field.id == OUTCOME:
        return COMPLETED
    if field.type is LogType.BOOLEAN:
        return bool(way.get(field.id, True))
    usual = way[field.id]
    if not isinstance(usual, Between):
        return usual
    values = usual.values()
    at = begun.randrange(len(values)) + dice.choice((-1, 0, 0, 0, 1))
    return values[min(max(at, 0), len(values) - 1)]


def _treated_by(visit: Appointment) -> Staff | None:
    held = visit.allocations.filter(active=True, resource__kind=ResourceKind.PROVIDER)
    row = held.select_related("resource__staff").first()
    return row.resource.staff if row is not None else None
