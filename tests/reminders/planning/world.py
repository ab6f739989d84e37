"""Facts for planning tests: one site, one protocol, visits at known wall times. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from appointments.lifecycle import State
from clinic import wall_time
from clinic.protocols import reading
from clinic.protocols.schema import Protocol
from reminders.planning.facts import (
    Item,
    PatientFacts,
    SeriesFacts,
    SiteFacts,
    VisitFacts,
)
from reminders.planning.merging import Wanted
from reminders.planning.plans import Plan, plan

LIBRARY = Path(reading.__file__).parent / "library"
NEW_YORK = "America/New_York"
SITE = SiteFacts(id=1, name="Harbour", zone=NEW_YORK, hold=timedelta(minutes=3))
NINETY = timedelta(minutes=90)


def protocol(name: str = "rf_microneedling") -> Protocol:
    file = LIBRARY / f"{name}.toml"
    return reading.read(file.read_text(encoding="utf-8"), filename=file.name)


def wall(text: str, zone: str = NEW_YORK) -> datetime:
    """ "2027-03-12 10:00" on the clock of `zone`, as an instant."""
    return wall_time.resolve(datetime.fromisoformat(text), zone)


def visit(
    number: int = 1,
    starts: str = "2027-04-12 10:00",
    scheduled: str = "2027-02-15 09:00",
    site: SiteFacts = SITE,
    **changes: object,
) -> VisitFacts:
    starts_at = wall(starts, site.zone)
    facts = VisitFacts(
        id=number,
        session=number,
        site=site,
        state=State.BOOKED,
        starts_at=starts_at,
        ends_at=starts_at + NINETY,
        schedule_version=1,
        scheduled_at=wall(scheduled, site.zone),
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def series(
    *visits: VisitFacts, id: int = 1, name: str = "rf_microneedling", **changes: object
) -> SeriesFacts:
    facts = SeriesFacts(
        id=id,
        site=SITE,
        protocol=protocol(name),
        areas=("face",),
        sessions=len(visits),
        is_closed=False,
        visits=visits,
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def patient(*all_series: SeriesFacts, spoken: frozenset[Item] = frozenset()) -> PatientFacts:
    return PatientFacts(id=1, is_deceased=False, series=all_series, spoken=spoken)


def planned(*visits: VisitFacts, skips: frozenset[tuple[int, str, str]] = frozenset()) -> Plan:
    return plan(patient(series(*visits, skips=skips)))


def of_kind(messages: tuple[Wanted, ...], kind: str, channel: str = "sms") -> list[Wanted]:
    return [one for one in messages if one.kind == kind and one.channel == channel]


def sent(messages: tuple[Wanted, ...]) -> list[Wanted]:
    return [one for one in messages if not one.skip]


def said(*messages: Wanted) -> frozenset[Item]:
    return frozenset(item for message in messages for item in message.items)
