"""Signing, where a patient stands, and withdrawing."""

import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from clinic.access import Forbidden
from clinic.consent_forms import in_force, publishing
from clinic.models import AuditEntry, ConsentForm, ConsentPurpose, Site, Staff
from patients import consent, guardians
from patients.models import Patient, SignedForm, Signer
from patients.models.consent import ConsentSource
from patients.signing import asking, sheets, signing, withdrawing
from patients.signing.drawing import DrawingRefused
from patients.signing.signing import FormChanged, Signature, SigningRefused
from patients.signing.standing import Standing
from patients.signing.withdrawing import WithdrawalRefused
from tests import pdf
from tests.patients.signing.conftest import TREATMENT, publish
from tests.personas import a_patient

pytestmark = pytest.mark.django_db

DRAWN = "M20 100L60 40L100 120L140 60L180 110M220 90L260 90"
DAY = timedelta(days=1)
PHOTOS = ("photos", "any")


@pytest.fixture
def sign(patient: Patient, site: Site, front_desk: Staff, now: datetime) -> Any:
    """Signs as the patient at the clinic unless told otherwise."""

    def act(forms: list[ConsentForm], **changed: Any) -> list[SignedForm]:
        asked = {
            "patient": patient,
            "signature": Signature("Elena Sato"),
            "language": "en",
            "site": site,
            "handed_by": front_desk,
            "ip": "203.0.113.7",
            "now": now,
            **changed,
        }
        return signing.sign(forms=forms, **asked)

    return act


def stands(patient: Patient, now: datetime, subject: tuple[str, str] = TREATMENT) -> Standing:
    return asking.of({patient.pk: [subject]}, now=now)[patient.pk][subject].standing


# --- Signing --------------------------------------------------------------------------------------


def test_a_signature_keeps_the_words_who_when_and_how_and_a_sheet_that_says_so(
    sign: Any, patient: Patient, treatment_form: ConsentForm, now: datetime
) -> None:
    assert stands(patient, now) is Standing.MISSING
    [row] = sign([treatment_form], signature=Signature("  Elena  Sato ", path=DRAWN))
    assert stands(patient, now) is Standing.SIGNED
    row.refresh_from_db()
    assert (row.signer_name, row.way, row.place, row.ip) == (
        *("Elena Sato", "drawn", "clinic", "203.0.113.7"),
    )
    assert row.wording_digest == treatment_form.digest_en
    content = bytes(row.sheet)
    assert hashlib.sha256(content).hexdigest() == row.sheet_digest
    said = pdf.text(content)
    for part in (
        *("Consent to needling", "burns", "Elena Sato", "1988-05-04", "drawn by hand"),
        *("handed over by Ana Front", "Mon 15 Feb 09:00", row.facts_digest, "203.0.113.7"),
        treatment_form.digest_en[:40],
    ):
        assert part in said, part
    entry = AuditEntry.objects.get(action="form.sign")
    assert entry.after["digest"] == row.facts_digest


def test_a_patient_signs_in_spanish_by_their_link_with_the_name_typed(
    sign: Any, treatment_form: ConsentForm
) -> None:
    [row] = sign([treatment_form], language="es", handed_by=None, ip=None)
    assert (row.way, row.place, row.wording_digest) == ("typed", "link", treatment_form.digest_es)
    said = pdf.text(bytes(row.sheet))
    assert "quemaduras" in said and "con su enlace" in said and "burns" not in said


def test_signing_twice_signs_once(sign: Any, treatment_form: ConsentForm) -> None:
    assert len(sign([treatment_form])) == 1
    assert sign([treatment_form]) == []
    assert SignedForm.objects.count() == 1


@pytest.mark.parametrize(
    ("signature", "field"),
    [
        (Signature(""), "name"),
        (Signature("x" * 121), "name"),
        (Signature("Maria Lopez"), "name"),
        (Signature("Ana Sato", Signer.GUARDIAN), "relation"),
    ],
)
def test_a_signature_that_cannot_be_the_patients_is_refused(
    sign: Any, treatment_form: ConsentForm, signature: Signature, field: str
) -> None:
    with pytest.raises(SigningRefused) as told:
        sign([treatment_form], signature=signature)
    assert told.value.field == field
    with pytest.raises(DrawingRefused):
        sign([treatment_form], signature=Signature("Elena Sato", path="M1 1L2 2"))
    with pytest.raises(SigningRefused):
        sign([])
    assert not SignedForm.objects.exists()


@pytest.mark.parametrize("name", ["Elena", "SATO, elena", "Elena Sato-Nuñez"])
def test_a_name_that_shares_something_with_the_patients_is_theirs(
    sign: Any, treatment_form: ConsentForm, name: str
) -> None:
    assert sign([treatment_form], signature=Signature(name))


def test_for_a_minor_a_guardian_signs(
    sign: Any, site: Site, front_desk: Staff, treatment_form: ConsentForm, now: datetime
) -> None:
    young = a_patient(
        *(site, front_desk, now),
        given="Noa",
        phone="+12125550177",
        email="",
        birth_date=date(2009, 2, 16),
    )
    with pytest.raises(SigningRefused, match="Under 18"):
        sign([treatment_form], patient=young, signature=Signature("Noa Sato"))
    [row] = sign(
        [treatment_form],
        patient=young,
        signature=Signature("Ken Sato", Signer.GUARDIAN, "father"),
    )
    assert "parent or guardian (father)" in pdf.text(bytes(row.sheet))
    # Once it is written down who answers for them, only who may sign does.
    withdrawing.withdraw(signed=row, by=front_desk, now=now)
    for name, may_sign in (("Ken Sato", False), ("Mia Sato", True)):
        guardians.add(
            patient=young, name=name, relation="parent", gets_messages=False, may_sign=may_sign,
            by=front_desk, now=now,
        )  # fmt: skip
    for name, signs in (("Ken Sato", False), ("Bo Sato", False), ("Mía Sato-Díaz", True)):
        asked = {"patient": young, "signature": Signature(name, Signer.GUARDIAN, "parent")}
        if signs:
            assert sign([treatment_form], **asked)
            continue
        with pytest.raises(SigningRefused, match="somebody else signs"):
            sign([treatment_form], **asked)


def test_a_form_that_changed_while_it_was_read_is_not_signed(
    sign: Any, treatment_form: ConsentForm, clinical_lead: Staff, now: datetime
) -> None:
    newer = publish(clinical_lead, now, note="new risk")
    with pytest.raises(FormChanged):
        sign([treatment_form])
    with pytest.raises(FormChanged):
        signing.forms_of([treatment_form.pk])
    assert signing.forms_of([newer.pk, newer.pk]) == [newer]
    publishing.retire(form=newer, by=clinical_lead, now=now)
    with pytest.raises(FormChanged):
        sign([newer])


# --- Where a patient stands -----------------------------------------------------------------------


def test_a_signature_runs_out_and_a_changed_form_asks_for_another(
    sign: Any, patient: Patient, treatment_form: ConsentForm, clinical_lead: Staff, now: datetime
) -> None:
    sign([treatment_form])
    year = now.replace(year=now.year + 1)
    assert stands(patient, year - timedelta(seconds=1)) is Standing.SIGNED
    assert stands(patient, year) is Standing.EXPIRED
    publish(clinical_lead, now, note="spelling", valid_for="P12M", asks_anew=False)
    assert stands(patient, now) is Standing.SIGNED
    third = publish(clinical_lead, now, note="risk", valid_for="P12M")
    assert stands(patient, now) is Standing.OUTDATED
    sign([third], now=now + DAY)
    assert stands(patient, now + DAY) is Standing.SIGNED


def test_a_withdrawal_counts_until_the_patient_signs_again(
    sign: Any, patient: Patient, treatment_form: ConsentForm, front_desk: Staff, now: datetime
) -> None:
    [first] = sign([treatment_form])
    row = withdrawing.withdraw(signed=first, by=front_desk, now=now + DAY, reason="second thoughts")
    assert stands(patient, now + DAY) is Standing.WITHDRAWN
    assert (row.withdrawn_by, row.withdrawn_reason) == (front_desk, "second thoughts")
    with pytest.raises(WithdrawalRefused):
        withdrawing.withdraw(signed=first, by=front_desk, now=now + DAY)
    sign([treatment_form], now=now + 2 * DAY)
    assert stands(patient, now + 2 * DAY) is Standing.SIGNED


def test_a_form_that_is_not_published_is_not_asked_for(patient: Patient, now: datetime) -> None:
    assert asking.of_patient(patient, ["rf_microneedling"], now=now) == []


def test_the_forms_of_many_patients_cost_the_same_queries_as_those_of_one(
    sign: Any,
    patient: Patient,
    site: Site,
    front_desk: Staff,
    treatment_form: ConsentForm,
    photo_forms: list[ConsentForm],
    now: datetime,
    django_assert_num_queries: Any,
) -> None:
    other = a_patient(site, front_desk, now, given="Omar", phone="+12125550178", email="")
    sign([treatment_form, *photo_forms])
    subjects = [TREATMENT, *in_force.photos()]
    with django_assert_num_queries(2):
        found = asking.of({patient.pk: subjects, other.pk: subjects}, now=now)
    assert all(not each.is_due for each in found[patient.pk].values())
    assert all(each.standing is Standing.MISSING for each in found[other.pk].values())


# --- Photos ---------------------------------------------------------------------------------------


def test_uses_of_photos_are_agreed_to_and_withdrawn_apart(
    sign: Any, patient: Patient, photo_forms: list[ConsentForm], front_desk: Staff, now: datetime
) -> None:
    record, education, _ = photo_forms
    [signed, _] = sign([record, education])
    assert [asking.agrees(patient.pk, each, now=now) for each in in_force.PHOTO_PURPOSES] == [
        *(True, True, False)
    ]
    withdrawing.withdraw(signed=signed, by=front_desk, now=now + DAY)
    after = [asking.agrees(patient.pk, each, now=now + DAY) for each in in_force.PHOTO_PURPOSES]
    assert after == [False, True, False]


def test_messages_may_ask_for_photos_from_the_signature_to_the_withdrawal(
    sign: Any, patient: Patient, photo_forms: list[ConsentForm], now: datetime
) -> None:
    record, education, _ = photo_forms
    sign([education])
    assert PHOTOS not in consent.standing([patient.pk])[patient.pk]
    [signed] = sign([record])
    assert PHOTOS in consent.standing([patient.pk])[patient.pk]
    given = patient.consents.get(purpose="photos")
    assert given.opened_source == ConsentSource.SIGNED_FORM
    withdrawing.withdraw(signed=signed, by=None, now=now + DAY, source=ConsentSource.PATIENT_PAGE)
    assert PHOTOS not in consent.standing([patient.pk])[patient.pk]
    assert not asking.agrees(patient.pk, ConsentPurpose.PHOTOS_RECORD, now=now + DAY)


def test_messages_that_ask_for_photos_end_without_the_signature_ending(
    sign: Any, patient: Patient, photo_forms: list[ConsentForm], front_desk: Staff, now: datetime
) -> None:
    sign([photo_forms[0]])
    consent.withdraw(patient=patient, purpose="photos", channel="any", by=front_desk, now=now)
    assert asking.agrees(patient.pk, ConsentPurpose.PHOTOS_RECORD, now=now)


# --- Who may, and the database --------------------------------------------------------------------


def test_staff_of_another_site_withdraw_nothing(
    sign: Any, treatment_form: ConsentForm, outsider: Staff, now: datetime
) -> None:
    [row] = sign([treatment_form])
    with pytest.raises(Forbidden):
        withdrawing.withdraw(signed=row, by=outsider, now=now)


def test_a_signature_never_changes_also_by_raw_sql_of_the_owner(
    sign: Any, treatment_form: ConsentForm, front_desk: Staff, now: datetime, as_owner: Any
) -> None:
    [row] = sign([treatment_form])

    def as_app(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    for run in (as_owner, as_app):
        for statement in (
            "UPDATE patients_signedform SET signer_name = 'Somebody'",
            "UPDATE patients_signedform SET sheet = ''",
            "DELETE FROM patients_signedform",
        ):
            with pytest.raises(DatabaseError, match="withdrawn once"), transaction.atomic():
                run(statement)
    withdrawing.withdraw(signed=row, by=front_desk, now=now)
    with pytest.raises(DatabaseError, match="withdrawn once"), transaction.atomic():
        as_app("UPDATE patients_signedform SET withdrawn_at = NULL, withdrawn_source = ''")


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"signer_name": ""}, "signed_form_named"),
        ({"relation": "mother"}, "signed_form_guardian_related"),
        ({"signer": "guardian"}, "signed_form_guardian_related"),
        ({"way": "drawn"}, "signed_form_drawn_when_drawn"),
        ({"drawing": DRAWN}, "signed_form_drawn_when_drawn"),
        ({"place": "link"}, "signed_form_handed_at_the_clinic"),
        ({"handed_by": None}, "signed_form_handed_at_the_clinic"),
        ({"withdrawn_reason": "none"}, "signed_form_withdrawn_whole"),
        ({"withdrawn_source": "phone"}, "signed_form_withdrawn_whole"),
    ],
)
def test_the_database_refuses_a_signature_that_cannot_be(
    sign: Any, treatment_form: ConsentForm, changed: dict[str, Any], name: str
) -> None:
    [row] = sign([treatment_form])
    row.pk = None
    for field, value in changed.items():
        setattr(row, field, value)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        row.save(force_insert=True)


def test_the_digest_tells_every_fact_apart(sign: Any, treatment_form: ConsentForm) -> None:
    [row] = sign([treatment_form])
    facts = sheets.SheetFacts(
        *("en", "Clinic", "Street", "UTC", 1, "Elena", date(1988, 5, 4), "ipl", 1, "T", "B", "d"),
        *("patient", "Elena", "", "typed", "", "link", "", "", row.signed_at),
    )
    assert sheets.digest(facts) != sheets.digest(replace(facts, number=2))
    assert sheets.digest(facts) != sheets.digest(replace(facts, signer_name="Elena S"))
