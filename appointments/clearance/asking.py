"""Which bars stand, from every source, and whether an act may be all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from appointments.clearance import adverse_events, consents, deceased, screening, spacing
from appointments.clearance.bars import Act, Bar, Barred, strictest_first
from appointments.clearance.treatments import Treatment
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from patients.models import Patient

Source = Callable[..., list[list[Bar]]]

SOURCES: tuple[Source, ...] = (
    deceased.bars,
    adverse_events.bars,
    screening.bars,
    spacing.bars,
    consents.bars,
)


def standing(treatments: Sequence[Treatment], *, now: datetime) -> list[tuple[Bar, ...]]:
    """Every bar of each treatment, the strictest first, whatever day and act it is for; a
    constant number of queries."""
    found = [source(treatments, now=now) for source in SOURCES] if treatments else []
    return [
        strictest_first(bar for bars in found for bar in bars[number])
        for number in range(len(treatments))
    ]


def require(
    act: Act,
    treatment: Treatment,
    *,
    days: Sequence[date],
    by: Staff | None,
    now: datetime,
    reason: str = "",
) -> list[list[str]]:
    """Refuse an act that something bars on one of the local `days`.

    A bar with `passes_with` yields to a `reason` of who holds that capability at the site; the
    patient (`by` is None) passes none. Returns the codes of those that yielded, for each day.
    Locks the patient until the end of the transaction, so that nothing they say slips in between.

    Raises:
        Barred: with every bar of the first day that has one; `visit` is the number of that day.
    """
    patient = Patient.objects.select_for_update(no_key=True).get(pk=treatment.patient.pk)
    (bars,) = standing([replace(treatment, patient=patient)], now=now)
    held = access.capabilities(by, treatment.site) if by is not None else frozenset()
    passed = []
    for number, day in enumerate(days):
        in_the_way = [bar for bar in bars if bar.bars(act, day)]
        if not all(_yields(bar, held, reason) for bar in in_the_way):
            refused = Barred(in_the_way)
            refused.visit = number
            raise refused
        passed.append(list(dict.fromkeys(bar.code for bar in in_the_way)))
    return passed


def require_no_worse(
    treatment: Treatment, *, moves: Sequence[tuple[date, date]], now: datetime
) -> None:
    """Refuse to move visits to local days that are barred, where the days before were not.

    `moves` are (day before, day after). Raises Barred with the number of the first of them.
    """
    if all(before == after for before, after in moves):
        return
    (bars,) = standing([treatment], now=now)
    for number, (before, after) in enumerate(moves):
        stood = {bar for bar in bars if bar.bars(Act.BOOK, before)}
        worse = [bar for bar in bars if bar.bars(Act.BOOK, after) and bar not in stood]
        if worse:
            refused = Barred(worse)
            refused.visit = number
            raise refused


def _yields(bar: Bar, held: frozenset[Capability], reason: str) -> bool:
    return bool(reason.strip()) and bar.passes_with in held
