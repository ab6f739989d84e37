"""Plays a chain of clinics in virtual time and says how many messages it would send, and when."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context
from os import cpu_count
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from appointments.management.printing import rendered, table
from clinic.protocols.loading import LIBRARY
from clinic.wall_time import MINUTES_A_DAY
from reminders.catalogue import REASONS
from reminders.simulating.chain import of_clinic
from reminders.simulating.counting import Counts

# Characters of the longest bar of the chart.
BAR = 60


class Command(BaseCommand):
    help = (
        "Plays imagined clinics through the plan and the gate of production, in virtual time and "
        "without a database: messages per minute, peaks, what waits and what is skipped, and why."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clinics", type=_positive, default=150)
        parser.add_argument("--days", type=_positive, default=30)
        parser.add_argument("--visits", type=_positive, default=12, help="of a working day, each")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="default: today")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same chain")
        parser.add_argument("--json", action="store_true", help="one JSON document, for a program")

    def handle(self, *args: Any, **options: Any) -> None:
        chain = {name: options[name] for name in ("clinics", "days", "visits", "seed")}
        chain["first"] = options["first"] or timezone.now().date()
        total = Counts()
        for counts in _played(**chain):
            total += counts
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(total, chain), indent=2))
        else:
            self.stdout.write(_as_text(total, chain, colour=self.stdout.isatty()))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is not a whole number from 1 on")
    return int(text)


def _played(*, clinics: int, **chain: Any) -> Iterator[Counts]:
    """Clinics side by side, in processes that share nothing with this one."""
    processes = min(clinics, cpu_count() or 1)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        played = pool.map(partial(of_clinic, library=LIBRARY, **chain), range(clinics))
        console = Console(stderr=True)
        yield from track(played, "Playing", total=clinics, console=console, transient=True)


def _figures(total: Counts, chain: dict[str, Any]) -> dict[str, str | int | float]:
    minutes = chain["days"] * MINUTES_A_DAY
    at, most = total.peak() or (None, 0)
    return {
        "households": total.households,
        "sent": total.minutes.total(),
        "sent a day": round(total.minutes.total() / chain["days"]),
        "a minute, on average": round(total.minutes.total() / minutes, 1),
        "a minute, 99 of 100": total.share_of_minutes(0.99, of=minutes),
        "a minute, at most": most,
        "the fullest minute": f"{at:%Y-%m-%d %H:%M} UTC" if at else "none",
    }


def _as_json(total: Counts, chain: dict[str, Any]) -> dict[str, Any]:
    return {
        "chain": {**chain, "first": chain["first"].isoformat()},
        "figures": _figures(total, chain),
        "sent": [
            {"kind": kind, "channel": channel, "count": count}
            for (kind, channel), count in total.sent.most_common()
        ],
        "waits": dict(total.waits.most_common()),
        "skips": dict(total.skips.most_common()),
        "by_hour_utc": total.by_hour(),
    }


def _as_text(total: Counts, chain: dict[str, Any], *, colour: bool) -> str:
    title = f"{chain['clinics']} clinics, {chain['days']} days from {chain['first']}"
    figures = [
        (name, f"{value:,}" if name != "the fullest minute" else str(value))
        for name, value in _figures(total, chain).items()
    ]
    sent = [(kind, channel, f"{count:,}") for (kind, channel), count in total.sent.most_common()]
    return rendered(
        table(title, ("", "Count"), figures),
        table("Sent", ("Kind", "By", "Count"), sent),
        table("Had to wait", ("Reason", "Count", "That is"), _reasons(total.waits)),
        table("Not sent", ("Reason", "Count", "That is"), _reasons(total.skips)),
        table("By hour of the day (UTC)", ("Hour", "Count", ""), _chart(total.by_hour())),
        colour=colour,
    )


def _reasons(counted: Counter[str]) -> list[tuple[str, str, str]]:
    return [(name, f"{count:,}", REASONS[name]) for name, count in counted.most_common()]


def _chart(hours: list[int]) -> list[tuple[str, str, str]]:
    most = max(*hours, 1)
    return [
        (f"{hour:02}", f"{count:,}", "█" * round(BAR * count / most))
        for hour, count in enumerate(hours)
    ]
