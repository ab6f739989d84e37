"""Shares and lines of a report, and what may be said of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clinic.saying import gettext

# Of fewer than these no share is told: one patient more or less would turn it over.
TOO_FEW = 10


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole` rows."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        """0 to 100; None of too few."""
        return 100 * self.part / self.whole if self.whole >= TOO_FEW else None

    @property
    def words(self) -> str:
        """ "6.1%", or that there are too few to tell."""
        return gettext("too few") if self.percent is None else f"{self.percent:.1f}%"


@dataclass(frozen=True, slots=True)
class Figure:
    """One idea: a share now and in the period before, week by week, and what it counts."""

    name: str
    definition: str
    now: Share
    before: Share
    weeks: Sequence[Share] = ()
    more_is_better: bool = True

    @property
    def change(self) -> float | None:
        """In points of percent; None when one of both periods has too few."""
        if self.now.percent is None or self.before.percent is None:
            return None
        return self.now.percent - self.before.percent

    @property
    def change_words(self) -> str:
        if self.change is None:
            return gettext("nothing to compare with")
        if abs(self.change) < 0.05:
            return gettext("as before")
        sentence = (
            gettext("%(points)s points more than before")
            if self.change > 0
            else gettext("%(points)s points less than before")
        )
        return sentence % {"points": f"{abs(self.change):.1f}"}

    @property
    def is_worse(self) -> bool:
        """Worse by more than a point."""
        gone = self.change or 0.0
        return (gone < -1) if self.more_is_better else (gone > 1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a chart of bars."""

    name: str
    share: Share
    detail: str = ""


# Units of the chart's own drawing; it is scaled by its frame.
WIDTH, HEIGHT, MARGIN = 320, 64, 6


@dataclass(frozen=True, slots=True)
class Line:
    """A line over the weeks; a week of which nothing is told breaks it."""

    pieces: list[str]
    last: tuple[float, float] | None


def line(weeks: Sequence[Share]) -> Line:
    """The points of an SVG polyline for each unbroken piece, zero at the bottom, and the last one.

    A week counts however few visits it has: the line shows its shape, the figure says how many.
    """
    known = [100 * week.part / week.whole if week.whole else None for week in weeks]
    most = max([each for each in known if each is not None], default=0.0) or 1.0
    step = (WIDTH - 2 * MARGIN) / max(len(weeks) - 1, 1)
    pieces: list[list[tuple[float, float]]] = [[]]
    for number, value in enumerate(known):
        if value is None:
            pieces.append([])
            continue
        x = MARGIN + number * step
        y = HEIGHT - MARGIN - value / most * (HEIGHT - 2 * MARGIN)
        pieces[-1].append((round(x, 1), round(y, 1)))
    drawn = [piece for piece in pieces if piece]
    last = drawn[-1][-1] if drawn and known[-1] is not None else None
    return Line([" ".join(f"{x},{y}" for x, y in piece) for piece in drawn], last)


def worst_first(bars: Sequence[Bar], *, more_is_better: bool = True) -> list[Bar]:
    """By share; those of too few at the end, by name."""
    sign = 1 if more_is_better else -1

    def rank(bar: Bar) -> tuple[bool, float, str]:
        return bar.share.percent is None, sign * (bar.share.percent or 0.0), bar.name

    return sorted(bars, key=rank)
