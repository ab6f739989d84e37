"""A provider on a tablet: what was treated before is logged anew and signed in few taps."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from appointments.charting import drafting, phrasing, signing
from appointments.charting.log import log_of
from appointments.clearance import answering, treatment_of
from appointments.models import Appointment, TreatmentRecord
from appointments.proposing.places import VisitWish
from appointments.visits import attendance, booking
from clinic import exceptional_hours
from clinic.consent_forms import in_force
from clinic.models import ConsentForm, Credential, Modality, ProtocolVersion, Resource, Site, Staff
from clinic.protocols import loading, reading
from clinic.wall_time import local
from patients.models import Patient, ScreeningMoment, SkinType
from patients.screening.answers import FITTING, Said
from patients.screening.questions import questions_of
from patients.signing import signing as consenting
from tests.browser.conftest import ALL_DAY, Complaints, SignIn, about_now
from tests.patients.signing.conftest import publish

pytestmark = pytest.mark.django_db(transaction=True)

# Start, last settings, three things that must be looked at today, the signature. What is typed
# (pain, and what was seen) counts nothing.
MOST_TAPS = 6
FOUR_WEEKS, MINUTE = timedelta(days=28), timedelta(minutes=1)
COOLED = "Cooled for ten minutes."
LAST = {
    "session": {
        "device_serial": "Laser 1, L-1",
        "wavelength": 1064,
        "eye_shields": True,
        "pain": 3,
        "reaction": "redness",
        "outcome": "completed",
    },
    "zones": {"face": {"spot": 8, "fluence": 14, "pulse": 20, "passes": 2, "endpoint": "Warm"}},
}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    tablet = {"viewport": {"width": 1024, "height": 768}, "has_touch": True}
    return {**browser_context_args, **tablet}


@pytest.fixture
def laser(clinical_lead: Staff, site: Site, now: datetime) -> ProtocolVersion:
    """Approved, with its form for consent; the site lets nobody be treated without that."""
    file = loading.LIBRARY / "laser_nonablative.toml"
    protocol = reading.read(file.read_text(encoding="utf-8"), filename=file.name)
    modality, _ = Modality.objects.get_or_create(
        slug=protocol.modality, defaults={"name": "Laser", "code": protocol.code}
    )
    before = now - 3 * FOUR_WEEKS
    publish(clinical_lead, before, in_force.treatment(protocol.id))
    Site.objects.filter(pk=site.pk).update(clearance_from=before.date())
    digest = reading.digest(protocol)
    return ProtocolVersion.objects.create(
        protocol=protocol.id,
        version=protocol.version,
        kind=protocol.kind,
        name=protocol.name.en,
        modality=modality,
        document=reading.to_document(protocol),
        digest=digest,
        created_at=before,
        status=ProtocolVersion.Status.APPROVED,
        approved_at=before,
        approved_by=clinical_lead,
        approved_digest=digest,
    )


@pytest.fixture
def second(
    site: Site,
    laser: ProtocolVersion,
    treatment_provider: Resource,
    patient: Patient,
    manager: Staff,
    front_desk: Staff,
    provider: Staff,
    now: datetime,
) -> Appointment:
    """The patient consented, was asked and treated four weeks ago, and was checked in just now."""
    site.refresh_from_db()
    room = Resource.objects.create(kind="room", name="Laser room", site=site, room_kind="laser")
    device = Resource.objects.create(
        kind="device", name="Laser 1", site=site, modality=laser.modality, serial="L-1"
    )
    Credential.objects.create(
        provider=treatment_provider, modality=laser.modality, valid_from=datetime(2025, 1, 1).date()
    )
    today, early = local(now, site.zone).date(), now - 2 * FOUR_WEEKS
    wishes = []
    for day in (today - FOUR_WEEKS, today):
        for of in (None, treatment_provider):
            exceptional_hours.set_day(
                site=site, day=day, stretches=ALL_DAY, provider=of, by=manager, now=early
            )
        at_clock = time.fromisoformat(about_now(site, now))
        there = datetime.combine(day, at_clock, ZoneInfo(site.zone))
        wishes.append(VisitWish(there, treatment_provider.pk, room.pk, device.pk))
    series = booking.book_series(
        patient=patient,
        site=site,
        version=laser,
        areas=["face"],
        visits=wishes,
        by=manager,
        now=early,
    )
    first, second = series.appointments.order_by("session")
    consenting.sign(
        patient=patient,
        forms=[ConsentForm.objects.get()],
        signature=consenting.Signature("Elena Sato"),
        language="en",
        site=site,
        handed_by=front_desk,
        ip=None,
        now=first.starts_at - 10 * MINUTE,
    )
    for visit, at in ((first, first.starts_at), (second, now)):
        answering.answer(
            treatment=treatment_of(visit),
            said={
                each.id: Said(FITTING[each.trigger][0]) for each in questions_of(loading.get(laser))
            },
            moment=ScreeningMoment.DAY_OF,
            skin_type=SkinType.II,
            by=front_desk,
            now=at,
        )
        attendance.check_in(appointment=visit, by=front_desk, now=at)
    done = first.starts_at + 30 * MINUTE
    attendance.start(appointment=first, by=provider, now=first.starts_at)
    attendance.complete(appointment=first, by=provider, now=done)
    drafting.save(appointment=first, log=log_of(LAST), by=provider, now=done, expected_version=0)
    signing.sign(appointment=first, by=provider, now=done)
    phrasing.add(site=site, text=COOLED, by=provider, now=done)
    return second


def test_a_repeated_laser_log_is_signed_in_six_taps_and_a_phrase_goes_into_its_note(
    page: Page,
    live_server: object,
    complaints: Complaints,
    sign_in: SignIn,
    provider: Staff,
    second: Appointment,
) -> None:
    taps = 0

    def tap(role: Any, name: str) -> None:
        nonlocal taps
        page.get_by_role(role, name=name, exact=True).tap()
        taps += 1

    def choose(question: str, answer: str) -> None:
        nonlocal taps
        page.get_by_role("radiogroup", name=question).get_by_text(answer, exact=True).tap()
        taps += 1

    sign_in(provider)
    page.goto(f"{live_server}/my-day/")
    tap("button", "Start Elena Sato")
    tap("button", "Copy last settings")
    expect(page.get_by_label("Fluence")).to_have_value("14")
    # One goes on where last time's settings leave the first thing open: among the tiles.
    expect(page.get_by_role("radiogroup", name="Eye shields").get_by_label("Yes")).to_be_focused()
    choose("Eye shields", "Yes")
    page.get_by_label("Pain 0–10").fill("2")
    choose("Immediate reaction", "None")
    choose("Outcome of the session", "Completed")
    page.get_by_label("Endpoint seen").fill("Warm, even")
    # A phrase is a tap more, where one is wanted: its words stand in the note before it is sent.
    note = page.get_by_label("Note")
    note.fill("Calm.")
    page.get_by_role("button", name=COOLED).tap()
    expect(note).to_have_value(f"Calm. {COOLED}")
    tap("button", "Complete and sign")
    expect(page.locator(".chip", has_text="Signed")).to_be_visible()
    record = TreatmentRecord.objects.get(appointment=second)
    assert record.is_signed and record.document["note"] == f"Calm. {COOLED}"
    assert record.document["session"]["eye_shields"] is True
    assert record.document["zones"]["face"]["fluence"] == 14
    assert taps <= MOST_TAPS
    assert complaints.taken() == []
