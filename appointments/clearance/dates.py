"""On which dates something bars booking, as those look at them who propose dates."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from appointments.clearance.asking import standing
from appointments.clearance.bars import Act, Bar, Barred
from appointments.clearance.treatments import Treatment
from appointments.finding.intervals import Spaced
from clinic.protocols.schema import Text

ONE_DAY = timedelta(days=1)


def kept_free(treatment: Treatment, *, now: datetime) -> tuple[Spaced, ...]:
    """The dates on which no visit of the treatment may be booked, with what bars them.

    Raises:
        Barred: when it may not be booked on whatever day: no place is worth looking at.
    """
    (bars,) = standing([treatment], now=now, acts=frozenset({Act.BOOK}))
    asked = [bar for bar in bars if Act.BOOK in bar.acts]
    for_good = [bar for bar in asked if bar.since is None and bar.until is None]
    if for_good:
        raise Barred(for_good)
    return tuple(_spaced(bar) for bar in asked)


def _spaced(bar: Bar) -> Spaced:
    first, after = bar.since or date.min + ONE_DAY, bar.until or date.max
    return Spaced(first, Text("", ""), first - ONE_DAY, after, strict=True, sentence=bar.sentence)
