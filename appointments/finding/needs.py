"""What one visit takes: its length, and for how long each kind of resource is held around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments.finding.ticks import TICK, ticks
from clinic.periods import Period
from clinic.protocols.schema import Protocol, SetUp

PROVIDER, ROOM, DEVICE, PATIENT = "provider", "room", "device", "patient"


@dataclass(frozen=True, slots=True)
class Window:
    """Ticks that a resource is held before and after the body of a visit."""

    set_up: int
    clean_up: int


@dataclass(frozen=True, slots=True)
class Need:
    """What one visit takes: ticks of its body, and the window of each kind of resource."""

    body: int
    windows: Mapping[str, Window]

    def held(self, kind: str, starts_at: datetime) -> Period:
        """The whole time for which a resource of `kind` is held by a visit at `starts_at`."""
        window = self.windows[kind]
        return Period(
            starts_at - window.set_up * TICK,
            starts_at + (self.body + window.clean_up) * TICK,
        )


def need_of(protocol: Protocol, areas: Sequence[str], body: int | None = None) -> Need:
    """The need of one visit by `protocol` in `areas`: numbing, then the chair, rounded up.
    `body` (ticks) is the length of a visit that has one already."""
    resources = protocol.resources
    windows = {PROVIDER: _window(resources.provider), ROOM: _window(resources.room)}
    if resources.device is not None:
        windows[DEVICE] = _window(resources.device)
    windows[PATIENT] = Window(0, 0)
    if body is None:
        body = ticks(protocol.numbing_minutes(areas) + protocol.chair_minutes(areas))
    return Need(body, windows)


def body_after(old: Protocol, new: Protocol, areas: Sequence[str], body: int) -> int:
    """The length (ticks) by `new` of a visit that has `body` by `old`: what the protocol asks for,
    unless staff gave the visit a length of its own."""
    return need_of(new, areas).body if body == need_of(old, areas).body else body


def _window(held: SetUp) -> Window:
    return Window(ticks(held.set_up.minutes), ticks(held.clean_up.minutes))
