"""The pages of whole records and the audit trail: accessible, quiet, and no wider than a phone."""

from datetime import date, datetime

import pytest
from playwright.sync_api import Page

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from patients import guardians, registration
from patients.models import Patient
from reminders.records import exporting, merging, stopping
from tests.browser.conftest import Look, SignIn
from tests.personas import a_patient
from tests.reminders.ledger import a_visit

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "main"


@pytest.fixture
def visit(patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime) -> Appointment:
    return a_visit(patient, site, protocol, now=now)


def test_the_pages_of_the_record(
    page: Page, look: Look, sign_in: SignIn, site: Site, manager: Staff, front_desk: Staff,
    patient: Patient, visit: Appointment, now: datetime,
) -> None:  # fmt: skip
    twin = a_patient(site, front_desk, now, family="Sató", email="", birth_date=date(1988, 4, 5))
    child = a_patient(
        site, front_desk, now, given="Noor", family="Haddad", phone="+12125550177",
        birth_date=date(2014, 3, 1),
    )  # fmt: skip
    guardians.add(
        patient=child, name="Ana Haddad", relation="parent", language="es",
        phone="+12125550188", may_sign=True, by=front_desk, now=now,
    )  # fmt: skip
    registration.change(
        patient=patient, expected_version=1, by=front_desk, now=now, notes="Likes the window"
    )
    sign_in(manager)
    here = f"/patients/{patient.pk}"
    look("patient-with-guardian", f"/patients/{child.pk}/", within=PAGE)
    look("guardian-add", f"/patients/{child.pk}/guardians/add/", within=PAGE)
    look("life-no-contact", f"{here}/life/no-contact/", within=PAGE)
    look("merge-choose", f"{here}/merge/", within=PAGE)
    look("merge", f"{here}/merge/?with={twin.pk}", within=PAGE)
    done = merging.merge(kept=patient, gone=twin, reason="Twice", by=manager, now=now)
    look("unmerge", f"{here}/merges/{done.pk}/undo/", within=PAGE)
    exporting.ask(patient=patient, reason="By letter", by=manager, now=now)
    look("export", f"{here}/export/", within=PAGE)
    look("erase", f"{here}/erase/", within=PAGE)
    stopping.stop_contact(patient=patient, reason="By letter", by=front_desk, now=now)
    look("patient-silent", f"{here}/", within=PAGE)
    look("audit", "/audit/", within=PAGE)
    look("audit-found", f"/audit/?patient={patient.pk}&action=patient.change", within=PAGE)
    look("audit-empty", "/audit/?ip=10.9.9.9", within=PAGE)
