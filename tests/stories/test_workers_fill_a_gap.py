"""From a cancellation to a filled place on real processes: beat and a worker plan and send, the
patient reads the page in the text, and nobody moves the clock."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from appointments.models import Appointment, Gap, Invitation, TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.visits import cancelling
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import EarlierVisit, FirstVisit
from clinic.models import ProtocolVersion, Resource, Site, Staff
from clinic.saying_times import format_when
from clinic.wall_time import local
from patients.models import Patient
from reminders.ledger import claiming
from reminders.models import Message
from reminders.stand_in import StandIn
from tests.appointments.conftest import Book, at
from tests.faults.born import Worker
from tests.personas import a_patient, open_site
from tests.processes import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reachable")]

NOOR, OMAR = "+12125550187", "+12125550188"
# Care messages wait for the day, and in one of these it is always between nine and six.
AROUND_THE_GLOBE = ("America/Los_Angeles", "America/Sao_Paulo", "Europe/Athens", "Asia/Singapore")


def by_day(now: datetime) -> str:
    return next(zone for zone in AROUND_THE_GLOBE if 9 <= local(now, zone).hour < 18)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def site(db: None, now: datetime) -> Site:
    return open_site("harbour", "Harbour Skin Clinic", by_day(now), "+12125550100")


@pytest.fixture
def thursday(now: datetime, site: Site) -> date:
    """The first Thursday that is two weeks away at least."""
    day = local(now, site.zone).date() + timedelta(days=14)
    return day + timedelta(days=(3 - day.weekday()) % 7)


def living_at(site: Site, patient: Patient) -> Patient:
    Patient.objects.filter(pk=patient.pk).update(zone=site.zone)
    patient.refresh_from_db()
    return patient


@pytest.fixture
def noor(site: Site, front_desk: Staff, now: datetime) -> Patient:
    noor = a_patient(
        site, front_desk, now, given="Noor", family="Haddad", phone=NOOR, email="noor@p.example"
    )
    return living_at(site, noor)


@pytest.fixture
def omar(site: Site, front_desk: Staff, now: datetime) -> Patient:
    omar = a_patient(
        site, front_desk, now, given="Omar", family="Diaz", phone=OMAR, email="omar@p.example"
    )
    return living_at(site, omar)


@pytest.fixture
def places(
    thursday: date,
    site: Site,
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
) -> list[VisitWish]:
    """Elena's place, and Noor's two: the second is as late as the first of hers admits."""
    days = (thursday, thursday + timedelta(days=14), thursday + timedelta(days=56))
    return [
        VisitWish(at(day, "10:00", site.zone), treatment_provider.pk, room.pk, needling_device.pk)
        for day in days
    ]


@pytest.fixture
def series(book: Book, places: list[VisitWish], noor: Patient, now: datetime) -> TreatmentSeries:
    """Booked so long ago that Noor is told of it at once."""
    return book(*places[1:], patient=noor, now=now - timedelta(hours=1))


def texts_to(stand_in: StandIn, number: str, words: str) -> list[str]:
    return [text.text for text in stand_in.texts if text.to == number and words in text.text]


def page_in(text: str) -> str:
    """The address in a text, without its host."""
    found = re.search(r"/p/[\w-]+/", text)
    assert found, text
    return found[0]


def test_a_cancelled_place_finds_its_patient_and_the_messages_follow(
    series: TreatmentSeries,
    book: Book,
    places: list[VisitWish],
    noor: Patient,
    omar: Patient,
    house: ProtocolVersion,
    site: Site,
    front_desk: Staff,
    stand_in: StandIn,
    celery_worker: Worker,
    celery_beat: Worker,
    client: Client,
    now: datetime,
) -> None:
    celery_worker()
    celery_beat()
    elena = book(places[0]).appointments.get()
    wanted = [
        entries.add(
            target=EarlierVisit(series.appointments.get(session=1)), by=front_desk, now=now
        ),
        entries.add(target=FirstVisit(omar, site, house, ("face",)), by=front_desk, now=now),
    ]
    was = Message.objects.filter(patient=noor, kind="reminder_final", session=2)
    eventually(was.exists)
    eventually(lambda: texts_to(stand_in, NOOR, format_when(places[1].starts_at, site.zone, "en")))
    [old] = set(was.values_list("due_at", flat=True))

    cancelling.cancel(
        appointment=elena, by=front_desk, now=claiming.database_now(), by_patient=True
    )
    gap = Gap.objects.get()
    offering.offer(gap=gap, entries=wanted, by=front_desk, now=claiming.database_now())
    eventually(lambda: all(texts_to(stand_in, who, "has opened") for who in (NOOR, OMAR)))
    [noors] = texts_to(stand_in, NOOR, "has opened")
    [omars] = texts_to(stand_in, OMAR, "has opened")
    when = format_when(gap.starts_at, site.zone, "en")
    assert when in noors and when in omars

    taken = client.post(page_in(noors), {"answer": "accept"}, follow=True)
    assert "This time is yours" in taken.content.decode()
    first, second = series.appointments.order_by("session")
    assert first.starts_at == gap.starts_at == places[0].starts_at
    apart = local(second.starts_at, site.zone).date() - local(first.starts_at, site.zone).date()
    assert 21 <= apart.days <= 42
    assert second.starts_at < places[2].starts_at

    eventually(lambda: texts_to(stand_in, OMAR, "no longer open"))
    assert "Somebody else was first" in client.get(page_in(omars)).content.decode()
    assert Invitation.objects.get(entry=wanted[1]).answer == "gone"
    assert not Appointment.objects.filter(series__patient=omar).exists()

    def reminded() -> set[datetime]:
        final = Message.objects.filter(patient=noor, kind="reminder_final", state="scheduled")
        return set(final.values_list("due_at", flat=True))

    eventually(lambda: len(reminded()) == 2 and old not in reminded())
    assert reminded() == {visit.starts_at - timedelta(days=1) for visit in (first, second)}
    moved = Message.objects.filter(patient=noor, kind="appt_moved", channel="sms")
    assert moved.get().state == "scheduled"
    # The minutes in which a move may still be taken back are over.
    moved.update(wake_at=claiming.database_now())
    eventually(lambda: moved.get().state == "delivered")
    [said] = [text.text for text in stand_in.texts if text.sid == moved.get().provider_id]
    for visit in (first, second):
        assert format_when(visit.starts_at, site.zone, "en") in said
