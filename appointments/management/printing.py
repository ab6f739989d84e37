"""Places as tables for a terminal, in the site's zone."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from shutil import get_terminal_size
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table

from appointments.proposing.places import Place
from clinic.saying_times import when

# Where the output is no terminal.
WIDTH = 120
ONE_LINE = ("#", "Date", "Time", "Days")
PLACE = ("Date", "Time", "Provider", "Room", "Device")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1),
    )
    for name in columns:
        # Numbers, dates and times stay on one line; names and sentences fold.
        made.add_column(name, no_wrap=name in ONE_LINE, overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def place(at: Place, zone: str) -> tuple[str, str, str, str, str]:
    """The cells of PLACE."""
    starts, ends = (when(each, zone, "en", year=True) for each in (at.starts_at, at.ends_at))
    return (
        starts.day,
        f"{starts.time}–{ends.time}",
        at.provider.name,
        at.room.name,
        at.device.name if at.device else "–",
    )


def rendered(*parts: RenderableType, colour: bool) -> str:
    """The parts as text; names are printed as they are, never as markup."""
    written = StringIO()
    options: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}
    width = get_terminal_size((WIDTH, 0)).columns if colour else WIDTH
    console = Console(file=written, width=width, force_terminal=colour, **options)
    for part in parts:
        console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())
