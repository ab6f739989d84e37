"""The journey with its record: logs, photos, forms and the trail, each alone and counted."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from appointments.charting import amending, drafting, signing
from appointments.models import Appointment, Photo
from clinic import audit
from clinic.models import ConsentForm, Site, Staff
from clinic.retelling import kept, text
from patients.models import Patient
from patients.signing import signing as consents
from tests.appointments.charting.conftest import treated
from tests.appointments.charting.logs import a_log
from tests.patients.signing.conftest import photo_forms
from tests.reminders.views.conftest import SignIn, words

pytestmark = pytest.mark.django_db
__all__ = ["photo_forms"]


@pytest.fixture
def with_record(
    visits: list[Appointment], patient: Patient, site: Site, front_desk: Staff, provider: Staff
) -> Appointment:
    """The second session; the first is done, signed and corrected, with three photos of its day."""
    now = treated(visits[0], front_desk)
    of_log: dict[str, Any] = {"appointment": visits[0], "by": provider, "now": now}
    drafting.save(**of_log, log=a_log(), expected_version=0)
    signing.sign(**of_log)
    amending.amend(**of_log, reason="Misread", text="", corrections={"zones.face.depth": "2.5"})
    sources = [("face", "camera"), ("face", "camera"), ("", "patient")]
    for number, (area, source) in enumerate(sources):
        Photo.objects.create(
            patient=patient,
            site=site,
            area=area,
            view="front" if area else "",
            digest=str(number),
            width=8,
            height=8,
            source=source,
            taken_at=visits[0].starts_at + timedelta(minutes=number),
            is_dated=True,
            added_at=now,
            added_by=provider if area else None,
        )
    return visits[1]


def test_each_part_of_the_record_is_shown_alone_and_counted(
    sign_in: SignIn,
    front_desk: Staff,
    provider: Staff,
    manager: Staff,
    patient: Patient,
    with_record: Appointment,
) -> None:
    address = reverse("patient", args=[patient.pk])

    def shown(client: Client, show: str = "all") -> str:
        return words(client.get(f"{address}?show={show}"))

    desk = sign_in(front_desk)
    assert "2.5 mm" not in shown(desk) and "1 addendum" in shown(desk)
    assert "Session 2 of 3" not in shown(desk, "log")
    assert "No form is signed yet" in shown(desk, "forms")
    assert "Session 1 of 3" in shown(desk, "audit") and "Audit" not in shown(desk, "audit")
    doctor = sign_in(provider)
    everything = shown(doctor)
    assert (
        "2.5 mm · 20 (mJ or level)" in everything
        and "1.5 mm" not in everything
        and "3 photos" in everything
    )
    for tab in ("Visits 3", "Photos 3", "Logs 1"):
        assert re.search(rf"\b{tab}\b", everything), tab
    photos = shown(doctor, "photos")
    assert "3 photos" in photos and "Session 1 of 3" not in photos
    boss = sign_in(manager)
    trail = shown(boss, "audit")
    assert "Session 1 of 3" not in trail and "Elena Sato" in trail
    # What somebody looked at one after the other is one line.
    for visit in with_record.series.appointments.all():
        boss.get(f"/visits/{visit.pk}/")
    assert re.search(r"\b3 looks\b", shown(boss, "audit"))
    assert f"/audit/?patient={patient.pk}" in boss.get(f"{address}?show=audit").content.decode()


def test_the_trail_on_the_page_retells_its_reasons(
    sign_in: SignIn, manager: Staff, patient: Patient, visits: list[Appointment], now: datetime
) -> None:
    audit.record(
        action="appointment.move",
        subject=visits[0],
        by=manager,
        now=now,
        site=visits[0].site,
        patient_id=patient.pk,
        reason=kept("Version %(version)s", version=text("9.0.1")),
    )
    Staff.objects.filter(pk=manager.pk).update(language="es")
    page = words(sign_in(manager).get(f"/patients/{patient.pk}/?show=audit"))
    assert "Versión 9.0.1" in page and "\x1f" not in page


def test_more_of_a_record_takes_as_few_queries(
    sign_in: SignIn,
    front_desk: Staff,
    provider: Staff,
    patient: Patient,
    site: Site,
    with_record: Appointment,
    photo_forms: list[ConsentForm],
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    address = f"/patients/{patient.pk}/"

    def sign(form: ConsentForm) -> None:
        consents.sign(
            patient=patient,
            forms=[form],
            signature=consents.Signature("Elena Sato"),
            language="en",
            site=site,
            handed_by=front_desk,
            ip=None,
            now=now,
        )

    doctor = sign_in(provider)
    sign(photo_forms[0])
    doctor.get(address)
    with django_assert_max_num_queries(200) as one:
        doctor.get(address)
    for form in photo_forms[1:]:
        sign(form)
    second = treated(with_record, front_desk)
    drafting.save(appointment=with_record, by=provider, now=second, log=a_log(), expected_version=0)
    Photo.objects.create(
        patient=patient,
        site=site,
        digest="another day",
        width=8,
        height=8,
        source="patient",
        taken_at=second,
        is_dated=True,
        added_at=second,
    )
    with django_assert_max_num_queries(len(one)):
        doctor.get(address)


def test_the_board_tells_who_treats_the_last_settings_and_nobody_else(
    sign_in: SignIn,
    front_desk: Staff,
    provider: Staff,
    visits: list[Appointment],
    with_record: Appointment,
) -> None:
    board = f"/board/?visit={with_record.pk}"
    doctor = sign_in(provider)
    panel = doctor.get(board).content.decode()
    assert "2.5 mm" in panel and panel.count("/thumb") == 2
    assert f"visit={visits[2].pk}" in panel
    for hidden in (doctor.get(f"{board}&names=initials"), sign_in(front_desk).get(board)):
        text = hidden.content.decode()
        assert "2.5 mm" not in text and "/thumb" not in text
