"""Bars from treatments that were done: too near to another one of the same place.

Booking asks for the times between treatments by itself (`claiming.checking`), for all that are
planned; here is what really happened since. What was booked so on purpose bars nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from appointments.clearance.bars import Act, Bar, Outcome
from appointments.clearance.treatments import Treatment
from appointments.finding.intervals import Spaced, Treated, spaced
from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.refusals import SpacingTooShort
from clinic import statements
from clinic.access import Capability
from clinic.protocols import loading
from clinic.retelling import day, either, kept
from clinic.saying import gettext, language
from clinic.wall_time import local


def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]:
    starting = [each for each in treatments if each.visit is not None]
    done = _done({each.patient.pk for each in starting}) if starting else {}
    return [
        [
            bar
            for bar in _bars(each, done.get(each.patient.pk, ()))
            if bar.until is not None and bar.until > local(now, each.site.zone).date()
        ]
        for each in treatments
    ]


def _done(patients: Collection[int]) -> dict[int, list[tuple[int, Treated]]]:
    """By patient what was done to them, each with its series."""
    rows = list(
        Appointment.objects.filter(
            series__patient__in=statements.one_of(patients), state=State.DONE
        )
        .order_by("id")
        .values_list(
            "series__patient",
            "series",
            "series__areas",
            "starts_at",
            "site__zone",
            "protocol_version",
            "protocol_version__digest",
        )
    )
    protocols = loading.by_digest({digest: version for *_, version, digest in rows})
    found = defaultdict(list)
    for patient, series, areas, starts_at, zone, _, digest in rows:
        treated = Treated(local(starts_at, zone).date(), protocols[digest], frozenset(areas))
        found[patient].append((series, treated))
    return found


def _bars(treatment: Treatment, done: Sequence[tuple[int, Treated]]) -> list[Bar]:
    visit = treatment.visit
    if visit is None or SpacingTooShort.code in visit.overrides:
        return []
    others = [treated for series, treated in done if series != visit.series_id]
    return [_bar(each) for each in spaced(treatment.protocol, treatment.areas, others)]


def _bar(near: Spaced) -> Bar:
    return Bar(
        code="spacing_too_short",
        acts=frozenset({Act.START}),
        outcome=Outcome.BLOCK if near.strict else Outcome.DEFER,
        stored=kept(
            "%(near)s was done on %(day)s. The first valid date after it is %(before)s.",
            near=either(near.name.en, near.name.es),
            day=day(near.day),
            before=day(near.before),
        ),
        flag=gettext("too soon after %(name)s") % {"name": near.name.get(language())},
        since=near.day,
        until=near.before,
        rule=gettext("The protocols keep treatments of one area apart."),
        passes_with="" if near.strict else Capability.OVERRIDE_CLEARANCE,
    )
