"""A process dies at every named moment; another comes, and each message arrives once, or nobody can
say, and then a person is asked."""

import re
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import QuerySet
from pytest_django import Settings

from appointments.models import Task
from clinic.models import Staff
from reminders import failpoints
from reminders.catalogue import REASONS, Channel, Kind, MessageState
from reminders.ledger import claiming, reconciling, retrying
from reminders.models import Message, WritingDeath
from reminders.proving import proof
from reminders.proving.checks import Finding
from reminders.sending import dispatch
from reminders.stand_in import StandIn
from tests.chaos import ledger
from tests.faults.born import Nursery
from tests.processes import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reachable")]

NOWHERE = "http://127.0.0.1:9"  # nobody listens: a provider's reports get lost
REFERENCE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PATIENTS = 3
ARRIVED = (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED)
BEFORE_THE_MARK = {
    *(failpoints.AFTER_CLAIM, failpoints.AFTER_GATE),
    *(failpoints.WHILE_WRITING, failpoints.BEFORE_MARK),
}
# All but that of who takes reports in, which no sender comes by.
MOMENTS = [
    value
    for name, value in vars(failpoints).items()
    if name.isupper() and isinstance(value, str) and value != failpoints.AFTER_TAKING_IN
]


@pytest.fixture
def told() -> None:
    """Some patients are to be told of their visit now, by text and by e-mail, as planned."""
    ledger.furnish(2 * PATIENTS, starts=datetime.now(UTC) - timedelta(seconds=2), seconds=1)


def notices(*states: MessageState) -> QuerySet[Message]:
    rows = Message.objects.filter(kind=Kind.BOOKING_CONFIRMED)
    return rows.filter(state__in=states) if states else rows


def arrived(stand_in: StandIn) -> Counter[str]:
    """How often each message arrived, by our reference, as the providers' own logs say."""
    signs = (
        *(text.status_callback for text in stand_in.texts),
        *(mail.message_id for mail in stand_in.mails),
    )
    return Counter(match[0] for sign in signs if (match := REFERENCE.search(sign)))


def leases_run_out() -> None:
    """As if a minute had passed since the death."""
    now = claiming.database_now()
    notices(MessageState.SUBMITTING).update(leased_until=now - timedelta(seconds=1))
    dispatch.tidy(now=now)


def providers_are_asked(settings: Settings) -> None:
    """Twice, a settling time apart; what they never took is due again."""
    settings.UNKNOWN_SETTLES_SECONDS = 1
    for seconds in (2, 4):
        later = claiming.database_now() + timedelta(seconds=seconds)
        reconciling.reconcile(now=later)
    notices(MessageState.SCHEDULED).update(wake_at=claiming.database_now())


def proved() -> list[tuple[str, Finding]]:
    return [(check.name, found) for check, found in proof.prove(now=claiming.database_now())]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("moment", MOMENTS)
def test_whoever_dies_there_another_sends_each_message_once(
    moment: str, nursery: Nursery, stand_in: StandIn, settings: Settings
) -> None:
    assert nursery.loop(failpoint=moment, PUBLIC_URL=NOWHERE).wait() == -signal.SIGKILL
    if moment in BEFORE_THE_MARK:
        assert notices(MessageState.SCHEDULED).count() == 2 * PATIENTS
        assert not arrived(stand_in)
    else:
        assert notices(MessageState.SUBMITTING, MessageState.ACCEPTED).exists()
    leases_run_out()
    assert not notices(MessageState.SUBMITTING).exists()
    providers_are_asked(settings)
    nursery.loop()
    eventually(lambda: not notices(MessageState.SCHEDULED, MessageState.SUBMITTING).exists())
    times = arrived(stand_in)
    assert set(times.values()) == {1}
    heard = {each.patient_id for each in notices(*ARRIVED)}
    for message in notices().exclude(state__in=ARRIVED):
        # A mail server cannot be asked, so a person is, unless the text says the same.
        assert (message.state, message.channel) == (MessageState.UNKNOWN, Channel.EMAIL)
        assert message.patient_id in heard or Task.objects.filter(
            key__startswith=f"unknown:{message.pk}:"
        )
    lost = notices().exclude(reference__in=times).exclude(state=MessageState.UNKNOWN)
    assert not lost.exists()
    faults = [
        check.name for check, found in proof.prove(now=claiming.database_now()) if found.faults
    ]
    assert not faults


@pytest.mark.usefixtures("told")
def test_a_letter_of_which_three_died_is_given_up_and_the_others_go_out(
    nursery: Nursery, stand_in: StandIn, settings: Settings, tmp_path: Path
) -> None:
    settings.LAST_WORDS_DIR = str(tmp_path)
    third = f"{failpoints.WHILE_WRITING}:{PATIENTS}"
    for _ in range(3):
        assert nursery.loop(failpoint=third).wait() == -signal.SIGKILL
        assert not notices().exclude(state=MessageState.SCHEDULED).exists()
    nursery.loop()
    eventually(lambda: notices(*ARRIVED).count() == 2 * PATIENTS - 1)
    [given_up] = notices(MessageState.FAILED)
    assert given_up.gate_why == [REASONS["ends_its_writer"]]
    assert Task.objects.get(key__startswith="alarm:").title == "Messages do not go out"
    assert set(arrived(stand_in).values()) == {1}
    assert not arrived(stand_in)[str(given_up.reference)]
    # The cause is mended, and it is sent once more.
    retrying.retry(
        message=given_up, by=Staff.objects.get(name="Ana Front"), now=claiming.database_now()
    )
    eventually(lambda: notices(*ARRIVED).count() == 2 * PATIENTS)
    assert not WritingDeath.objects.filter(message=given_up).exists()
