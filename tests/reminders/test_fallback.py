"""What follows an urgent text that did not arrive: an e-mail, then a call; and alarms for staff."""

from collections import Counter
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment, Task
from clinic.models import AuditEntry, ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.channels.base import Outcome, Outgoing, Submission
from reminders.journeys import replanning
from reminders.ledger import fallback, saying_now
from reminders.models import Message, Suppression
from reminders.sending import dispatch, retiming
from tests.personas import a_patient
from tests.reminders.ledger import Recorder, a_visit, planned, queued, refused, some_patients

pytestmark = pytest.mark.django_db

REFUSED = Submission(outcome=Outcome.REFUSED, code="21612")
ALARM = Submission(outcome=Outcome.NOT_SENT, code="20003", retry_after_seconds=300)


def texts_are_refused(outgoing: Outgoing) -> Submission:
    is_text = outgoing.to.startswith("+")
    return REFUSED if is_text else Submission(outcome=Outcome.ACCEPTED, provider_id=outgoing.to)


@pytest.fixture
def last_reminder(visit: Appointment, now: datetime) -> Message:
    """Planned by text only, due a day before the visit."""
    replanning.sync_stale(now=now)
    return Message.objects.get(kind=Kind.REMINDER_FINAL)


def send(message: Message, answer: Recorder) -> Recorder:
    """Sends what is due with it, and nothing before it."""
    Message.objects.filter(due_at__lt=message.due_at).update(wake_at=None)
    dispatch.send_due(now=message.due_at, channel=answer)
    return answer


def asked() -> list[Task]:
    """What failures ask of staff; the protocol's own tasks left out."""
    return list(Task.objects.exclude(key__startswith="plan."))


def emails(kind: Kind) -> list[Message]:
    return list(Message.objects.filter(kind=kind, channel=Channel.EMAIL))


def test_a_text_that_is_refused_goes_by_email_once(last_reminder: Message) -> None:
    send(last_reminder, Recorder(texts_are_refused))
    assert not asked()
    for _ in range(2):
        replanning.sync_stale(now=last_reminder.due_at)
    [email] = emails(Kind.REMINDER_FINAL)
    assert (email.state, email.expires_at) == (MessageState.SCHEDULED, last_reminder.expires_at)
    assert "e-mail" in email.why[-1]

    provider = send(last_reminder, Recorder(texts_are_refused))
    Patient.objects.filter(messages=email).raise_revision()
    replanning.sync_stale(now=last_reminder.due_at)
    send(last_reminder, provider)

    assert len(provider.sent) == 1
    assert len(emails(Kind.REMINDER_FINAL)) == 1
    assert not asked()


def test_an_email_for_a_text_that_staff_sent_before_its_time_does_not_wait_for_that_time(
    last_reminder: Message, front_desk: Staff, now: datetime
) -> None:
    retiming.send_now(message=last_reminder, by=front_desk, now=now)
    replanning.sync_stale(now=now)
    send(Message.objects.get(pk=last_reminder.pk), Recorder(texts_are_refused))
    replanning.sync_stale(now=now)
    [email] = emails(Kind.REMINDER_FINAL)
    assert (email.state, email.due_at) == (MessageState.SCHEDULED, now)


def test_staff_are_asked_to_call_when_the_email_fails_too(
    last_reminder: Message, visit: Appointment
) -> None:
    for _ in range(2):
        send(last_reminder, Recorder(REFUSED))
        replanning.sync_stale(now=last_reminder.due_at)

    [task] = asked()
    assert (task.kind, task.appointment) == ("call", visit)


def test_staff_are_asked_to_call_when_there_is_no_address_for_the_email(
    last_reminder: Message, visit: Appointment, patient: Patient
) -> None:
    patient.contact_points.filter(kind="email").update(retired_at=last_reminder.created_at)
    for _ in range(2):
        send(last_reminder, Recorder(texts_are_refused))
        replanning.sync_stale(now=last_reminder.due_at)

    assert [task.appointment for task in asked()] == [visit]


def test_a_visit_that_moves_takes_the_email_with_it(
    last_reminder: Message, visit: Appointment
) -> None:
    send(last_reminder, Recorder(texts_are_refused))
    replanning.sync_stale(now=last_reminder.due_at)
    visit.starts_at += timedelta(days=7)
    visit.ends_at += timedelta(days=7)
    visit.schedule_version += 1
    visit.save()
    Patient.objects.filter(pk=visit.series.patient_id).raise_revision()

    replanning.sync_stale(now=last_reminder.due_at)

    assert [email.state for email in emails(Kind.REMINDER_FINAL)] == [MessageState.WITHDRAWN]


def test_a_text_of_low_priority_has_no_fallback(visit: Appointment, now: datetime) -> None:
    message = queued(visit, now=now, kind=Kind.NO_SHOW_FOLLOWUP)
    dispatch.send_due(now=now, channel=Recorder(REFUSED))

    assert not Patient.objects.stale().filter(messages=message).exists()
    assert not Task.objects.exists()


@pytest.mark.parametrize(("kind", "calls"), [(Kind.STAFF_REPLY, 1), (Kind.OPTOUT_ACK, 0)])
def test_an_answer_to_a_person_that_fails_asks_for_a_call_and_an_acknowledgement_does_not(
    site: Site, now: datetime, kind: Kind, calls: int
) -> None:
    Site.objects.update(planned_revision=F("revision"))
    for number in range(2):
        saying_now.say(
            site=site,
            kind=kind,
            channel=Channel.SMS,
            to_address="+12125550177",
            key=f"{kind}:{number}",
            text="Please come in today.",
            now=now,
        )
    dispatch.send_due(now=now, channel=Recorder(REFUSED))

    assert len(asked()) == 2 * calls


# --- Alarms ---------------------------------------------------------------------------------------


def test_a_closed_account_is_one_task_however_many_messages_meet_it(
    visit: Appointment, now: datetime
) -> None:
    for number in range(3):
        queued(visit, now=now, steps=[f"step-{number}"])
    for minutes in (0, 30, 90):
        dispatch.send_due(now=now + timedelta(minutes=minutes), channel=Recorder(ALARM))

    task = Task.objects.get()
    assert (task.site, task.patient) == (visit.site, None)
    assert "20003" in task.detail


def test_an_alarm_that_goes_on_after_it_was_closed_is_told_again_in_another_hour(
    visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder(ALARM))
    Task.objects.update(closed_at=now, outcome="The card was renewed.")

    dispatch.send_due(now=now + timedelta(minutes=30), channel=Recorder(ALARM))
    assert Task.objects.count() == 1
    dispatch.send_due(now=now + timedelta(minutes=90), channel=Recorder(ALARM))

    assert Task.objects.count() == 2


def test_a_code_that_no_table_holds_is_shown_to_staff(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now, kind=Kind.NO_SHOW_FOLLOWUP)
    unread = Submission(outcome=Outcome.REFUSED, code="21999")

    dispatch.send_due(now=now, channel=Recorder(unread))

    assert "21999" in Task.objects.get().detail


def test_an_everyday_refusal_is_no_alarm(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now, kind=Kind.NO_SHOW_FOLLOWUP)
    dispatch.send_due(now=now, channel=Recorder(REFUSED))
    planned(visit.series.patient, visit.site)

    assert not Task.objects.exists()


def test_a_number_that_its_provider_closes_is_on_record_for_all_who_share_it(
    visit: Appointment, patient: Patient, site: Site, manager: Staff, client: Client, now: datetime
) -> None:
    brother = a_patient(site, manager, now, given="Theo")
    dispatch.send_due(now=queued(visit, now=now).due_at, channel=Recorder(refused("21610")))
    entries = AuditEntry.objects.filter(action="address.close")
    assert {each.patient_id for each in entries} == {patient.pk, brother.pk}
    client.force_login(manager)
    journey, trail = f"/patients/{brother.pk}/?show=audit", f"/audit/?patient={brother.pk}"
    for language, page, told in (
        ("en", journey, ("The system", "Number or address: close", "recipient answered STOP")),
        ("en", trail, ("asked for no more messages here", "reported by the provider")),
        ("es", journey, ("El sistema", "El destinatario respondió STOP")),
        ("es", trail, ("pidió no recibir más mensajes aquí", "reportado por el proveedor")),
    ):
        Staff.objects.filter(pk=manager.pk).update(language=language)
        shown = unescape(client.get(page).content.decode())
        assert [each for each in told if each not in shown] == []
    assert not [each for each in entries if "+1212" in f"{each.before}{each.after}{each.reason}"]


def test_four_numbers_that_a_provider_closes_take_as_few_queries_as_two(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    visits = [
        a_visit(patient, site, protocol, now=now)
        for patient in some_patients(6, site, front_desk, now)
    ]
    taken = []
    for some in (visits[:2], visits[2:]):
        failed = [queued(visit, now=now).pk for visit in some]
        dispatch.send_due(now=now, channel=Recorder(REFUSED))
        with CaptureQueriesContext(connection) as queries:
            fallback.after_failures(dict.fromkeys(failed, "21610"), now=now)
        taken.append(len(queries))
    assert taken[0] == taken[1]
    assert Suppression.objects.filter(code="21610", lifted_at=None).count() == len(visits)
    told = AuditEntry.objects.filter(action="address.close").values_list("patient_id", flat=True)
    assert Counter(told) == Counter(visit.series.patient_id for visit in visits)


def test_a_number_that_two_messages_close_is_closed_and_told_once(
    visit: Appointment, site: Site, now: datetime
) -> None:
    failed = [queued(visit, now=now, kind=kind).pk for kind in (Kind.APPT_MOVED, Kind.CANCELLED)]
    dispatch.send_due(now=now, channel=Recorder(REFUSED))
    for _ in range(2):
        fallback.after_failures(dict.fromkeys(failed, "21610"), now=now)
    assert Suppression.objects.get().since == now
    assert AuditEntry.objects.filter(action="address.close").count() == 1
