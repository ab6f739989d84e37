"""Real channels against providers that fail: what is certain is acted on, nothing is guessed."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from appointments.models import Task
from reminders.catalogue import Channel, MessageState
from reminders.channels import opening
from reminders.channels.base import Outgoing, Submission
from reminders.journeys import replanning
from reminders.ledger import claiming, reconciling
from reminders.models import Message, Receipt, Suppression
from reminders.sending import dispatch
from reminders.stand_in import StandIn
from tests.faults.conftest import Queue, plan_again, state
from tests.processes import eventually
from tests.reminders.ledger import ACCEPTED, Recorder

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reachable")]


def drain(*, later: timedelta = timedelta()) -> None:
    dispatch.drain(clock=lambda: claiming.database_now() + later, seconds=30)


def test_a_text_is_delivered_by_the_providers_report(due: Queue, stand_in: StandIn) -> None:
    [message] = due()
    drain()
    eventually(lambda: state(message) == MessageState.DELIVERED)
    assert Message.objects.get().provider_id == stand_in.texts[0].sid


def test_a_busy_provider_is_tried_again_later(due: Queue, stand_in: StandIn) -> None:
    [message] = due()
    stand_in.mode("429")
    drain()
    assert state(message) == MessageState.SCHEDULED
    drain()
    assert not stand_in.texts
    drain(later=timedelta(minutes=1))
    eventually(lambda: state(message) == MessageState.DELIVERED)
    assert len(stand_in.texts) == 1


@pytest.mark.parametrize("mode", ["500", "drop_before_accept"])
def test_an_answer_that_proves_nothing_is_not_repeated_before_the_provider_was_asked(
    due: Queue, stand_in: StandIn, mode: str
) -> None:
    [message] = due()
    stand_in.mode(mode)
    drain()
    drain(later=timedelta(hours=1))
    assert state(message) == MessageState.UNKNOWN
    assert not stand_in.texts
    for minutes in (2, 4):
        reconciling.reconcile(now=claiming.database_now() + timedelta(minutes=minutes))
    assert state(message) == MessageState.SCHEDULED
    plan_again(message)
    drain(later=timedelta(minutes=5))
    eventually(lambda: state(message) == MessageState.DELIVERED)
    assert len(stand_in.texts) == 1


@pytest.mark.parametrize("provider", ["twilio", "telnyx"])
def test_a_text_that_was_taken_and_is_never_reported_on_is_found_and_not_sent_again(
    due: Queue, stand_in: StandIn, settings: Settings, provider: str
) -> None:
    settings.SMS_PROVIDER = provider
    stand_in.mode("late_list", ms=60_000)
    [message] = due()
    stand_in.mode("garbage")
    settings.PUBLIC_URL = "http://127.0.0.1:1"  # its reports go nowhere
    opening.forget()
    drain()
    reconciling.reconcile(now=claiming.database_now() + timedelta(minutes=2))
    assert state(message) == MessageState.UNKNOWN
    stand_in.clear_modes()
    reconciling.reconcile(now=claiming.database_now() + timedelta(minutes=4))
    assert state(message) == MessageState.ACCEPTED
    assert Message.objects.get().provider_id == stand_in.texts[0].sid
    drain(later=timedelta(hours=1))
    assert len(stand_in.texts) == 1


def test_another_provider_takes_texts_and_reports_on_them(
    due: Queue, stand_in: StandIn, settings: Settings
) -> None:
    settings.SMS_PROVIDER = "telnyx"
    [message] = due()
    drain()
    eventually(lambda: state(message) == MessageState.DELIVERED)
    assert {text.provider for text in stand_in.texts} == {"telnyx"}
    assert Message.objects.get().provider == "telnyx"


@pytest.mark.parametrize("mode", ["drop_after_accept", "500_after_accept", "garbage"])
def test_a_text_that_was_taken_without_our_knowing_is_delivered_by_the_report(
    due: Queue, stand_in: StandIn, mode: str
) -> None:
    [message] = due()
    stand_in.mode(mode)
    drain()
    eventually(lambda: state(message) == MessageState.DELIVERED)
    drain(later=timedelta(hours=1))
    assert len(stand_in.texts) == 1


@pytest.mark.parametrize("mode", ["duplicate", "out_of_order"])
def test_reports_that_come_twice_or_in_the_wrong_order_end_as_delivered(
    due: Queue, stand_in: StandIn, mode: str
) -> None:
    [message] = due()
    stand_in.mode(mode)
    drain()
    eventually(lambda: Receipt.objects.filter(message=message).count() == 3)
    assert state(message) == MessageState.DELIVERED


def test_a_number_that_said_stop_elsewhere_is_never_texted_again_and_an_email_tells_it(
    due: Queue, stand_in: StandIn
) -> None:
    [message] = due()
    stand_in.mode("21610")
    drain()
    assert state(message) == MessageState.FAILED
    assert Suppression.objects.get().reason == "opted_out"
    assert not Task.objects.exists()
    replanning.sync_stale(now=claiming.database_now())
    email = Message.objects.get(kind=message.kind, channel=Channel.EMAIL)
    assert email.items.get().anchor == message.items.get().anchor


def test_a_phone_that_cannot_be_reached_gets_a_second_try(due: Queue, stand_in: StandIn) -> None:
    [message] = due()
    stand_in.mode("30003")
    drain()
    eventually(lambda: state(message) == MessageState.SCHEDULED)
    plan_again(message)
    drain(later=timedelta(minutes=50))
    assert len(stand_in.texts) == 1
    drain(later=timedelta(minutes=61))
    eventually(lambda: state(message) == MessageState.DELIVERED)
    assert len(stand_in.texts) == 2


def test_a_mailbox_that_does_not_exist_is_written_to_no_more(due: Queue, stand_in: StandIn) -> None:
    [message] = due(channel=Channel.EMAIL)
    stand_in.mode("mail_550")
    drain()
    assert state(message) == MessageState.FAILED
    assert Suppression.objects.get().reason == "hard_bounce"


@pytest.mark.parametrize("mode", ["mail_451", "mail_421", "mail_drop_before"])
def test_a_mail_that_was_certainly_not_taken_is_tried_again(
    due: Queue, stand_in: StandIn, mode: str
) -> None:
    [message] = due(channel=Channel.EMAIL)
    stand_in.mode(mode)
    drain()
    assert state(message) == MessageState.SCHEDULED
    drain(later=timedelta(minutes=10))
    assert state(message) == MessageState.ACCEPTED
    assert len(stand_in.mails) == 1


def test_a_mail_whose_answer_got_lost_is_not_sent_twice(due: Queue, stand_in: StandIn) -> None:
    [message] = due(channel=Channel.EMAIL)
    stand_in.mode("mail_drop_after")
    drain()
    drain(later=timedelta(hours=1))
    assert state(message) == MessageState.UNKNOWN
    assert len(stand_in.mails) == 1


def test_an_answer_survives_the_loss_of_the_database_connection(due: Queue) -> None:
    [message] = due()

    def connection_is_cut(outgoing: Outgoing) -> Submission:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            with pytest.raises(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return ACCEPTED

    channel = Recorder(connection_is_cut)
    dispatch.send_due(now=claiming.database_now(), channel=channel)
    assert state(message) == MessageState.ACCEPTED
    assert len(channel.sent) == 1
