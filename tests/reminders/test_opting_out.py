"""Opting out and back in: for everybody who shares a number, at once, and never too much."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from appointments.models import Appointment
from clinic.access import Forbidden
from clinic.models import AuditEntry, Site, Staff
from patients import consent, registration
from patients.models import ConsentChannel, ContactConsent, Patient, Purpose
from patients.trail import searching
from reminders.catalogue import Channel, Kind, MessageState
from reminders.ledger import opting_out, optout_policy
from reminders.ledger.opting_out import OptOutRefused
from reminders.ledger.optout_policy import Scope
from reminders.models import Message, Suppression, SuppressionReason, SuppressionSource
from reminders.sending import dispatch
from tests.personas import a_patient
from tests.reminders.ledger import Recorder, planned, queued

pytestmark = pytest.mark.django_db

NUMBER = "+12125550123"
REPLY, STAFF = SuppressionSource.REPLY, SuppressionSource.STAFF


@pytest.fixture
def child(site: Site, patient: Patient, front_desk: Staff, now: datetime) -> Patient:
    """Somebody whom the patient's own number reaches too."""
    return a_patient(site, front_desk, now, given="Kim", email="kim@patients.example")


def stop(now: datetime, **more: object) -> opting_out.OptOut:
    asked = {"channel": Channel.SMS, "address": NUMBER, "source": REPLY, "by": None, "now": now}
    return opting_out.opt_out(**(asked | more))  # type: ignore[arg-type]


def start(now: datetime, **more: object) -> bool:
    asked = {"channel": Channel.SMS, "address": NUMBER, "source": REPLY, "by": None, "now": now}
    return opting_out.opt_in(**(asked | more))  # type: ignore[arg-type]


def close(now: datetime, reason: str = "wrong_number") -> bool:
    return opting_out.suppress(
        channel=Channel.SMS,
        address=NUMBER,
        reason=SuppressionReason(reason),
        source=SuppressionSource.PROVIDER,
        by=None,
        now=now,
    )


def texts_agreed(patient: Patient) -> set[str]:
    pairs = consent.standing([patient.pk])[patient.pk]
    return {purpose for purpose, channel in pairs if channel == "sms"}


def test_stop_closes_the_number_and_the_consents_of_everybody_who_shares_it(
    patient: Patient, child: Patient, now: datetime
) -> None:
    ended = stop(now)
    assert (ended.scope, ended.is_new) == (Scope.CHANNEL, True)
    assert set(ended.patients) == {patient.pk, child.pk}
    assert texts_agreed(patient) == texts_agreed(child) == set()
    assert ("care", "email") in consent.standing([patient.pk])[patient.pk]
    closed = Suppression.objects.get(lifted_at=None)
    assert (closed.reason, closed.source, closed.since) == ("opted_out", "reply", now)


def test_stop_is_not_about_who_had_the_number_before(
    patient: Patient, child: Patient, front_desk: Staff, now: datetime
) -> None:
    registration.change(
        patient=child, expected_version=1, by=front_desk, now=now, phone="+1 212 555 0188"
    )
    assert stop(now).patients == (patient.pk,)
    assert texts_agreed(child) == {"care"}


def test_what_a_site_heard_is_told_there_of_its_own_patients_only(
    site: Site, patient: Patient, manager: Staff, outsider: Staff, now: datetime
) -> None:
    there = a_patient(outsider.site_roles.all()[0].site, outsider, now, given="Ian", email="")
    stop(now, site=site)
    start(now + timedelta(hours=1), site=site)
    for reader, theirs in ((manager, patient), (outsider, there)):
        told = searching.seen_by(reader).filter(subject_type="reminders.suppression")
        assert list(told.order_by("id").values_list("action", "patient_id")) == [
            ("address.close", theirs.pk),
            ("address.opt_in", theirs.pk),
        ]
    stop(now + timedelta(hours=2), site=site, address="+12125550199")
    assert AuditEntry.objects.latest("id").site == site


def test_stop_again_is_nothing_new_and_so_asks_for_no_second_answer(
    patient: Patient, now: datetime
) -> None:
    assert stop(now).is_new
    assert [stop(now + timedelta(seconds=n)).is_new for n in range(1, 5)] == [False] * 4
    assert Suppression.objects.count() == 1


def test_a_text_that_is_due_one_second_after_stop_is_not_sent(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    message = queued(visit, now=now)
    stop(now)
    planned(patient, visit.site)
    channel = Recorder()
    dispatch.send_due(now=now + timedelta(seconds=1), channel=channel)
    message.refresh_from_db()
    assert (channel.sent, message.state) == ([], MessageState.SKIPPED)


def test_whatever_closes_a_number_holds_back_what_another_worker_has_just_claimed(
    patient: Patient, child: Patient, now: datetime
) -> None:
    for closes in (close, stop):
        before = {each.pk: each.revision for each in (patient, child)}
        assert closes(now)
        for each in (patient, child):
            each.refresh_from_db()
            assert each.revision > before[each.pk]


def test_stop_of_a_number_that_nobody_has_is_kept_for_who_gets_it(
    site: Site, front_desk: Staff, now: datetime
) -> None:
    stop(now)
    assert Suppression.objects.get().address == NUMBER


def test_start_restores_care_and_leaves_marketing_closed(
    patient: Patient, child: Patient, front_desk: Staff, now: datetime
) -> None:
    consent.give(
        patient=patient,
        purpose=Purpose.MARKETING,
        channel=ConsentChannel.SMS,
        by=front_desk,
        now=now - timedelta(days=1),
    )
    stop(now)
    assert start(now + timedelta(hours=1)) is True
    assert texts_agreed(patient) == texts_agreed(child) == {"care"}
    assert not Suppression.objects.filter(lifted_at=None).exists()
    again = ContactConsent.objects.get(
        patient=patient, purpose="care", channel="sms", closed_at=None
    )
    assert (again.opened_source, again.opened_by) == ("reply", None)


def test_start_by_text_opens_no_mail_that_was_closed_by_mail(
    patient: Patient, now: datetime
) -> None:
    mail = patient.contact_points.get(kind="email").value
    stop(now)
    stop(now + timedelta(hours=1), channel=Channel.EMAIL, address=mail)
    assert start(now + timedelta(hours=2)) is True
    assert consent.standing([patient.pk])[patient.pk] == {("care", "sms")}


def test_start_gives_no_care_consent_to_who_had_none(
    patient: Patient, child: Patient, front_desk: Staff, now: datetime
) -> None:
    consent.withdraw(patient=child, purpose="care", channel="sms", by=front_desk, now=now)
    stop(now)
    start(now + timedelta(hours=1))
    assert texts_agreed(patient) == {"care"}
    assert texts_agreed(child) == set()


def test_start_without_a_stop_does_nothing(patient: Patient, now: datetime) -> None:
    assert start(now) is False
    assert texts_agreed(patient) == {"care"}


@pytest.mark.parametrize("reason", ["not_textable", "wrong_number"])
def test_start_does_not_open_a_number_that_is_closed_for_another_reason(
    patient: Patient, now: datetime, reason: str
) -> None:
    close(now, reason)
    assert start(now) is False
    assert Suppression.objects.get(lifted_at=None).reason == reason


def test_an_opt_out_takes_the_place_of_a_lesser_reason(patient: Patient, now: datetime) -> None:
    close(now, "not_textable")
    assert stop(now + timedelta(hours=1)).is_new
    assert Suppression.objects.get(lifted_at=None).reason == "opted_out"


def test_start_undoes_the_opt_out_that_only_the_provider_reported(
    patient: Patient, now: datetime
) -> None:
    Suppression.objects.create(
        channel="sms", address=NUMBER, reason="opted_out", code="21610", since=now
    )
    stop(now + timedelta(hours=1))
    assert start(now + timedelta(hours=2)) is True
    assert texts_agreed(patient) == {"care"}


def test_one_click_ends_marketing_for_who_shares_the_address_and_care_for_nobody(
    patient: Patient, front_desk: Staff, now: datetime
) -> None:
    """Edge case 11."""
    address = patient.contact_points.get(kind="email").value
    consent.give(
        patient=patient,
        purpose=Purpose.MARKETING,
        channel=ConsentChannel.EMAIL,
        by=front_desk,
        now=now - timedelta(days=1),
    )
    asked = {"channel": Channel.EMAIL, "address": address, "source": SuppressionSource.ONE_CLICK}
    assert stop(now, **asked).is_new
    assert not stop(now, **asked).is_new
    assert ("care", "email") in consent.standing([patient.pk])[patient.pk]
    assert ("marketing", "email") not in consent.standing([patient.pk])[patient.pk]
    assert not Suppression.objects.exists()


def test_under_a_policy_by_category_stop_ends_what_was_last_received(
    visit: Appointment,
    patient: Patient,
    front_desk: Staff,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(optout_policy, "scope", lambda way, now: Scope.CATEGORY)
    consent.give(
        patient=patient,
        purpose=Purpose.MARKETING,
        channel=ConsentChannel.SMS,
        by=front_desk,
        now=now - timedelta(days=1),
    )
    for hours, kind, channel in (
        (3, Kind.BOOKING_CONFIRMED, Channel.SMS),
        (2, Kind.TOUCHUP_PROMPT, Channel.SMS),
        (1, Kind.BOOKING_CONFIRMED, Channel.EMAIL),
    ):
        message = queued(visit, now=now, kind=kind, channel=channel)
        Message.objects.filter(pk=message.pk).update(
            state=MessageState.ACCEPTED, accepted_at=now - timedelta(hours=hours)
        )
    assert stop(now).is_new
    assert texts_agreed(patient) == {"care"}
    assert not Suppression.objects.exists()


# --- By staff -------------------------------------------------------------------------------------


def test_staff_close_a_number_with_a_reason_and_it_is_on_record(
    patient: Patient, front_desk: Staff, now: datetime
) -> None:
    stop(now, source=STAFF, by=front_desk, reason="She asked on the phone")
    closed = Suppression.objects.get()
    assert (closed.by, closed.note) == (front_desk, "She asked on the phone")
    entry = AuditEntry.objects.get(action="address.close")
    assert (entry.by, entry.reason) == (front_desk, "She asked on the phone")
    assert NUMBER not in str(entry.after)


def test_staff_give_a_reason(patient: Patient, front_desk: Staff, now: datetime) -> None:
    with pytest.raises(OptOutRefused, match="Give a reason"):
        stop(now, source=STAFF, by=front_desk, reason=" ")


def test_staff_of_another_site_may_not_close_a_number(
    patient: Patient, outsider: Staff, provider: Staff, now: datetime
) -> None:
    for nobody in (outsider, provider):
        with pytest.raises(Forbidden):
            stop(now, source=STAFF, by=nobody, reason="asked")
    assert not Suppression.objects.exists()


def test_staff_take_back_their_own_mistake_but_not_somebodys_stop(
    patient: Patient, front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    stop(now, source=STAFF, by=front_desk, reason="asked")
    with pytest.raises(Forbidden):
        start(now, source=STAFF, by=outsider, reason="mistake")
    assert start(now, source=STAFF, by=front_desk, reason="It was the wrong patient")
    assert texts_agreed(patient) == {"care"}

    stop(now + timedelta(hours=1))
    with pytest.raises(OptOutRefused, match="START"):
        start(now + timedelta(hours=2), source=STAFF, by=front_desk, reason="She says it is fine")


@pytest.mark.parametrize(
    "wrong", [{"reason": "mood"}, {"source": "staff"}, {"source": "staff", "note": "said so"}]
)
def test_the_database_refuses_a_closed_address_that_nobody_can_explain(
    db: None, now: datetime, wrong: dict[str, str]
) -> None:
    row = {"channel": "sms", "address": NUMBER, "reason": "opted_out", "since": now}
    with pytest.raises(IntegrityError), transaction.atomic():
        Suppression.objects.create(**(row | wrong))
