"""A figure: what was measured, and the best that the same machine does in the same run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

LATEST = Path(__file__).parent / "out" / "latest.jsonl"


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`, and `floor`: the same quantity at the best that this machine does.

    `ratio` is value over floor for times, floor over value for rates, so that 1 is perfect and
    more is worse. `target` is the largest ratio that is accepted: the goal, or what was seen, with
    room, so that a change that costs much is noticed; None for what is told and has no goal.
    """

    group: str
    name: str
    value: float
    unit: str
    floor: float
    target: float | None = None

    @property
    def ratio(self) -> float:
        return self.floor / self.value if self.unit.endswith("/s") else self.value / self.floor

    @property
    def ok(self) -> bool:
        return self.target is None or self.ratio <= self.target

    def line(self) -> str:
        rounded = {
            **asdict(self),
            "value": round(self.value, 3),
            "floor": round(self.floor, 3),
            "ratio": float(f"{self.ratio:.3g}"),
            "ok": self.ok,
        }
        order = ("group", "name", "value", "unit", "floor", "ratio", "target", "ok")
        return json.dumps({name: rounded[name] for name in order})


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What could not be measured here, and why; that fails nothing."""

    group: str
    name: str
    reason: str

    @property
    def ok(self) -> bool:
        return True

    def line(self) -> str:
        return json.dumps({"group": self.group, "name": self.name, "left_out": self.reason})


@dataclass(frozen=True, slots=True)
class Grid:
    """Counts to look at, as a table of their own; they fail nothing."""

    group: str
    name: str
    columns: list[str]
    rows: list[list[str]]

    @property
    def ok(self) -> bool:
        return True

    def line(self) -> str:
        return json.dumps(asdict(self))


def milliseconds(act: Callable[[], object], *, times: int) -> list[float]:
    """How long each of `times` calls took."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def p50(times: list[float]) -> float:
    return median(times)


def p95(times: list[float]) -> float:
    return quantiles(times, n=20)[18]


def write(figures: Iterable[Figure | LeftOut | Grid]) -> None:
    """One JSON line per figure to benchmarks/out/latest.jsonl."""
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text("".join(f"{figure.line()}\n" for figure in figures), encoding="utf-8")
