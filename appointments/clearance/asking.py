"""Which bars stand, from every source, and whether an act may be all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from appointments.clearance import (
    adverse_events,
    closed_records,
    consents,
    earliness,
    screening,
    spacing,
)
from appointments.clearance.bars import BOTH, Act, Bar, Barred, strictest_first
from appointments.clearance.treatments import Treatment
from clinic import access, statements
from clinic.models import Site, Staff
from patients.models import Patient

Source = Callable[..., list[list[Bar]]]

# Each with the acts that it may bar: who books is not asked for what only starting needs.
SOURCES: tuple[tuple[Source, frozenset[Act]], ...] = (
    (closed_records.bars, BOTH),
    (adverse_events.bars, BOTH),
    (screening.bars, BOTH),
    (spacing.bars, frozenset({Act.START})),
    (consents.bars, frozenset({Act.START})),
    (earliness.bars, frozenset({Act.START})),
)


def standing(
    treatments: Sequence[Treatment], *, now: datetime, acts: frozenset[Act] = BOTH
) -> list[tuple[Bar, ...]]:
    """Every bar of each treatment, the strictest first, whatever day it is for, from the sources
    that may bar one of `acts`; a constant number of queries."""
    asked = [(source, barred) for source, barred in SOURCES if barred & acts and treatments]
    found = []
    for source, barred in asked:
        found.append(source(treatments, now=now))
        if any(not bar.acts <= barred for bars in found[-1] for bar in bars):
            raise AssertionError(f"{source.__module__} bars more than it says in SOURCES")
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
    [patient] = statements.where(Patient, "id = %s FOR NO KEY UPDATE", [treatment.patient.pk])
    asked = [replace(treatment, patient=patient)]
    (bars,) = standing(asked, now=now, acts=frozenset({act}))
    passed = []
    for number, day in enumerate(days):
        in_the_way = [bar for bar in bars if bar.bars(act, day)]
        if in_the_way and not _yield(in_the_way, reason, by, treatment.site):
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
    (bars,) = standing([treatment], now=now, acts=frozenset({Act.BOOK}))
    for number, (before, after) in enumerate(moves):
        stood = {bar for bar in bars if bar.bars(Act.BOOK, before)}
        worse = [bar for bar in bars if bar.bars(Act.BOOK, after) and bar not in stood]
        if worse:
            refused = Barred(worse)
            refused.visit = number
            raise refused


def _yield(bars: Sequence[Bar], reason: str, by: Staff | None, site: Site) -> bool:
    """Whether all of them let a reason of `by` through."""
    if by is None or not reason.strip():
        return False
    return access.capabilities(by, site).issuperset(bar.passes_with for bar in bars)
