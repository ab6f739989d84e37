"""A clinic of today for the browser, and who signs in to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from appointments.proposing.places import VisitWish
from clinic.hours import local
from clinic.models import Resource, Site, Staff
from tests.browser.looking import post, problems

SignIn = Callable[[Staff], None]
Look = Callable[..., None]
Place = Callable[..., VisitWish]


@pytest.fixture
def now() -> datetime:
    """The browser has a clock of its own, so these stories are told today."""
    return timezone.now()


@pytest.fixture
def sign_in(context: BrowserContext, live_server: object) -> SignIn:
    """Gives the browser the session of a member of staff."""

    def as_(staff: Staff) -> None:
        client = Client()
        client.force_login(staff)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": str(live_server)}
        context.add_cookies([cookie])  # type: ignore[list-item]

    return as_


@dataclass
class Complaints:
    """What the browser complains of: errors of scripts, breaches of the policy, lost files."""

    heard: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.heard.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # A page that refuses something says so by its status, and the browser repeats it.
        refused = "Failed to load resource" in message.text and "status of 4" in message.text
        if message.type == "error" and not refused:
            self.heard.append(f"{message.text} ({message.location['url']})")

    def taken(self) -> list[str]:
        heard, self.heard = self.heard, []
        return heard


@pytest.fixture
def complaints(page: Page) -> Complaints:
    listening = Complaints()
    listening.listen(page)
    return listening


@pytest.fixture
def look(page: Page, live_server: object, complaints: Complaints) -> Any:
    """Opens a page, or what a form of the open page answers, and looks at it; at the end of the
    test everything that is wrong is told at once."""
    found: list[str] = []

    def at(
        label: str, address: str = "", data: dict[str, Any] | None = None, within: str = ""
    ) -> None:
        if data is not None:
            post(page, f"{live_server}{address}", data)
        elif address:
            page.goto(f"{live_server}{address}")
        found.extend(problems(page, label, within))
        found.extend(f"{label}: {heard}" for heard in complaints.taken())

    yield at
    assert found == []


@dataclass(frozen=True)
class Days:
    """Thursdays to come, four weeks apart."""

    first: date
    second: date
    third: date


@pytest.fixture
def days(site: Site, now: datetime) -> Days:
    today = local(now, site.zone).date()
    first = today + timedelta(days=14 + (3 - today.weekday()) % 7)
    return Days(first, first + timedelta(days=28), first + timedelta(days=56))


@pytest.fixture
def place(treatment_provider: Resource, room: Resource, needling_device: Resource) -> Place:
    def make(day: date, wall: str = "10:00") -> VisitWish:
        there = datetime.combine(day, time.fromisoformat(wall), ZoneInfo("America/New_York"))
        return VisitWish(there.astimezone(UTC), treatment_provider.pk, room.pk, needling_device.pk)

    return make
