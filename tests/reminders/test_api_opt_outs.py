"""Closed numbers, and the consent under which a message was sent, over the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from appointments.models import Appointment
from clinic.models import Staff
from patients import consent
from patients.models import ConsentChannel, ContactPoint, Patient, Purpose
from reminders.models import SentContent, Suppression
from tests.api import CLOCK, api, refused
from tests.reminders.ledger import queued

pytestmark = [pytest.mark.django_db, CLOCK]
OPT_OUTS, MESSAGES = "/api/v1/opt-outs/", "/api/v1/messages/"


@pytest.fixture
def number(patient: Patient) -> ContactPoint:
    return patient.contact_points.get(kind="phone")


def test_a_number_is_closed_listed_and_opened_again(
    front_desk: Staff, number: ContactPoint
) -> None:
    desk = api(front_desk)
    closed = desk.post(OPT_OUTS, {"contact_point": number.pk, "reason": "asked"}, format="json")
    assert closed.status_code == 201
    body = closed.json()
    assert (body["source"], body["note"], body["by"]) == ("staff", "asked", front_desk.pk)
    assert [each["id"] for each in desk.get(OPT_OUTS).json()["results"]] == [body["id"]]
    lifted = desk.post(f"{OPT_OUTS}{body['id']}/lift/", {"reason": "mistake"}, format="json")
    assert lifted.json() == {"lifted": True}
    assert desk.get(OPT_OUTS).json()["results"] == []


def test_without_a_reason_or_against_a_stop_it_is_refused(
    front_desk: Staff, number: ContactPoint, now: datetime
) -> None:
    desk = api(front_desk)
    asked = {"contact_point": number.pk, "reason": ""}
    refused(desk.post(OPT_OUTS, asked, format="json"), 400, "opt_out_refused", "reason")
    stop = Suppression.objects.create(
        channel="sms", address=number.value, reason="opted_out", source="reply", since=now
    )
    answer = desk.post(f"{OPT_OUTS}{stop.pk}/lift/", {"reason": "says so"}, format="json")
    assert "START" in refused(answer, 409, "opted_out_themselves", "reason")["sentence"]


def test_nobody_else_sees_or_closes_it(
    outsider: Staff, provider: Staff, number: ContactPoint, now: datetime
) -> None:
    asked = {"contact_point": number.pk, "reason": "asked"}
    assert api(outsider).post(OPT_OUTS, asked, format="json").status_code == 404
    assert api(provider).post(OPT_OUTS, asked, format="json").status_code == 403
    assert api().post(OPT_OUTS, asked, format="json").status_code == 401
    Suppression.objects.create(channel="sms", address=number.value, reason="opted_out", since=now)
    assert api(outsider).get(OPT_OUTS).json()["results"] == []


def test_a_message_tells_the_consent_that_stood_when_it_was_sent(
    visit: Appointment, patient: Patient, front_desk: Staff, now: datetime
) -> None:
    message = queued(visit, now=now)
    SentContent.objects.create(message=message, address="+12125550123", text="Hi", at=now)
    later = now + timedelta(hours=1)
    asked: dict[str, Any] = {
        "patient": patient,
        "purpose": Purpose.CARE,
        "channel": ConsentChannel.SMS,
    }
    consent.withdraw(by=front_desk, now=later, **asked)
    consent.give(by=front_desk, now=later, **asked)

    [stood] = api(front_desk).get(f"{MESSAGES}{message.pk}/").json()["consents"]

    assert stood["wording"] == consent.WORDINGS["care"]
    assert (stood["opened_by"], stood["opened_source"]) == (front_desk.pk, "front_desk")
    assert stood["closed_at"] is not None
