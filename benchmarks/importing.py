"""How fast a file of fifty thousand rows comes over, against a bare COPY of as many rows."""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

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


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    built = house.build()
    with tempfile.TemporaryDirectory() as folder:
        settings.PRIVATE_ROOT = Path(folder)
        content = "".join(tables.write([HEADER, *_rows(ROWS)])).encode()
        _bring_over(built, "".join(tables.write([HEADER, *_rows(200, 1_000_000)])).encode())
        step(f"a bare COPY of {ROWS:,} rows")
        floor = ROWS / _copied(content)
        step(f"checking {ROWS:,} rows")
        before = _memory()
        source, checked = _checked(built, content)
        step(f"writing {ROWS:,} rows")
        began = time.perf_counter()
        working.run(source=source, by=built.desk, now=NOW)
        _worked(source, ImportState.DONE)
        ran = time.perf_counter() - began
        grown = _memory() - before
        step("the same file once more")
        written = _written()
        _, again = _bring_over(built, content)
        if _written() != written:
            raise AssertionError("the second run of the same file wrote something")
    visits = Appointment.objects.count()
    step(f"{Patient.objects.count():,} patients, {visits:,} visits")
    both = ROWS / (checked + ran)
    yield Figure("importing", "check, then run", both, "rows/s", floor, 300)
    yield Figure("importing", "the run alone", ROWS / ran, "rows/s", floor, 200)
    yield Figure("importing", "the same file again", ROWS / again, "rows/s", floor, 300)
    yield Figure("importing", f"{ROWS:,} rows, checked and run", checked + ran, "s", 120, 1)
    yield Figure("importing", "memory gained", grown, "MB", 100, 1)


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


def _copied(content: bytes) -> float:
    """Seconds that a bare COPY of these rows takes, each as one JSON value."""
    lines = [json.dumps(line) for line in content.decode().splitlines()[1:]]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bare (row jsonb) ON COMMIT DROP")
        began = time.perf_counter()
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for line in lines:
                copy.write_row((line,))
        return time.perf_counter() - began


def _checked(built: House, content: bytes) -> tuple[Import, float]:
    began = time.perf_counter()
    blocks = (content[at : at + BLOCK] for at in range(0, len(content), BLOCK))
    source = uploading.take_in(
        blocks=blocks, name="bench.csv", site=built.site, by=built.desk, now=NOW
    )
    mapping = naming.offered(source).mapping
    naming.name(source=source, mapping=mapping, by=built.desk, now=NOW)
    working.check(source=source, by=built.desk, now=NOW)
    _worked(source, ImportState.CHECKED)
    return source, time.perf_counter() - began


def _bring_over(built: House, content: bytes) -> tuple[Import, float]:
    began = time.perf_counter()
    source, _ = _checked(built, content)
    working.run(source=source, by=built.desk, now=NOW)
    _worked(source, ImportState.DONE)
    return source, time.perf_counter() - began


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
