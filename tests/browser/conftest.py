"""A clinic of today for the browser, and who signs in to it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from appointments.models import (
    Appointment,
    Gap,
    Invitation,
)
from appointments.proposing.places import VisitWish
from appointments.visits import booking, cancelling
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import EarlierVisit
from clinic import exceptional_hours
from clinic.models import ProtocolVersion, Resource, Site, Staff
from clinic.protocols.schema import Protocol
from clinic.wall_time import local
from patients.models import Patient
from tests.browser import measuring
from tests.browser.looking import post, problems
from tests.personas import a_patient
from tests.publishing import publish

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
    page.add_init_script(measuring.WATCH)

    def at(
        label: str, address: str = "", data: dict[str, Any] | None = None, within: str = ""
    ) -> None:
        if data is not None:
            post(page, f"{live_server}{address}", data)
        elif address:
            page.goto(f"{live_server}{address}")
        found.extend(problems(page, label, within))
        found.extend(measuring.over(page, label))
        found.extend(f"{label}: {heard}" for heard in complaints.taken())

    yield at
    assert found == []


@dataclass(frozen=True)
class Days:
    """Thursdays to come: the next one, and three that are four weeks apart."""

    next: date
    first: date
    second: date
    third: date


@pytest.fixture
def days(site: Site, now: datetime) -> Days:
    today = local(now, site.zone).date()
    first = today + timedelta(days=14 + (3 - today.weekday()) % 7)
    near = first - timedelta(days=14)
    return Days(
        near if near > today else near + timedelta(days=7),
        first,
        first + timedelta(days=28),
        first + timedelta(days=56),
    )


@pytest.fixture
def place(treatment_provider: Resource, room: Resource, needling_device: Resource) -> Place:
    def make(day: date, wall: str = "10:00") -> VisitWish:
        there = datetime.combine(day, time.fromisoformat(wall), ZoneInfo("America/New_York"))
        return VisitWish(there.astimezone(UTC), treatment_provider.pk, room.pk, needling_device.pk)

    return make


ALL_DAY = [(0, 24 * 60)]


def about_now(site: Site, now: datetime) -> str:
    """A time of today's clock near to `now`: who starts a visit an hour early is asked why."""
    there = local(now, site.zone)
    minute = min(max(there.hour * 60 + there.minute // 5 * 5, 30), 20 * 60)
    return f"{minute // 60:02}:{minute % 60:02}"


def a_visit_today(
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    place: Place,
    *,
    by: Staff,
    now: datetime,
) -> Appointment:
    """A visit that begins about now, whatever day of the week and hour that is."""
    today, before = local(now, site.zone).date(), now - timedelta(days=1)
    wish = place(today, about_now(site, now))
    for provider in (None, Resource.objects.get(pk=wish.provider_id)):
        exceptional_hours.set_day(
            site=site, day=today, stretches=ALL_DAY, provider=provider, by=by, now=before
        )
    series = booking.book_series(
        patient=patient,
        site=site,
        version=version,
        areas=["face"],
        visits=[wish],
        by=by,
        now=before,
    )
    return series.appointments.get()


@pytest.fixture
def of_four(
    house: ProtocolVersion, microneedling: Protocol, clinical_lead: Staff, now: datetime
) -> ProtocolVersion:
    """The house's treatment, of which four sessions are usual."""
    sessions = replace(microneedling.series.sessions, typical=4)
    changed = replace(
        microneedling, version="4.0.0", series=replace(microneedling.series, sessions=sessions)
    )
    return publish(changed, instead_of=house, by=clinical_lead, now=now)


DAY = timedelta(days=1)
WEEK = 7 * DAY
NAMES = {"ada": "Ada", "ben": "Ben", "ines": "Ines", "noor": "Noor", "omar": "Omar", "zoe": "Zoe"}
# What is new on a page that refuses a form.
REFUSED = ".error-summary, .field.error"


@pytest.fixture
def people(site: Site, front_desk: Staff, now: datetime) -> dict[str, Patient]:
    return {
        key: a_patient(
            site,
            front_desk,
            now,
            given=name,
            phone=f"+1212555013{number}",
            email=f"{key}@p.example",
        )
        for number, (key, name) in enumerate(NAMES.items())
    }


@pytest.fixture
def book(
    site: Site, house: ProtocolVersion, manager: Staff, now: datetime
) -> Callable[..., list[Appointment]]:
    def make(patient: Patient, *visits: Any, **more: Any) -> list[Appointment]:
        series = booking.book_series(
            patient=patient,
            site=site,
            version=house,
            areas=["face"],
            visits=visits,
            by=manager,
            now=now,
            **more,
        )
        return list(series.appointments.order_by("session"))

    return make


@pytest.fixture
def second_device(site: Site, house: ProtocolVersion) -> Resource:
    return Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality, serial="RM-2"
    )


Book = Callable[..., list[Appointment]]


@pytest.fixture
def elena(book: Book, patient: Patient, place: Place, days: Days) -> list[Appointment]:
    """Three sessions in the mornings; a broken device, other hours and a closure come over them."""
    return book(patient, place(days.first), place(days.second), place(days.third + DAY))


@pytest.fixture
def ada(book: Book, people: dict[str, Patient], place: Place, days: Days) -> list[Appointment]:
    """Three sessions in the afternoons, which stay where they are."""
    afternoons = [place(day, "14:00") for day in (days.first, days.second, days.third)]
    return book(people["ada"], *afternoons)


@pytest.fixture
def gap(book: Book, people: dict[str, Patient], place: Place, days: Days, manager: Staff) -> Gap:
    """A place that Omar gave back, a week after the first sessions."""
    (visit,) = book(people["omar"], place(days.first + WEEK))
    cancelling.cancel(appointment=visit, by=manager, now=timezone.now())
    return Gap.objects.get()


@pytest.fixture
def invitation(
    gap: Gap, book: Book, people: dict[str, Patient], place: Place, days: Days, manager: Staff
) -> Invitation:
    """Noor is offered it for a visit that she has later, with another one after it."""
    visit, _ = book(people["noor"], place(days.first + 3 * WEEK), place(days.first + 9 * WEEK))
    entry = entries.add(target=EarlierVisit(visit), by=manager, now=timezone.now())
    return _offered(gap, entry, manager)


def _offered(gap: Gap, entry: Any, by: Staff) -> Invitation:
    made = offering.offer(gap=gap, entries=[entry], by=by, now=timezone.now())
    return made.invitations.get()
