"""What became of messages whose provider did not answer."""

from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment, Task
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.channels.base import (
    Absent,
    CannotSay,
    Found,
    LookUp,
    NoAnswer,
    Outcome,
    Submission,
)
from reminders.journeys import replanning
from reminders.ledger import receipts, reconciling
from reminders.models import Attempt, LookUpAnswer, Message
from reminders.models import LookUp as Look
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, planned, queued

pytestmark = pytest.mark.django_db

UNKNOWN = Submission(outcome=Outcome.UNKNOWN, code="dropped")
SETTLED = timedelta(seconds=61)


def unknown(
    visit: Appointment,
    now: datetime,
    *,
    kind: Kind = Kind.BOOKING_CONFIRMED,
    channel: Channel = Channel.SMS,
    expires_at: datetime | None = None,
) -> Message:
    message = queued(visit, now=now, kind=kind, channel=channel, expires_at=expires_at)
    dispatch.send_due(now=now, channel=Recorder(UNKNOWN))
    assert again(message).state == MessageState.UNKNOWN
    return message


def again(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def look(now: datetime, known: LookUp) -> Recorder:
    provider = Recorder()
    provider.known = known
    reconciling.reconcile(now=now, channel=provider)
    return provider


def answers() -> list[str]:
    return list(Look.objects.values_list("answer", flat=True))


def test_a_provider_is_asked_only_once_it_may_know(visit: Appointment, now: datetime) -> None:
    unknown(visit, now)

    assert not look(now + timedelta(seconds=59), Absent()).asked

    [asked] = look(now + SETTLED, Absent()).asked
    assert asked.sender == visit.site.sms_number
    assert asked.called_at >= now
    assert not look(now + SETTLED, Absent()).asked


def test_exactly_one_match_is_the_message(visit: Appointment, now: datetime) -> None:
    message = unknown(visit, now)

    look(now + SETTLED, Found(("SM7",)))

    stored = again(message)
    assert (stored.state, stored.provider_id) == (MessageState.ACCEPTED, "SM7")
    assert Attempt.objects.get().outcome == Outcome.ACCEPTED
    assert not look(now + 2 * SETTLED, Found(("SM7",))).asked


def test_what_belongs_to_another_message_is_no_match(visit: Appointment, now: datetime) -> None:
    other = queued(visit, now=now, kind=Kind.REMINDER_FINAL)
    dispatch.send_due(now=now, channel=Recorder())
    assert again(other).provider_id == "SM1"
    message = unknown(visit, now)

    look(now + SETTLED, Found(("SM1",)))
    assert answers() == [LookUpAnswer.ABSENT]
    look(now + 2 * SETTLED, Found(("SM1", "SM2")))

    assert again(message).provider_id == "SM2"


def test_two_matches_are_for_staff_to_decide(visit: Appointment, now: datetime) -> None:
    message = unknown(visit, now)

    look(now + SETTLED, Found(("SM7", "SM8")))

    assert again(message).state == MessageState.UNKNOWN
    task = Task.objects.get()
    assert (task.patient, task.appointment) == (message.patient, visit)
    assert not look(now + 2 * SETTLED, Absent()).asked


def test_one_match_for_two_messages_of_the_same_words_is_guessed_for_neither(
    visit: Appointment, now: datetime
) -> None:
    # The first text to a number says more than those after it.
    queued(visit, now=now, steps=["before"])
    dispatch.send_due(now=now, channel=Recorder())
    first, second = unknown(visit, now), queued(visit, now=now, steps=["another"])
    dispatch.send_due(now=now, channel=Recorder(UNKNOWN))

    look(now + SETTLED, Found(("SM7",)))

    assert {again(first).state, again(second).state} == {MessageState.UNKNOWN}
    assert answers() == [LookUpAnswer.SEVERAL] * 2


def test_a_match_by_our_own_reference_has_no_rival(visit: Appointment, now: datetime) -> None:
    first = unknown(visit, now)
    queued(visit, now=now, steps=["another"])
    dispatch.send_due(now=now, channel=Recorder(UNKNOWN))

    look(now + SETTLED, Found(("id-7",), is_by_reference=True))

    assert again(first).state == MessageState.ACCEPTED


def test_what_is_absent_twice_was_never_sent_and_goes_again(
    visit: Appointment, now: datetime
) -> None:
    message = unknown(visit, now)

    look(now + SETTLED, Absent())
    assert again(message).state == MessageState.UNKNOWN
    assert not look(now + SETTLED + timedelta(seconds=30), Absent()).asked
    look(now + 2 * SETTLED, Absent())

    stored = again(message)
    assert (stored.state, stored.reason) == (MessageState.SCHEDULED, "never_taken")
    assert Attempt.objects.get().outcome == Outcome.NOT_SENT
    planned(visit.series.patient, visit.site)
    provider = Recorder()
    dispatch.send_due(now=now + 2 * SETTLED, channel=provider)
    assert len(provider.sent) == 1
    assert again(message).state == MessageState.ACCEPTED


def test_what_is_absent_is_judged_by_what_the_plan_says_now(
    visit: Appointment, now: datetime
) -> None:
    message = unknown(visit, now)
    Appointment.objects.filter(pk=visit.pk).update(state="cancelled", closed_at=now)
    for times in (1, 2):
        look(now + times * SETTLED, Absent())
    provider = Recorder()

    dispatch.send_due(now=now + 2 * SETTLED, channel=provider)
    assert not provider.sent
    replanning.sync_stale(now=now + 2 * SETTLED)

    assert again(message).state == MessageState.WITHDRAWN


def test_what_is_absent_and_has_expired_is_not_sent(visit: Appointment, now: datetime) -> None:
    message = unknown(visit, now, expires_at=now + timedelta(seconds=90))
    for times in (1, 2):
        look(now + times * SETTLED, Absent())
    planned(visit.series.patient, visit.site)
    provider = Recorder()

    dispatch.send_due(now=now + 2 * SETTLED, channel=provider)

    assert not provider.sent
    assert (again(message).state, again(message).reason) == (MessageState.SKIPPED, "expired")


def test_a_provider_that_does_not_answer_proves_nothing(visit: Appointment, now: datetime) -> None:
    message = unknown(visit, now)

    look(now + SETTLED, Absent())
    for times in (2, 3, 4):
        look(now + times * SETTLED, NoAnswer())

    assert again(message).state == MessageState.UNKNOWN
    assert answers() == [LookUpAnswer.ABSENT, *[LookUpAnswer.NO_ANSWER] * 3]
    assert not Task.objects.exists()


def test_a_look_that_was_cut_off_is_begun_again(visit: Appointment, now: datetime) -> None:
    message = unknown(visit, now)
    Look.objects.create(message=message, attempt=1, at=now + SETTLED)

    look(now + 2 * SETTLED, Absent())
    assert again(message).state == MessageState.UNKNOWN
    look(now + 3 * SETTLED, Absent())

    assert again(message).state == MessageState.SCHEDULED


def test_a_report_that_comes_while_we_ask_wins(visit: Appointment, now: datetime) -> None:
    message = unknown(visit, now)
    look(now + SETTLED, Absent())

    class Slow(Recorder):
        def look_up(self, unanswered: object) -> LookUp:
            receipts.record(
                provider="twilio",
                reference=message.reference,
                event_key="SM7:delivered:",
                status="delivered",
                code="",
                provider_id="SM7",
                now=now,
            )
            return Absent()

    reconciling.reconcile(now=now + 2 * SETTLED, channel=Slow())

    stored = again(message)
    assert (stored.state, stored.provider_id) == (MessageState.DELIVERED, "SM7")


def test_mail_cannot_be_asked_for_and_staff_are_told_of_what_is_urgent(
    visit: Appointment, now: datetime
) -> None:
    message = unknown(visit, now, channel=Channel.EMAIL)

    look(now + SETTLED, CannotSay())

    assert again(message).state == MessageState.UNKNOWN
    assert Task.objects.get().patient == message.patient
    assert not look(now + 2 * SETTLED, CannotSay()).asked


def test_nobody_is_asked_about_what_is_not_urgent(visit: Appointment, now: datetime) -> None:
    unknown(visit, now, kind=Kind.REMINDER_7D, channel=Channel.EMAIL)

    look(now + SETTLED, CannotSay())

    assert not Task.objects.exists()


def test_nobody_is_asked_while_another_channel_says_the_same(
    visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder())
    unknown(visit, now, channel=Channel.EMAIL)

    look(now + SETTLED, CannotSay())

    assert not Task.objects.exists()


def test_a_late_report_closes_the_question(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    message = unknown(visit, now)
    look(now + SETTLED, CannotSay())

    receipts.record(
        provider="twilio",
        reference=message.reference,
        event_key="SM7:sent:",
        status="sent",
        code="",
        now=now + 2 * SETTLED,
    )

    assert Task.objects.get().closed_at == now + 2 * SETTLED
