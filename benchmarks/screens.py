"""The screens of a full house: how long the server takes, and how often it asks the database.

The house grows tenfold between two counts: patients, visits of the day, the journey of a patient
and the calendar ahead. A screen that asks another number of times then is over its bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import cycle

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from appointments import proposing
from appointments.models import Allocation, Appointment, TreatmentSeries
from appointments.visits import booking
from benchmarks import calendars, house, in_browser
from benchmarks.figures import Figure, LeftOut, milliseconds, p95
from benchmarks.house import NOW, House
from clinic.consent_forms import drafting, in_force, publishing
from clinic.consent_forms.wording import Words
from clinic.models import ConsentForm, ProtocolVersion
from config.wsgi import settle
from patients.models import Patient, SignedForm
from patients.models.signed_form import Signer, SigningPlace, SigningWay
from reminders.journeys import replanning

GROUP = "screens"
TIMES = 40
GROWTH = 10
PATIENTS, VISITS, SERIES, DAYS_AHEAD = 20_000, 120, 10, calendars.YEAR
# Minutes in the chair, and before and after: so that the visits of a day fit into it.
MINUTES, BUFFER = 30, 5
# The milliseconds that the server is to take, as 95 of 100 readers see it; where that is not
# reached, or the machine is slow or busy, so many times as long as its smallest page takes.
MOST = {
    "board": (150, 12),
    "day list": (150, 12),
    "search": (100, 10),
    "filtered list": (250, 25),
    "patient page": (150, 15),
    "further journey": (300, 28),
    "plans": (800, 15),
}
# As a name, a telephone number and a birth date are typed.
SEARCHES = ("be", "ben", "bench1", "bench11", "pat bench7", "1007", "1 jan 1980", "crowd")
# Whose signatures are judged: of all who are under way, and of those among them who have no visit.
FILTERS = ("flag=unsigned", "series=open&flag=unsigned&flag=no_visit")

Screens = Mapping[str, Sequence[str]]


def figures(step: Callable[[str], None]) -> Iterator[Figure | LeftOut]:
    settings.ALLOWED_HOSTS.append("testserver")
    built = house.build()
    version = house.version_of(built, MINUTES, BUFFER)
    people = house.patients(built, VISITS)
    day = _weekday_in(timezone.now(), days=14)
    screens = _screens(built, version, people[0], people[1], day)
    client = Client()
    client.force_login(built.desk)
    step("a tenth of the house")
    few, share = VISITS // GROWTH, PATIENTS // GROWTH
    form = _publish(built)
    _under_way(built, version, form, house.crowd(built, share - len(people)))
    calendars.fill(built, calendars.S1, days=DAYS_AHEAD // GROWTH)
    _book(built, version, people[:few], day)
    before = {name: _queries(client, addresses) for name, addresses in screens.items()}
    step("the whole house")
    _under_way(built, version, form, house.crowd(built, PATIENTS - share, first=share))
    Allocation.objects.filter(block__isnull=False).delete()
    calendars.fill(built, calendars.S1, days=DAYS_AHEAD)
    _book(built, version, people[few:], day)
    _grow(built, version, people[0])
    calendars.settle()
    settle()
    step("the smallest page")
    floor = p95(_times(client, ["/preferences/"]))
    for name, addresses in screens.items():
        step(name)
        after = _queries(client, addresses)
        fewer, more = sorted((before[name], after))
        yield Figure(GROUP, f"{name}, queries, a tenth and all", more, "queries", fewer, 1)
        taken = p95(_times(client, addresses))
        slowest, times = MOST[name]
        target = round(max(slowest / floor, times), 2)
        yield Figure(GROUP, f"{name}, p95 (bar {slowest} ms)", taken, "ms", floor, target)
    step("in the browser")
    yield from in_browser.figures(built, day, Appointment.objects.get(series__patient=people[1]))


def _screens(
    built: House, version: ProtocolVersion, patient: Patient, another: Patient, day: date
) -> dict[str, list[str]]:
    plan = f"patient={another.pk}&protocol={version.pk}&area=face&sessions=4"
    ahead = (NOW + timedelta(days=7)).date()
    return {
        "board": [f"/board/?date={day}"],
        "day list": [f"/day/?date={day}"],
        "search": [f"/patients/?q={words}" for words in SEARCHES],
        "filtered list": [f"/patients/?{asked}" for asked in FILTERS],
        "patient page": [f"/patients/{patient.pk}/"],
        "further journey": [f"/patients/{patient.pk}/?more=1"],
        "plans": [f"/series/new/dates/?site={built.site.slug}&{plan}&from={ahead}"],
    }


def _queries(client: Client, addresses: Sequence[str]) -> int:
    """How many statements the pages take together, once they were opened before."""
    _open(client, addresses)
    with CaptureQueriesContext(connection) as asked:
        _open(client, addresses)
    return len(asked)


def _times(client: Client, addresses: Sequence[str]) -> list[float]:
    """Milliseconds of so many openings, of one page after the other."""
    following = cycle(addresses)
    return milliseconds(lambda: _open(client, [next(following)]), times=TIMES)


def _open(client: Client, addresses: Sequence[str]) -> None:
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)


def _weekday_in(now: datetime, *, days: int) -> date:
    day = (now + timedelta(days=days)).date()
    return day + timedelta(days=1) if day.weekday() == 6 else day


def _book(built: House, version: ProtocolVersion, people: Sequence[Patient], day: date) -> None:
    """A visit for each patient on the day, and its messages."""
    now = timezone.now()
    for patient in people:
        places = proposing.free_starts(
            patient=patient,
            site=built.site,
            version=version,
            areas=["face"],
            day=day,
            now=now,
        ).places
        booking.book_series(
            patient=patient,
            site=built.site,
            version=version,
            areas=["face"],
            visits=[places[0].wish],
            by=built.desk,
            now=now,
        )
    replanning.sync_stale(now=now, limit=len(people))


def _publish(built: House) -> ConsentForm:
    words = {language: Words("Consent", "I may say no.") for language in ("en", "es")}
    subject, now = in_force.treatment(built.version.protocol), timezone.now()
    draft = drafting.save(
        subject=subject, words=words, valid_for="P12M", seen="", by=built.desk, now=now
    )
    return publishing.publish(
        draft=draft, seen=draft.digest, asks_anew=True, by=built.desk, now=now
    )


def _under_way(
    built: House, version: ProtocolVersion, form: ConsentForm, people: Sequence[Patient]
) -> None:
    """A series of each with nothing booked; every other one signed, half of these too long ago."""
    now = timezone.now()
    TreatmentSeries.objects.bulk_create(
        TreatmentSeries(
            patient=patient,
            site=built.site,
            protocol_version=version,
            areas=["face"],
            sessions=3,
            booked_at=now,
        )
        for patient in people
    )
    SignedForm.objects.bulk_create(
        SignedForm(
            patient=patient,
            form=form,
            language="en",
            site=built.site,
            signer=Signer.PATIENT,
            signer_name="Pat Crowd",
            way=SigningWay.TYPED,
            place=SigningPlace.LINK,
            signed_at=now - timedelta(days=200 * (1 + number % 2)),
            sheet=b"",
        )
        for number, patient in enumerate(people[::2])
    )


def _grow(built: House, version: ProtocolVersion, patient: Patient) -> None:
    """More series of the patient, with a visit each, until there are ten times as many."""
    now = timezone.now()
    more = TreatmentSeries.objects.bulk_create(
        TreatmentSeries(
            patient=patient,
            site=built.site,
            protocol_version=version,
            areas=["face"],
            sessions=1,
            booked_at=now,
        )
        for _ in range(SERIES - 1)
    )
    Appointment.objects.bulk_create(
        Appointment(
            series=series,
            site=built.site,
            protocol_version=version,
            session=1,
            starts_at=now + timedelta(days=30 * number),
            ends_at=now + timedelta(days=30 * number, minutes=MINUTES),
            booked_at=now,
            scheduled_at=now,
        )
        for number, series in enumerate(more, 2)
    )
    Patient.objects.filter(pk=patient.pk).raise_revision()
    replanning.sync_stale(now=now, limit=1)
