"""The treatment logs of the demo: what a provider writes after each session, and one event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from appointments.charting import drafting, phrasing, reporting, signing
from appointments.charting.fields import of_region, regions
from appointments.charting.log import Log, Value, document_of, log_of
from appointments.models import Appointment
from clinic import access
from clinic.access import Capability
from clinic.models import ResourceKind, Staff
from clinic.protocols import loading
from clinic.protocols.schema import LogField, LogPer, LogType, Protocol
from config.demo_data.house import HARBOUR, SUNSET, House

# What is written where words are asked for; anything else is "as usual".
_WORDS = {
    "device_serial": "As allocated",
    "cartridge_lot": "C-{n}",
    "tip_lot": "T-{n}",
    "transducer_serial": "TR-{n}",
    "anaesthetic": "Lidocaine 5 %, 40 min",
    "analgesia": "None",
    "endpoint": "Even redness",
    "cooling": "Cold air",
    "findings": "Mild laxity, good skin",
}
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
    log = imagined(protocol, visit.series.areas, dice)
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


def imagined(protocol: Protocol, areas: Sequence[str], dice: Random) -> Log:
    """A log in which everything is as usual."""
    session = [each for each in protocol.session_log if each.per is LogPer.SESSION]
    zone = [each for each in protocol.session_log if each.per is LogPer.ZONE]
    return log_of(
        document_of(
            Log(
                session={each.id: _value(each, dice) for each in session if _is_written(each)},
                zones={
                    area: {each.id: _value(each, dice) for each in zone if _is_written(each)}
                    for area in areas
                }
                if zone
                else {},
                regions={
                    region: {each.id: dice.randint(8, 30) for each in of_region(protocol).values()}
                    for region in regions(protocol, areas)
                },
            )
        )
    )


def _is_written(field: LogField) -> bool:
    return field.required or field.id in ("pulses", "lines", "cooling")


def _value(field: LogField, dice: Random) -> Value:
    if field.id == "outcome":
        return "completed"
    if field.type is LogType.ENUM:
        return dice.choice(field.choices[:2])
    if field.type is LogType.BOOLEAN:
        return True
    if field.type in (LogType.STRING, LogType.TEXT):
        return _WORDS.get(field.id, "As usual").format(n=dice.randint(100, 130))
    least = field.minimum if field.minimum is not None else 1
    most = field.maximum if field.maximum is not None else least + 40
    if field.id in ("pulses", "lines"):
        return dice.randint(150, 320)
    number = least + (min(most, least + 40) - least) * dice.uniform(0.2, 0.6)
    return round(number) if field.type is LogType.INTEGER else round(number, 1)


def _treated_by(visit: Appointment) -> Staff | None:
    held = visit.allocations.filter(active=True, resource__kind=ResourceKind.PROVIDER)
    row = held.select_related("resource__staff").first()
    return row.resource.staff if row is not None else None
