"""The pace of a provider, kept by several processes and seen in the provider's own log."""

from datetime import datetime, timedelta

import pytest
from django.db.models import Min
from django.utils import timezone

from reminders.catalogue import MessageState
from reminders.models import Message, ProviderAccount
from reminders.stand_in import StandIn
from tests.faults.born import Nursery
from tests.faults.conftest import Queue
from tests.processes import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reachable")]

RATE, BURST, TEXTS = 20.0, 4, 40


def test_two_processes_together_keep_the_rate_of_a_provider(
    nursery: Nursery, due: Queue, stand_in: StandIn
) -> None:
    ProviderAccount.objects.create(
        channel="sms", provider="twilio", rate=RATE, burst=BURST, filled_at=timezone.now()
    )
    due(TEXTS)
    for _ in range(2):
        nursery.bear("remind_loop", "--every=0.1", says="ready")
    eventually(
        lambda: not Message.objects.filter(state=MessageState.SCHEDULED).exists(), seconds=60
    )
    eventually(lambda: len(stand_in.texts) == TEXTS)
    first = Message.objects.aggregate(first=Min("claimed_at"))["first"]
    arrived = sorted(datetime.fromisoformat(text.received_at) for text in stand_in.texts)
    for number, at in enumerate(arrived, 1):
        # Whatever holds a text up lets it arrive later, and none sooner than its leave.
        assert number <= BURST + RATE * ((at - first) / timedelta(seconds=1))
