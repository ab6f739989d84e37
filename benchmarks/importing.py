"""How fast a file of fifty thousand rows comes over, against a bare COPY of as many rows."""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import connection, transaction

from appointments.importing import naming, tables, uploading, working
from appointments.models import Allocation, Appointment, Import, ImportState, Task
from benchmarks import house
from benchmarks.figures import Figure
from benchmarks.house import NOW, House
from patients.models import Patient

ROWS = int(os.environ.get("IMPORT_ROWS", "50000"))
# Of ten rows two are patients without a visit, seven tell a visit that is over and one to come.
HEADER = (
    *("id", "given name", "family name", "birth date", "phone", "email", "sms consent"),
    *("visit number", "treatment", "area", "date", "status", "provider", "package id", "sessions"),
)
BLOCK = 1 << 16
GROUP = "importing"
# Fifty thousand rows within two minutes.
GOAL = 120 / 50_000

T = TypeVar("T")


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    built = house.build()
    with tempfile.TemporaryDirectory() as folder:
        settings.PRIVATE_ROOT = Path(folder)
        content = "".join(tables.write([HEADER, *_rows(ROWS)])).encode()
        _bring_over(built, "".join(tables.write([HEADER, *_rows(200, 1_000_000)])).encode())
        step(f"a bare COPY of {ROWS:,} rows")
        floor = ROWS / _copied(content).work
        step(f"checking {ROWS:,} rows")
        before = _memory()
        source, checked = _timed(lambda: _checked(built, content))
        step(f"writing {ROWS:,} rows")
        _, ran = _timed(lambda: _run(built, source))
        grown = _memory() - before
        step("the same file once more")
        written = _written()
        _, again = _timed(lambda: _bring_over(built, content))
        if _written() != written:
            raise AssertionError("the second run of the same file wrote something")
    visits = Appointment.objects.count()
    step(f"{Patient.objects.count():,} patients, {visits:,} visits")
    both, goal = checked.work + ran.work, ROWS * GOAL
    yield Figure(GROUP, "check, then run, per CPU second", ROWS / both, "rows/s", floor, 1500)
    yield Figure(GROUP, "the same file again, per CPU second", ROWS / again.work, "rows/s", floor,
                 1500)  # fmt: skip
    yield Figure(GROUP, f"{ROWS:,} rows, CPU of ours and the database", both, "s", goal, 1)
    yield Figure(GROUP, f"{ROWS:,} rows, by the clock", checked.clock + ran.clock, "s", goal, 1)
    yield Figure(GROUP, "memory gained", grown, "MB", 100, 1)


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds by the clock, which others on the machine lengthen, and seconds of work: the CPU of
    this process and of the database's beside it. One waits for the other, so that an idle machine
    needs the seconds of work."""

    clock: float
    work: float


def _timed(act: Callable[[], T]) -> tuple[T, _Took]:
    clock, work = time.perf_counter(), _work()
    found = act()
    return found, _Took(time.perf_counter() - clock, _work() - work)


def _work() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _rows(count: int, first: int = 0) -> Iterator[tuple[str, ...]]:
    """Rows of people with up to four visits of one series each."""
    for number in range(first, first + count):
        person = number // 5
        born = date(1940, 1, 1) + timedelta(days=person * 7919 % 20_000)
        who = (
            f"P{person}",
            f"Given{person % 977}",
            f"Family{person}",
            born.isoformat(),
            f"+1212{2_000_000 + person}",
            f"p{person}@patients.example",
            "yes",
        )
        yield (*who, *_visit(number, person, number % 5))


def _visit(number: int, person: int, nth: int) -> tuple[str, ...]:
    if nth == 0:
        return ("",) * 8
    day = NOW.date() - timedelta(days=person % 300 + 28 * (4 - nth) + 2)
    state = "done"
    if nth == 4 and person % 2:
        day, state = NOW.date() + timedelta(days=1 + person % 300), "booked"
    at = f"{day.isoformat()} {8 + person * 31 % 11:02}:{person * 7 % 12 * 5:02}"
    provider = f"Provider {person % house.PROVIDERS}"
    return (f"V{number}", "RF microneedling", "face", at, state, provider, f"S{person}", "4")


def _copied(content: bytes) -> _Took:
    """What a bare COPY of these rows takes, each as one JSON value."""
    lines = [json.dumps(line) for line in content.decode().splitlines()[1:]]

    def copy_all() -> None:
        with connection.cursor() as cursor, cursor.copy("COPY bare FROM STDIN") as copy:
            for line in lines:
                copy.write_row((line,))

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bare (row jsonb) ON COMMIT DROP")
        return _timed(copy_all)[1]


def _checked(built: House, content: bytes) -> Import:
    blocks = (content[at : at + BLOCK] for at in range(0, len(content), BLOCK))
    source = uploading.take_in(
        blocks=blocks, name="bench.csv", site=built.site, by=built.desk, now=NOW
    )
    mapping = naming.offered(source).mapping
    naming.name(source=source, mapping=mapping, by=built.desk, now=NOW)
    working.check(source=source, by=built.desk, now=NOW)
    _worked(source, ImportState.CHECKED)
    return source


def _run(built: House, source: Import) -> None:
    working.run(source=source, by=built.desk, now=NOW)
    _worked(source, ImportState.DONE)


def _bring_over(built: House, content: bytes) -> None:
    _run(built, _checked(built, content))


def _worked(source: Import, state: ImportState) -> None:
    working.work(clock=lambda: NOW, seconds=3600, only=source)
    source.refresh_from_db()
    if source.state != state:
        raise AssertionError(f"the import is {source.state}: {source.problem}")


def _written() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Patient, Appointment, Allocation, Task))


def _memory() -> float:
    """The most that the process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
