"""Every act that writes a patient's record leaves an entry in the audit trail, in its transaction.

Tests of a folder are watched once its conftest imports `audited`: whatever they have the domain
write is looked at as it is sent to the database. So an act that forgets its entry fails in its own
tests, and a table that is added is watched from its first day.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache
from types import FrameType
from typing import Any

import pytest
from django.db import connection, transaction

from clinic.models import AuditEntry
from patients.models import Patient
from reminders.records import tables

# What hangs on a patient and is not said, done or found out about them.
BESIDE = {
    "appointments_allocation": "a place that follows from the visit",
    "appointments_hold": "a place kept for some minutes",
    "appointments_statuschange": "the history of a visit, which only grows",
    "appointments_patientlink": "made for each message by who writes it",
    "appointments_importrow": "a line of a file, gone after a month",
    "appointments_broughtover": "the key of a row of that file",
    "appointments_task": "work that follows from acts, which are audited themselves",
    "appointments_invitation": "the offer is audited, and so is its answer",
}
# Columns by which the planner is told of a change, and the planner's own.
_OF_THE_PLANNER = {"revision", "planned_revision", "version", "catch_up_at"}
# Who writes a draft is audited as they begin, and what it says as it is signed; not every two
# seconds between.
_UNFINISHED = {
    ("appointments.charting.drafting", "save"),
    # What could not be destroyed is tried again tomorrow.
    ("reminders.records.ending", "_finish"),
}

_VERBS = ("INSERT INTO", "UPDATE ", "DELETE FROM", "ROLLBACK TO")
_WRITES = re.compile(
    r"\b(INSERT INTO|UPDATE|DELETE FROM) \"?((?:patients|appointments|reminders|clinic)_[a-z]+)"
)
_ASSIGNED = re.compile(r'"?([a-z_]+)"? = ')
_APPS = ("appointments", "patients", "reminders")


@dataclass
class _Act:
    """What one transaction wrote, with the savepoints in which it did."""

    written: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    is_audited: bool = False


class Watch:
    """Hears every statement of a connection; `faults` are writes without an entry."""

    def __init__(self) -> None:
        self.clinical = _clinical()
        self.faults: list[str] = []
        # A test without transactions of its own runs in one: its acts are savepoints in that.
        self._within = len(connection.savepoint_ids)
        self._is_within = connection.in_atomic_block
        self._acts: dict[str, _Act] = {}

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        done = execute(sql, params, many, context)
        # Most statements read, and are long.
        if isinstance(sql, str) and any(verb in sql for verb in _VERBS):
            self._hear(sql)
        return done

    def _hear(self, sql: str) -> None:
        if sql.startswith("ROLLBACK TO SAVEPOINT"):
            self._forget(sql.split('"')[1])
            return
        for _, table in _WRITES.findall(sql):
            if table == AuditEntry._meta.db_table:
                self._act().is_audited = True
            elif table in self.clinical and not _is_of_the_planner(table, sql):
                self._note(table, _writer())

    def _note(self, table: str, by: tuple[str, str] | None) -> None:
        if by is not None and by not in _UNFINISHED:
            savepoints = tuple(filter(None, connection.savepoint_ids))
            self._act().written.append((f"{table} by {'.'.join(by)}", savepoints))

    def _act(self) -> _Act:
        if self._is_within:
            inner = connection.savepoint_ids[self._within :]
            return self._acts.setdefault(next(filter(None, inner), ""), _Act())
        for _, done, *_ in connection.run_on_commit:
            if isinstance(done, _Committed):
                return done.act
        committed = _Committed(self, _Act())
        if connection.in_atomic_block:
            transaction.on_commit(committed)
        else:
            self._acts[f"alone {len(self._acts)}"] = committed.act
        return committed.act

    def _forget(self, savepoint: str) -> None:
        """What was taken back needs no entry."""
        self._acts.pop(savepoint, None)
        for act in self._acts.values():
            act.written = [each for each in act.written if savepoint not in each[1]]

    def judge(self, act: _Act) -> None:
        if not act.is_audited:
            self.faults += [said for said, _ in act.written]

    def ended(self) -> list[str]:
        for act in self._acts.values():
            self.judge(act)
        return sorted(set(self.faults))


@dataclass
class _Committed:
    watch: Watch
    act: _Act

    def __call__(self) -> None:
        self.watch.judge(self.act)


@cache
def _clinical() -> frozenset[str]:
    named = {model._meta.db_table for model in tables.paths()} | {Patient._meta.db_table}
    of_records = {each for each in named if each.startswith(("patients_", "appointments_"))}
    assert of_records >= BESIDE.keys(), BESIDE.keys() - of_records
    return frozenset(of_records - BESIDE.keys())


def _is_of_the_planner(table: str, sql: str) -> bool:
    if table != Patient._meta.db_table or not sql.lstrip().startswith("UPDATE"):
        return False
    assigned = sql.partition(" SET ")[2].partition(" WHERE ")[0]
    return set(_ASSIGNED.findall(assigned)) <= _OF_THE_PLANNER


def _writer() -> tuple[str, str] | None:
    """The function of the house that writes; None when a test does it itself."""
    frame: FrameType | None = sys._getframe(3)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("tests."):
            return None
        if name.partition(".")[0] in _APPS and ".models" not in name:
            return name, frame.f_code.co_name
        frame = frame.f_back
    return None


@pytest.fixture(autouse=True)
def audited(request: pytest.FixtureRequest) -> Generator[None]:
    """Fails a test whose acts wrote something of a record without an entry."""
    if request.node.get_closest_marker("django_db") is None:
        yield
        return
    request.getfixturevalue("db")
    watch = Watch()
    with connection.execute_wrapper(watch):
        yield
    assert not watch.ended(), "not audited: " + ", ".join(watch.faults)
