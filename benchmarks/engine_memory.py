"""What a process that sends holds on to: its memory after some messages and after very many.

Run as a program it sends them and says what it holds after each thousand that it is asked for.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import Figure, LeftOut

GROUP = "engine"
FEW, WANTED = 10_000, 1_000_000
# Sending so many takes minutes, and on a machine that does other work much longer.
ASKED = os.environ.get("BENCH_MEMORY", str(WANTED))
MOST = 1.2
SLICE = 10_000


def unfit(asked: str) -> str:
    """Why so many messages cannot be measured, in a sentence; empty when they can."""
    if asked.isascii() and asked.isdigit() and int(asked) > FEW and int(asked) % SLICE == 0:
        return ""
    return (
        f"BENCH_MEMORY={asked} cannot be measured: give {SLICE:,} times a whole number, and more"
        f" than {FEW:,}, with which it is compared."
    )


def figures(step: Callable[[str], None]) -> Iterator[Figure | LeftOut]:
    many_asked = int(ASKED)
    step(f"memory after {many_asked:,} messages")
    command = [sys.executable, "-m", "benchmarks.engine_memory", str(FEW), ASKED]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path.cwd())
    few, many = (int(line) / 1024 for line in told.stdout.split())
    yield Figure(GROUP, f"memory after {many_asked:,} messages", many, "MiB", few, MOST)
    if many_asked < WANTED:
        why = f"BENCH_MEMORY={ASKED} was asked for"
        yield LeftOut(GROUP, f"memory after {WANTED:,} messages", why)


def main(few: int, many: int) -> None:
    """Print the most memory (KiB) that this process has held after `few` and after `many`."""
    import django

    django.setup()
    from benchmarks import engine_load, house
    from clinic.models import ProtocolVersion, Site, Staff
    from patients.models import Patient
    from reminders.sending import dispatch

    built = house.House(
        Site.objects.get(slug="bench"),
        Staff.objects.get(name="Desk"),
        ProtocolVersion.objects.get(protocol="rf_microneedling", status="approved"),
    )
    patients = list(Patient.objects.filter(legal_family="Crowd"))
    for sent in range(0, many, SLICE):
        engine_load.emptied()
        engine_load.fill(built, patients, SLICE, due=house.NOW)
        dispatch.drain(
            clock=lambda: house.NOW,
            seconds=600,
            channel=lambda _: engine_load.NoProvider(),
            rooms={"sms": dispatch.Room(1, 500)},
            write=engine_load.canned,
        )
        if sent + SLICE in (few, many):
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
