"""Side by side with a peer on the same rows: 60 days of free slots of one staff member.

One works nine to five with slots of 30 minutes and 12 appointments a day; what is more than the
60 days hold lies in the past. The peer, django-appointment, is asked by its own function for each
day; it knows one staff member and no rooms, and is run in an environment of its own below this
folder. Ours answers with a free room and device as well. The figure's floor is the peer's time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import psycopg
from django.db import connection
from django.utils import timezone

from appointments import proposing
from appointments.models import Block, BlockKind
from appointments.proposing.places import Place
from benchmarks import calendars, house, peer_side
from benchmarks.figures import Figure, LeftOut, milliseconds, p50
from benchmarks.house import House
from benchmarks.peer_side import CLOSES, DAYS, OPENS, SLOT, ZONE
from clinic.models import OpeningHours, ProviderHours, Resource, ResourceKind
from clinic.wall_time import instant, local
from config.embedded.places import PROJECT

GROUP = "peers"
SIZES = (1_000, 10_000, 100_000)
PEER = "django-appointment"
REQUIREMENTS = PROJECT / "requirements-bench.txt"
ENVIRONMENT = PROJECT / "benchmarks" / ".peers"
# Ours over theirs: what was seen, with room.
TARGET = 0.03


class NotInstalled(Exception):
    """The peer is not to be had here; its text says why."""


def figures(step: Callable[[str], None]) -> Iterator[Figure | LeftOut]:
    step("installing the peer")
    try:
        python = installed()
    except NotInstalled as problem:
        yield LeftOut(GROUP, f"{DAYS} days of slots", f"{PEER} cannot be installed: {problem}")
        return
    first = local(timezone.now(), ZONE).date() + timedelta(days=1)
    database = _database()
    ours = _Ours(first)
    for count in SIZES:
        step(f"{count:,} appointments")
        theirs = _asked(python, database, count, first)
        ours.grow(count)
        if ours.half_hours() != theirs["slots"]:
            raise AssertionError(f"both sides differ with {count} appointments")
        yield Figure(
            GROUP,
            f"{DAYS} days of slots, {count:,} rows, p50",
            p50(milliseconds(ours.slots, times=20)),
            "ms",
            p50(theirs["milliseconds"]),
            TARGET,
        )


def installed(requirements: Path = REQUIREMENTS, environment: Path = ENVIRONMENT) -> Path:
    """The Python of the peer's environment, made when there is none for these requirements.

    Raises NotInstalled.
    """
    ready, python = environment / "ready", environment / "bin" / "python"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if ready.exists() and ready.read_text() == digest:
        return python
    shutil.rmtree(environment, ignore_errors=True)
    uv = Path(sys.executable).with_name("uv")
    hashed = ["--require-hashes", "-r", str(requirements)]
    # Whoever installs is there already.
    _run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    try:
        _run(str(uv), "pip", "install", "-q", "--system-certs", "--python", str(python), *hashed)
    except NotInstalled:
        _run(*pip, "install", "-q", "--disable-pip-version-check", *hashed)
    ready.write_text(digest)
    return python


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as problem:
        raise NotInstalled(str(problem)) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise NotInstalled(lines[-1].strip())
    return done.stdout


# --- The peer's side ------------------------------------------------------------------------------


def _database() -> dict[str, Any]:
    """A database of its own on the same server, made by the owner and for the owner."""
    address = os.environ["DATABASE_URL"]
    with psycopg.connect(address, autocommit=True) as server:
        server.execute("CREATE DATABASE peer")
    keys = ("HOST", "PORT", "PASSWORD", "OPTIONS")
    settings = {key: connection.settings_dict[key] for key in keys}
    return {**settings, "NAME": "peer", "USER": unquote(urlsplit(address).username or "")}


def _asked(python: Path, database: dict[str, Any], count: int, first: date) -> dict[str, Any]:
    told = subprocess.run(
        [str(python), str(Path(peer_side.__file__)), json.dumps(database), str(count), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return answer


# --- Our side -------------------------------------------------------------------------------------


class _Ours:
    """The same staff member here, with one room and one device that are free."""

    def __init__(self, first: date) -> None:
        self.first, self.count = first, 0
        built = house.build()
        self.site = built.site
        self.version = house.version_of(built, SLOT, 0)
        self.provider = _alone(built)
        [self.patient] = house.patients(built, 1)
        self.block = Block.objects.create(
            site=built.site,
            kind=BlockKind.BLOCKED,
            starts_at=instant(first - timedelta(days=10_000), 0, ZONE),
            ends_at=instant(first + timedelta(days=DAYS), 0, ZONE),
            created_at=timezone.now(),
        )
        self.limit = 1

    def grow(self, count: int) -> None:
        """Up to `count` appointments in all; then how many starts the 60 days have."""
        new = list(peer_side.rows(self.first, count))[self.count :]
        with connection.cursor() as cursor, cursor.copy(calendars.COPY) as rows:
            for day, minute in new:
                starts_at = instant(day, minute, ZONE)
                ends_at = starts_at + timedelta(minutes=SLOT)
                rows.write_row((self.provider.pk, starts_at, ends_at, True, self.block.pk))
        calendars.settle()
        self.count = count
        end, self.limit = instant(self.first + timedelta(days=DAYS), 0, ZONE), 100_000
        self.limit = sum(place.starts_at < end for place in self.slots())

    def slots(self) -> list[Place]:
        """Every offered start of the 60 days, as the first so many are asked for."""
        found = proposing.search_starts(
            patient=self.patient,
            site=self.site,
            version=self.version,
            areas=["face"],
            now=timezone.now(),
            first_from=self.first,
            limit=self.limit,
        )
        return list(found.places)

    def half_hours(self) -> list[str]:
        """The starts on the peer's grid; we offer those on the quarter between two as well."""
        walls = [place.starts_at.astimezone(ZoneInfo(ZONE)) for place in self.slots()]
        return [f"{wall:%Y-%m-%dT%H:%M}" for wall in walls if not wall.minute % SLOT]


def _alone(built: House) -> Resource:
    """The one provider, room and device of the house, nine to five every day."""
    OpeningHours.objects.filter(site=built.site).delete()
    OpeningHours.objects.bulk_create(
        OpeningHours(site=built.site, weekday=day, opens=OPENS, closes=CLOSES) for day in range(7)
    )
    for kind in (ResourceKind.PROVIDER, ResourceKind.ROOM, ResourceKind.DEVICE):
        kept = Resource.objects.filter(site=built.site, kind=kind).order_by("pk")
        Resource.objects.filter(pk__in=list(kept.values_list("pk", flat=True)[1:])).update(
            is_active=False
        )
    provider = Resource.objects.get(site=built.site, kind=ResourceKind.PROVIDER, is_active=True)
    provider.hours.all().delete()
    ProviderHours.objects.bulk_create(
        ProviderHours(provider=provider, site=built.site, weekday=day, starts=OPENS, ends=CLOSES)
        for day in range(7)
    )
    return provider
