"""Staff close a number because the patient asked, and open it again."""

import pytest
from django.test import Client
from django.urls import reverse

from clinic.models import Staff
from patients import consent
from patients.models import ContactPoint, Patient
from reminders.models import Suppression
from tests.reminders.views.conftest import SignIn

pytestmark = pytest.mark.django_db

WHY = {"reason": "She asked on the phone"}


@pytest.fixture
def number(patient: Patient) -> ContactPoint:
    return patient.contact_points.get(kind="phone")


def address(point: ContactPoint, act: str = "close") -> str:
    return reverse("patient-contact", args=[point.patient_id, point.pk, act])


def test_looking_changes_nothing_and_a_reason_is_asked_for(
    desk: Client, number: ContactPoint
) -> None:
    assert desk.get(address(number)).status_code == 200
    answer = desk.post(address(number), {"reason": " "})
    assert answer.status_code == 422
    assert "Give a reason" in answer.content.decode()
    assert not Suppression.objects.exists()


def test_closing_is_shown_with_who_and_why_and_can_be_taken_back(
    desk: Client, number: ContactPoint, patient: Patient
) -> None:
    assert desk.post(address(number), WHY).status_code == 302
    text = desk.get(reverse("patient", args=[patient.pk])).content.decode()
    assert "Told to staff, since 15 Feb 2027, Ana Front: She asked on the phone" in text
    assert address(number, "open") in text

    assert desk.post(address(number, "open"), {"reason": "Wrong patient"}).status_code == 302
    assert ("care", "sms") in consent.standing([patient.pk])[patient.pk]
    assert not Suppression.objects.filter(lifted_at=None).exists()


def test_nobody_else_may(
    stranger: Client, sign_in: SignIn, provider: Staff, number: ContactPoint
) -> None:
    assert stranger.post(address(number), WHY).status_code == 404
    assert sign_in(provider).post(address(number), WHY).status_code == 403
    assert Client().post(address(number), WHY).status_code == 302  # to sign in
    assert not Suppression.objects.exists()


def test_a_point_of_somebody_else_is_not_found(desk: Client, number: ContactPoint) -> None:
    other = reverse("patient-contact", args=[number.patient_id, number.pk + 99, "close"])
    assert desk.get(other).status_code == 404
    assert desk.get(address(number, "burn")).status_code == 404
