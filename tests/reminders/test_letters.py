"""What leaves for a stored message: words, invitation, link and limits."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db.models import Min
from pytest_django import Settings

from appointments import links
from appointments.lifecycle import State
from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from patients import consent
from patients.models import ConsentChannel, Patient, Purpose
from reminders.catalogue import Channel, Kind, MessageState
from reminders.channels.base import Outgoing
from reminders.journeys import replanning
from reminders.models import Message, SentContent
from reminders.sending import dispatch
from reminders.views import message_rows
from tests.personas import a_patient
from tests.reminders.ledger import Recorder, a_visit, planned, queued

pytestmark = pytest.mark.django_db


def sent(now: datetime) -> list[Outgoing]:
    """What leaves at `now`, in the order of priority."""
    channel = Recorder()
    dispatch.send_due(now=now, channel=channel)
    return channel.sent


def moved(visit: Appointment, by: timedelta) -> None:
    visit.starts_at += by
    visit.ends_at += by
    visit.schedule_version += 1
    visit.version += 1
    visit.save()


def test_a_text_names_clinic_and_time_and_no_treatment(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now)
    [text] = sent(now)
    assert text.text.startswith("Harbour Skin: ")
    assert "Mon 15 Mar 2027 10:00" in text.text or "Mon 15 Mar 10:00" in text.text
    assert "microneedling" not in text.text
    assert "Sato" not in text.text


def test_the_first_text_to_a_number_says_how_to_opt_out_and_the_next_does_not(
    visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now)
    [first] = sent(now)
    queued(visit, now=now + timedelta(days=1), kind=Kind.REMINDER_CONFIRM)
    [second] = sent(now + timedelta(days=1))
    queued(visit, now=now + timedelta(days=40), kind=Kind.CHECKIN)
    [after_a_month] = sent(now + timedelta(days=40))
    assert ["STOP" in each.text for each in (first, second, after_a_month)] == [True, False, True]


def test_who_is_texted_every_week_is_told_again_after_thirty_days(
    visit: Appointment, now: datetime
) -> None:
    told = []
    for week in range(10):
        at = now + timedelta(weeks=week)
        queued(visit, now=at, kind=Kind.CHECKIN, steps=[f"check{week}"])
        told += ["STOP" in each.text for each in sent(at)]
    assert [week for week, says_stop in enumerate(told) if says_stop] == [0, 5]


def test_a_number_that_a_family_shares_is_told_once(
    visit: Appointment,
    site: Site,
    protocol: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    queued(visit, now=now)
    [mothers] = sent(now)
    kim = a_patient(site, front_desk, now, given="Kim", email="")
    queued(a_visit(kim, site, protocol, now=now), now=now)
    [childs] = sent(now)
    assert (mothers.to, "STOP" in mothers.text) == (childs.to, True)
    assert "STOP" not in childs.text


def test_a_text_that_failed_told_nobody_anything(visit: Appointment, now: datetime) -> None:
    first = queued(visit, now=now)
    assert "STOP" in sent(now)[0].text
    Message.objects.filter(pk=first.pk).update(
        state=MessageState.FAILED, reason="refused", accepted_at=None
    )
    queued(visit, now=now, kind=Kind.APPT_MOVED)
    assert "STOP" in sent(now)[0].text


def test_a_text_is_valid_until_the_quiet_hours_begin(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now, kind=Kind.REMINDER_CONFIRM)
    [text] = sent(now)
    assert text.validity_seconds == 11 * 60 * 60  # 09:00 to 20:00 in New York


def test_a_text_that_may_come_at_any_hour_is_valid_until_it_expires(
    visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now, expires_at=now + timedelta(hours=20))
    [text] = sent(now)
    assert text.validity_seconds == 20 * 60 * 60


def test_a_confirmation_by_mail_carries_an_invitation(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now, channel=Channel.EMAIL)
    [mail] = sent(now)
    [invitation] = [each.decode() for each in mail.invitations]
    assert mail.calendar_method == "REQUEST"
    assert f"UID:visit-{visit.pk}@testserver" in invitation
    assert "SEQUENCE:1" in invitation
    assert "SUMMARY:Appointment" in invitation
    assert (mail.sender, mail.sender_name) == ("harbour@clinic.example", "Harbour Skin Clinic")
    assert mail.reply_to == "desk-harbour@clinic.example"


def test_a_mail_that_is_shown_only_has_no_file_for_a_calendar(
    visit: Appointment, front_desk: Staff, now: datetime
) -> None:
    queued(visit, now=now, channel=Channel.EMAIL)
    rows = message_rows.rows_of(
        list(Message.objects.select_related("patient", "site")), staff=front_desk, now=now
    )
    message_rows.add_words(rows, now)
    [content] = [row.content for row in rows]
    assert content is not None and content.calendar == ""
    [mail] = sent(now)
    assert (content.subject, content.text[:120]) == (mail.subject, mail.text[:120])
    assert b"BEGIN:VCALENDAR" in mail.invitations[0]


def test_a_cancellation_withdraws_the_invitation_under_a_higher_sequence(
    visit: Appointment, now: datetime
) -> None:
    visit.state, visit.closed_at, visit.schedule_version = State.CANCELLED, now, 2
    visit.version = 3  # it lasted longer in between
    visit.save()
    queued(visit, now=now, kind=Kind.CANCELLED, channel=Channel.EMAIL)
    [mail] = sent(now)
    assert mail.calendar_method == "CANCEL"
    assert "SEQUENCE:3" in mail.invitations[0].decode()
    assert "/p/" not in mail.text


def test_a_moved_notice_gives_the_former_time_on_both_channels(
    visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now)
    sent(now)
    later = now + timedelta(hours=1)
    moved(visit, timedelta(days=2))
    queued(visit, now=later, kind=Kind.APPT_MOVED)
    [text] = sent(later)
    queued(visit, now=later, kind=Kind.APPT_MOVED, channel=Channel.EMAIL)
    [mail] = sent(later)
    assert "15 Mar" in text.text
    assert "17 Mar" in text.text
    assert "15 Mar" in mail.text
    assert "17 Mar" in mail.text
    assert "SEQUENCE:2" in mail.invitations[0].decode()


def test_the_link_in_a_mail_opens_the_care_page_and_its_token_is_kept_nowhere(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    message = queued(visit, now=now, channel=Channel.EMAIL)
    [mail] = sent(now)
    token = mail.text.split(f"{settings.PUBLIC_URL}/p/")[1].split("/")[0]
    link = links.open(token, now=now)
    assert (link.patient, link.appointment) == (patient, visit)
    content = SentContent.objects.get(message=message)
    assert token not in content.text + content.html + content.calendar
    assert f"{settings.PUBLIC_URL}/p/…/" in content.text


def test_a_mail_names_the_treatment_only_with_consent_and_an_agreement_with_its_provider(
    visit: Appointment, patient: Patient, front_desk: Staff, now: datetime, settings: Settings
) -> None:
    queued(visit, now=now, channel=Channel.EMAIL)
    [neutral] = sent(now)
    consent.give(
        patient=patient,
        purpose=Purpose.PHI_DETAIL,
        channel=ConsentChannel.ANY,
        by=front_desk,
        now=now,
    )
    planned(patient, visit.site)
    queued(visit, now=now, kind=Kind.REMINDER_CONFIRM, channel=Channel.EMAIL)
    [detailed] = sent(now)
    settings.MAIL_PROVIDER = "postmark"
    queued(visit, now=now, kind=Kind.REMINDER_7D, channel=Channel.EMAIL)
    [without_agreement] = sent(now)
    assert "microneedling" in detailed.text.lower()
    for mail in (neutral, without_agreement):
        assert "microneedling" not in mail.text.lower() + mail.subject.lower()


def test_a_patient_is_written_to_in_their_language(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    Patient.objects.filter(pk=patient.pk).update(language="es")
    queued(visit, now=now, channel=Channel.EMAIL)
    [mail] = sent(now)
    assert "lun 15 mar" in mail.text


def test_a_preferred_address_is_used_before_an_older_one(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    patient.contact_points.update(is_preferred=False)
    patient.contact_points.create(
        kind="phone", value="+12125550177", is_preferred=True, created_at=now
    )
    queued(visit, now=now)
    [text] = sent(now)
    assert text.to == "+12125550177"


def test_every_message_of_a_whole_journey_can_be_written_on_both_channels(
    visit: Appointment, patient: Patient, front_desk: Staff, now: datetime
) -> None:
    for purpose, consented in (
        (Purpose.MARKETING, ConsentChannel.SMS),
        (Purpose.MARKETING, ConsentChannel.EMAIL),
        (Purpose.PHOTOS, ConsentChannel.ANY),
        (Purpose.PHI_DETAIL, ConsentChannel.ANY),
    ):
        consent.give(patient=patient, purpose=purpose, channel=consented, by=front_desk, now=now)
    channel = Recorder()

    def live_until(end: datetime) -> None:
        replanning.sync_stale(now=now)
        open_messages = Message.objects.filter(state=MessageState.SCHEDULED, wake_at__lt=end)
        while (at := open_messages.aggregate(at=Min("wake_at"))["at"]) is not None:
            dispatch.send_due(now=at, channel=channel)

    live_until(visit.ends_at)
    visit.state, visit.done_at = State.DONE, visit.ends_at
    visit.save()
    visit.series.state, visit.series.closed_at = "completed", visit.ends_at
    visit.series.save()
    Patient.objects.filter(pk=patient.pk).raise_revision()
    live_until(visit.ends_at + timedelta(days=500))
    left = Message.objects.exclude(state=MessageState.ACCEPTED)
    assert not left, list(left.values("kind", "channel", "due_at", "wake_at", "waits_for"))
    kinds = {(message.kind, message.channel) for message in Message.objects.all()}
    assert {kind for kind, _ in kinds} >= {
        *(Kind.BOOKING_CONFIRMED, Kind.PRECARE_STEP, Kind.REMINDER_CONFIRM),
        *(Kind.REMINDER_FINAL, Kind.POSTCARE_0, Kind.CHECKIN),
        *(Kind.PROGRESS_MILESTONE, Kind.TOUCHUP_PROMPT),
    }
    assert len(channel.sent) == Message.objects.count()
