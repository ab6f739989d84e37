"""What a simulated chain sent, as figures: per minute, per hour, by kind, and what held it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from reminders.simulating.playing import SENT, SKIPPED, WAITED, Happened


@dataclass(slots=True)
class Counts:
    """Sums that add up over clinics. `minutes` are sendings by minute (UTC); `waits` and `skips`
    by reason; `sent` by (kind, channel)."""

    minutes: Counter[datetime] = field(default_factory=Counter)
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    households: int = 0

    def add(self, happened: Iterable[Happened]) -> None:
        """Count one household."""
        self.households += 1
        for each in happened:
            if each.decision == SENT:
                self.minutes[each.at.replace(second=0, microsecond=0)] += 1
                self.sent[each.kind, each.channel] += 1
            elif each.decision == WAITED:
                self.waits[each.reason] += 1
            elif each.decision == SKIPPED:
                self.skips[each.reason] += 1

    def __iadd__(self, other: Counts) -> Counts:
        self.minutes += other.minutes
        self.sent += other.sent
        self.waits += other.waits
        self.skips += other.skips
        self.households += other.households
        return self

    def peak(self) -> tuple[datetime, int] | None:
        """The fullest minute and how many it had."""
        return max(self.minutes.items(), key=lambda each: (each[1], each[0]), default=None)

    def share_of_minutes(self, share: float, *, of: int) -> int:
        """So many or fewer are sent in `share` of all `of` minutes, the silent ones included."""
        busy = sorted(self.minutes.values())
        place = max(0, round(share * of) - 1) - (of - len(busy))
        return busy[place] if place >= 0 else 0

    def by_hour(self) -> list[int]:
        """Sendings by hour of the day (UTC)."""
        hours = Counter[int]()
        for minute, count in self.minutes.items():
            hours[minute.hour] += count
        return [hours[hour] for hour in range(24)]
