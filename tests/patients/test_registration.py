"""Registering, changing and finding patients, and the constraints that hold for every writer."""

from datetime import date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clinic.access import Forbidden
from clinic.models import AuditEntry, Site, Staff
from patients import registration
from patients.models import ContactPoint, Patient
from patients.registration import RegistrationRefused, StalePatient
from tests.personas import a_patient

pytestmark = pytest.mark.django_db


def found(staff: Staff, query: str) -> set[str]:
    return {patient.display_name for patient in registration.search(staff=staff, query=query)}


@pytest.fixture
def three(site: Site, front_desk: Staff, now: datetime) -> list[Patient]:
    return [
        a_patient(site, front_desk, now, given=given, family=family, phone=phone, birth_date=born)
        for given, family, phone, born in (
            ("José", "Núñez", "+12125550111", date(1990, 12, 31)),
            ("Elena", "Sato", "+12125550122", date(1988, 5, 4)),
            ("Ana María", "Nunes Silva", "+13105550199", date(1971, 1, 2)),
        )
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("nunez", {"José Núñez"}),
        ("NÚÑEZ", {"José Núñez"}),
        ("jos nun", {"José Núñez"}),
        ("silva ana", {"Ana María Nunes Silva"}),
        ("nun", {"José Núñez", "Ana María Nunes Silva"}),
        ("unez", set()),
        ("0122", {"Elena Sato"}),
        ("(310) 555", {"Ana María Nunes Silva"}),
        ("1988-05-04", {"Elena Sato"}),
        ("12/31/1990", {"José Núñez"}),
        ("%", set()),
        ("' OR 1=1 --", set()),
        ("#0", set()),
        ("#²", set()),
        ("#" + "9" * 30, set()),
        ("\x00", set()),
        ("x" * 100_000, set()),
    ],
)
def test_patients_are_found_by_name_phone_and_birth_date(
    three: list[Patient], front_desk: Staff, query: str, names: set[str]
) -> None:
    assert found(front_desk, query) == names


def test_a_patient_is_found_by_number_and_an_empty_search_finds_all(
    three: list[Patient], front_desk: Staff
) -> None:
    assert found(front_desk, f"#{three[1].pk}") == {"Elena Sato"}
    assert len(found(front_desk, "  ")) == 3


def test_staff_of_another_site_find_nobody(three: list[Patient], outsider: Staff) -> None:
    for query in ("", "sato", "0122", "1988-05-04", f"#{three[1].pk}"):
        assert found(outsider, query) == set()


def test_somebody_who_left_finds_and_sees_nobody(three: list[Patient], front_desk: Staff) -> None:
    assert three[0].is_seen_by(front_desk)
    front_desk.is_active = False
    assert found(front_desk, "sato") == set()
    assert not three[0].is_seen_by(front_desk)


def alike(staff: Staff, **changed: Any) -> list[str]:
    asked: dict[str, Any] = {
        "legal_given": "Elena",
        "legal_family": "Sato",
        "birth_date": date(1988, 5, 4),
        "phone": "+12125550122",
        **changed,
    }
    return [each.display_name for each in registration.possible_duplicates(staff=staff, **asked)]


def test_the_same_birth_date_or_number_with_one_name_is_a_likeness(
    three: list[Patient], front_desk: Staff, outsider: Staff
) -> None:
    assert alike(front_desk) == ["Elena Sato"]
    assert alike(front_desk, legal_given="Helen", phone="") == ["Elena Sato"]
    assert alike(front_desk, legal_family="SÁTO", birth_date=date(2000, 1, 1)) == ["Elena Sato"]
    assert alike(front_desk, legal_given="X", legal_family="Y") == []
    assert alike(front_desk, birth_date=date(2000, 1, 1), phone="") == []
    assert alike(outsider) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legal_given", "  "),
        ("legal_family", ""),
        ("legal_family", "x" * 61),
        ("preferred_name", "x" * 61),
        ("birth_date", date(2030, 1, 1)),
        ("birth_date", date(1850, 1, 1)),
        ("language", "fr"),
        ("zone", "Mars/Olympus"),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name_and_nothing_is_stored(
    site: Site, front_desk: Staff, now: datetime, field: str, value: Any
) -> None:
    given: dict[str, Any] = {
        "legal_given": "Elena",
        "legal_family": "Sato",
        "birth_date": date(1988, 5, 4),
        field: value,
    }
    with pytest.raises(RegistrationRefused) as refused:
        registration.register(**given, site=site, by=front_desk, now=now)
    assert refused.value.field == field
    assert not Patient.objects.exists()


def test_a_name_whose_letters_fold_to_many_is_stored(
    site: Site, front_desk: Staff, now: datetime
) -> None:
    patient = a_patient(site, front_desk, now, given="ﷺ" * 60, family="ﷺ" * 60)
    assert len(patient.search_key) <= 250


def test_those_who_may_not_edit_are_told_who_may(
    site: Site, provider: Staff, outsider: Staff, patient: Patient, now: datetime
) -> None:
    for by in (provider, outsider):
        with pytest.raises(Forbidden, match="front desk, manager"):
            a_patient(site, by, now)
        with pytest.raises(Forbidden, match="front desk, manager"):
            registration.change(patient=patient, expected_version=1, by=by, now=now, notes="x")
        with pytest.raises(Forbidden, match="front desk, manager"):
            registration.record_death(patient=patient, by=by, now=now)


def test_a_change_of_what_messages_depend_on_asks_for_a_new_plan(
    patient: Patient, front_desk: Staff, now: datetime
) -> None:
    def revision_after(version: int, **fields: Any) -> int:
        registration.change(
            patient=patient, expected_version=version, by=front_desk, now=now, **fields
        )
        patient.refresh_from_db()
        return patient.revision

    before = patient.revision
    assert revision_after(1, notes="Allergy") == before
    assert revision_after(2, language="es") == before + 1
    assert revision_after(3, zone="America/Chicago") == before + 2
    assert revision_after(4, preferred_name="Lena") == before + 3
    entry = AuditEntry.objects.filter(action="patient.change").latest("id")
    assert (entry.before, entry.after) == ({"preferred_name": ""}, {"preferred_name": "Lena"})


def test_a_stale_form_saves_nothing(patient: Patient, front_desk: Staff, now: datetime) -> None:
    registration.change(patient=patient, expected_version=1, by=front_desk, now=now, notes="first")
    with pytest.raises(StalePatient):
        registration.change(
            patient=patient, expected_version=1, by=front_desk, now=now, notes="second"
        )
    patient.refresh_from_db()
    assert (patient.notes, patient.version) == ("first", 2)


def test_a_former_number_is_retired_and_kept(
    patient: Patient, front_desk: Staff, now: datetime
) -> None:
    for version, phone in enumerate(("212 555 0177", "+12125550123", "+12125550123", ""), 1):
        registration.change(
            patient=patient, expected_version=version, by=front_desk, now=now, phone=phone
        )
    points = ContactPoint.objects.filter(patient=patient, kind="phone").order_by("id")
    assert [point.value for point in points] == ["+12125550123", "+12125550177", "+12125550123"]
    assert all(point.retired_at for point in points)


def test_an_emptied_contact_leaves_no_other_of_its_kind(
    patient: Patient, front_desk: Staff, now: datetime
) -> None:
    ContactPoint.objects.create(patient=patient, kind="phone", value="+12125550188", created_at=now)
    registration.change(patient=patient, expected_version=1, by=front_desk, now=now, phone="")
    standing = patient.contact_points.filter(retired_at=None)
    assert {point.kind for point in standing} == {"email"}


def test_an_unknown_field_cannot_be_changed(
    patient: Patient, front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(RegistrationRefused, match="'revision'"):
        registration.change(patient=patient, expected_version=1, by=front_desk, now=now, revision=7)


def test_a_death_stops_what_is_planned(patient: Patient, front_desk: Staff, now: datetime) -> None:
    before = patient.revision
    registration.record_death(patient=patient, by=front_desk, now=now)
    patient.refresh_from_db()
    assert (patient.deceased_at, patient.revision) == (now, before + 1)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("patient_language_known", {"language": "fr"}),
        ("patient_plan_not_ahead", {"planned_revision": 99}),
        ("patient_named", {"legal_given": ""}),
    ],
)
def test_the_database_refuses_a_patient_that_cannot_be(
    patient: Patient, name: str, change: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Patient.objects.filter(pk=patient.pk).update(**change)


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("contact_once", {"kind": "phone", "value": "+12125550123"}),
        ("contact_one_preferred", {"kind": "email", "value": "b@c.example", "is_preferred": True}),
        ("contact_shape", {"kind": "phone", "value": "2125550123"}),
        ("contact_shape", {"kind": "email", "value": "nowhere"}),
    ],
)
def test_the_database_refuses_a_contact_that_cannot_be(
    patient: Patient, now: datetime, name: str, point: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        ContactPoint.objects.create(patient=patient, created_at=now, **point)
