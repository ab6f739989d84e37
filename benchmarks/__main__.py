"""Measures, prints a table and writes benchmarks/out/latest.jsonl: `make bench [ONLY=group]`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import engine_memory, figures
from benchmarks.figures import Figure, Grid, LeftOut
from config.embedded import Unusable, services

GROUPS = (
    "engine",
    "scheduling",
    "waitlist",
    "stress",
    "growth",
    "screens",
    "replies",
    "peers",
    "importing",
    "records",
)
STEPS = 6  # about how many each group reports, for the bar


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="?", choices=GROUPS, help="measure one group")
    chosen = parser.parse_args().only
    groups = (chosen,) if chosen else GROUPS
    console = Console()
    if "engine" in groups and (problem := engine_memory.unfit(engine_memory.ASKED)):
        console.print(f"afterglow: {problem}")
        return 1
    measured: list[Figure | LeftOut | Grid] = []
    columns = (TextColumn("{task.description:<40}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("starting", total=STEPS * len(groups))

            def step(words: str) -> None:
                progress.update(bar, description=words, advance=1)

            for group in groups:
                measured += _measured(group, step)
            progress.update(bar, description="done", completed=STEPS * len(groups))
    except (Unusable, Broken) as problem:
        console.print(f"afterglow: {problem}")
        return 1
    figures.write(measured)
    console.print(_table(measured))
    for one in measured:
        if isinstance(one, Grid):
            console.print(_grid(one))
    return 0 if all(figure.ok for figure in measured) else 1


class Broken(Exception):
    """A group ended before it was measured."""


def _measured(group: str, step: Callable[[str], None]) -> Iterator[Figure | LeftOut | Grid]:
    """The figures of a group on services of its own, with durable commits as in production."""
    with tempfile.TemporaryDirectory(prefix="afterglow-") as directory:
        # As root, PostgreSQL's own user has to pass through.
        Path(directory).chmod(0o711)
        with services(Path(directory)) as running:
            addresses = {
                "DATABASE_URL": running.owner_database_url,
                "REDIS_URL": running.redis_url,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
            }
            with subprocess.Popen(
                [sys.executable, "-m", "benchmarks.group", group],
                env=os.environ | addresses,
                stdout=subprocess.PIPE,
                text=True,
            ) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    told = json.loads(line)
                    if "step" in told:
                        step(told["step"])
                    elif "left_out" in told:
                        yield LeftOut(**told["left_out"])
                    elif "grid" in told:
                        yield Grid(**told["grid"])
                    else:
                        yield Figure(**told["figure"])
            if process.returncode:
                raise Broken(f"the group {group} could not be measured (see above)")


def _table(measured: list[Figure | LeftOut | Grid]) -> Table:
    table = Table("group", "figure", "value", "floor", "ratio", "target", "")
    for one in measured:
        if isinstance(one, Grid):
            continue
        if isinstance(one, LeftOut):
            table.add_row(one.group, one.name, "left out", "", "", "", one.reason)
            continue
        table.add_row(
            one.group,
            one.name,
            f"{one.value:,.2f} {one.unit}",
            f"{one.floor:,.2f}",
            f"{one.ratio:.3g}",
            "" if one.target is None else f"≤ {one.target:.3g}",
            _verdict(one),
        )
    return table


def _verdict(figure: Figure) -> str:
    if figure.target is None:
        return "told"
    return "ok" if figure.ok else "[bold red]over[/]"


def _grid(grid: Grid) -> Table:
    table = Table(*grid.columns, title=f"{grid.group}: {grid.name}")
    for row in grid.rows:
        table.add_row(*row)
    return table


if __name__ == "__main__":
    sys.exit(main())
