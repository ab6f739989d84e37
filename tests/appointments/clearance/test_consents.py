"""A signature that is lacking bars treatment where the site asks for it; a withdrawn one always."""

from datetime import datetime
from typing import Any

import pytest

from appointments.clearance import Barred, standing, treatment_of
from appointments.lifecycle import State
from appointments.models import Appointment, StatusChange
from appointments.visits import attendance
from clinic.models import ConsentForm, Site, Staff
from patients.models import Patient, SignedForm
from patients.signing import signing, withdrawing
from tests.appointments.conftest import FIRST, at
from tests.patients.signing.conftest import publish
from tests.patients.signing.conftest import treatment_form as treatment_form  # a fixture

pytestmark = pytest.mark.django_db

NOW = at(FIRST, "10:00")


@pytest.fixture
def arrived(visits: list[Appointment], front_desk: Staff, treatment_form: Any) -> Appointment:
    """Who has not signed is checked in all the same."""
    return attendance.check_in(appointment=visits[0], by=front_desk, now=at(FIRST, "09:55"))


@pytest.fixture
def strict(site: Site) -> None:
    Site.objects.filter(pk=site.pk).update(clearance_from=FIRST)


def sign(patient: Patient, form: ConsentForm, site: Site, by: Staff, now: datetime) -> SignedForm:
    [row] = signing.sign(
        patient=patient,
        forms=[form],
        signature=signing.Signature("Elena Sato"),
        language="en",
        site=site,
        handed_by=by,
        ip=None,
        now=now,
    )
    return row


def codes(visit: Appointment) -> list[str]:
    visit = Appointment.objects.select_related("series__patient", "site", "protocol_version").get(
        pk=visit.pk
    )
    bars = standing([treatment_of(visit)], now=NOW)[0]
    return [bar.code for bar in bars if bar.code.startswith("consent")]


def test_before_the_site_asks_for_it_a_missing_signature_is_shown_and_bars_nothing(
    arrived: Appointment, provider: Staff
) -> None:
    assert codes(arrived) == ["consent_missing"]
    assert attendance.start(appointment=arrived, by=provider, now=NOW).state == State.IN_TREATMENT


@pytest.mark.usefixtures("strict")
def test_a_missing_signature_bars_treatment_and_yields_to_a_reason_that_is_kept(
    arrived: Appointment, provider: Staff, front_desk: Staff
) -> None:
    for by, reason in ((provider, ""), (front_desk, "Signed on paper")):
        with pytest.raises(Barred, match="not signed") as told:
            attendance.start(appointment=arrived, by=by, now=NOW, override_reason=reason)
        assert told.value.overridable
    attendance.start(appointment=arrived, by=provider, now=NOW, override_reason="Signed on paper")
    change = StatusChange.objects.get(appointment=arrived, move="start")
    assert "consent_missing" in change.overrides
    assert change.override_reason == "Signed on paper"


@pytest.mark.usefixtures("strict")
def test_a_signature_lets_treatment_start_until_the_form_changes(
    arrived: Appointment,
    treatment_form: ConsentForm,
    patient: Patient,
    site: Site,
    front_desk: Staff,
    provider: Staff,
    clinical_lead: Staff,
) -> None:
    sign(patient, treatment_form, site, front_desk, NOW)
    assert codes(arrived) == []
    publish(clinical_lead, NOW, note="a new risk")
    assert codes(arrived) == ["consent_outdated"]
    with pytest.raises(Barred, match="has changed"):
        attendance.start(appointment=arrived, by=provider, now=NOW)


def test_a_withdrawn_consent_bars_treatment_always_and_yields_to_nobody(
    arrived: Appointment,
    treatment_form: ConsentForm,
    patient: Patient,
    site: Site,
    front_desk: Staff,
    provider: Staff,
) -> None:
    row = sign(patient, treatment_form, site, front_desk, NOW)
    withdrawing.withdraw(signed=row, by=front_desk, now=NOW)
    with pytest.raises(Barred, match="withdrew") as told:
        attendance.start(
            appointment=arrived, by=provider, now=NOW, override_reason="She agreed by phone"
        )
    assert not told.value.overridable
    sign(patient, treatment_form, site, front_desk, NOW)
    assert attendance.start(appointment=arrived, by=provider, now=NOW).state == State.IN_TREATMENT
