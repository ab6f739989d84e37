"""Messages that end whoever writes them: counted, and given up at the third death."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from reminders.catalogue import REASONS, MessageState
from reminders.ledger import claiming, fallback
from reminders.models import Message, WritingDeath

MOST_DEATHS = 3
REASON, CODE = "ends_its_writer", "writer-died"


@transaction.atomic
def count(messages: Sequence[int], *, now: datetime) -> None:
    """One more process died while it wrote one of these. Who has seen too many die fails, with an
    alarm; the other channel or a call says what it would have said."""
    known = Message.objects.filter(pk__in=messages, state=MessageState.SCHEDULED)
    claiming.hold_patients(known.values_list("patient_id", flat=True))
    held = list(known.select_for_update(no_key=True).order_by("pk"))
    rows = WritingDeath.objects
    rows.bulk_create((WritingDeath(message=each) for each in held), ignore_conflicts=True)
    rows.filter(message__in=held).update(deaths=F("deaths") + 1, last_at=now)
    fatal = set(
        rows.filter(message__in=held, deaths__gte=MOST_DEATHS).values_list("message", flat=True)
    )
    Message.objects.filter(pk__in=fatal).update(
        state=MessageState.FAILED,
        reason=REASON,
        error_code=CODE,
        gate_why=[REASONS[REASON]],
        wake_at=None,
        # Planning lets it be, as what was sent.
        claimed_at=now,
        closed_at=now,
    )
    fallback.after_failures(dict.fromkeys(fatal, CODE), now=now)


def suspects() -> frozenset[int]:
    """The messages that somebody died of, given up or not."""
    return frozenset(WritingDeath.objects.values_list("message_id", flat=True))


def forgive(messages: Collection[Message]) -> None:
    """Staff send them again: their cause is mended."""
    WritingDeath.objects.filter(message__in=messages).delete()
