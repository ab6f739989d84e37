"""Screens with a full day and a full journey, against the smallest signed-in page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.conf import settings
from django.test import Client
from django.utils import timezone

from appointments import proposing
from appointments.visits import booking
from benchmarks import house
from benchmarks.figures import Figure, milliseconds, p95
from benchmarks.house import House
from patients.models import Patient
from reminders.journeys import replanning

GROUP = "screens"
VISITS = 60
TIMES = 25


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    settings.ALLOWED_HOSTS.append("testserver")
    step(f"{VISITS} visits of one day")
    built = house.build()
    people = house.patients(built, VISITS)
    day = _book(built, people)
    step("their messages")
    replanning.sync_stale(now=timezone.now(), limit=VISITS)
    client = Client()
    client.force_login(built.desk)
    step("the smallest page")
    floor = p95(_times(client, "/preferences/"))
    for name, address, target in (
        (f"day list, {VISITS} visits, p95", f"/day/?date={day}", 20),
        ("patient page, whole journey, p95", f"/patients/{people[0].pk}/", 12),
        (f"patient list, {VISITS} patients, p95", "/patients/", 12),
        ("search by name, p95", "/patients/?q=bench1", 12),
        ("messages of a site, p95", "/messages/", 12),
    ):
        step(name)
        yield Figure(GROUP, name, p95(_times(client, address)), "ms", floor, target)


def _times(client: Client, address: str) -> list[float]:
    def fetch() -> None:
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)

    fetch()
    return milliseconds(fetch, times=TIMES)


def _book(built: House, people: list[Patient]) -> str:
    """A visit for each patient on one day to come; its date."""
    now = timezone.now()
    day = (now + timedelta(days=14)).date()
    while day.weekday() == 6:
        day += timedelta(days=1)
    for patient in people:
        places = proposing.free_starts(
            patient=patient,
            site=built.site,
            version=built.version,
            areas=["neck"],
            day=day,
            now=now,
        ).places
        booking.book_series(
            patient=patient,
            site=built.site,
            version=built.version,
            areas=["neck"],
            visits=[places[0].wish],
            by=built.desk,
            now=now,
        )
    return day.isoformat()
