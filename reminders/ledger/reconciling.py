"""Finding out what became of messages whose provider did not answer, as far as it can be asked.

A provider is asked once the settling time has passed, outside of any transaction. Exactly one
match, and no other message's: it was accepted. Several: staff decide, nothing is guessed. None in
two looks, a settling time apart: it was never taken, and is scheduled again for what its patient's
plan says now. A report that comes meanwhile wins. What cannot be asked stays unknown, and staff are
told of what is urgent.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from patients.models import ContactPoint
from reminders.catalogue import MessageState, Tray
from reminders.channels import base, opening
from reminders.ledger import claiming, fallback, marking
from reminders.models import Attempt, LookUp, LookUpAnswer, Message, SentContent

log = logging.getLogger(__name__)

# What stands in kept words for the token of a link.
HIDDEN = "…"
# A provider that is slow must not hold up whoever tidies.
SECONDS = 10.0
# Identical words to one number go out this far apart at most when one is taken for the other.
NEARBY = timedelta(days=1)

Tally = Counter[str]


@dataclass(frozen=True, slots=True)
class _Look:
    """A look that has begun: its row, the message and the number of the attempt."""

    row: LookUp
    message: Message
    attempt: Attempt


def reconcile(
    *, now: datetime, channel: Callable[[str], base.Channel] = opening.of_provider
) -> Tally:
    """Look for what is unknown, the most urgent first, for some seconds at most.

    Gives how many looks ended with which answer. Any number of processes may call it at once.
    """
    tally, ends = Tally(), time.monotonic() + SECONDS
    while time.monotonic() < ends and (look := _begin(now=now)):
        answer = _ask(look, channel)
        tally[_finish(look, answer, now=now).value] += 1
        if isinstance(answer, base.NoAnswer):
            break
    return tally


UNKNOWN = """
SELECT message.id, attempt.id
  FROM reminders_message AS message
  JOIN LATERAL (SELECT id, number, started_at FROM reminders_attempt
                 WHERE message_id = message.id ORDER BY number DESC LIMIT 1) AS attempt ON true
 WHERE message.tray = 'unknown' AND attempt.started_at <= %(settled)s
   AND NOT EXISTS (
       SELECT FROM reminders_lookup AS look
        WHERE look.message_id = message.id AND look.attempt = attempt.number
          AND (look.answer IN ('several', 'cannot_say') OR look.at > %(settled)s))
 ORDER BY message.priority, message.id
 LIMIT 1
   FOR UPDATE OF message SKIP LOCKED
"""


@transaction.atomic
def _begin(*, now: datetime) -> _Look | None:
    """Take the next unknown message that may be looked for, for this look alone; commits."""
    with connection.cursor() as cursor:
        cursor.execute(
            UNKNOWN, {"settled": now - timedelta(seconds=settings.UNKNOWN_SETTLES_SECONDS)}
        )
        found = cursor.fetchone()
    if found is None:
        return None
    message = Message.objects.select_related("site").get(pk=found[0])
    attempt = Attempt.objects.get(pk=found[1])
    row = LookUp.objects.create(message=message, attempt=attempt.number, at=now)
    return _Look(row, message, attempt)


def _ask(look: _Look, channel: Callable[[str], base.Channel]) -> base.LookUp:
    content = SentContent.objects.filter(message=look.message).first()
    if content is None or content.emptied_at is not None:
        return base.CannotSay()
    try:
        provider = channel(look.message.provider)
    except KeyError:  # of a provider that is no longer spoken to
        return base.CannotSay()
    except Exception as fault:  # noqa: BLE001 - wrong settings show in many ways
        log.error("provider %s does not open: %s", look.message.provider, type(fault).__name__)
        return base.NoAnswer()
    return provider.look_up(
        base.Unanswered(
            reference=str(look.message.reference),
            to=content.address,
            sender=look.message.site.sms_number,
            text=content.text,
            hidden=HIDDEN,
            called_at=look.attempt.started_at,
        )
    )


@transaction.atomic
def _finish(look: _Look, answer: base.LookUp, *, now: datetime) -> LookUpAnswer:
    """Store what the provider said and act on it, unless somebody knew better meanwhile."""
    claiming.hold_patients([look.message.patient_id])
    message = Message.objects.select_for_update(no_key=True).get(pk=look.message.pk)
    ours = _ours(message, answer) if isinstance(answer, base.Found) else ()
    said = _read(answer, ours)
    LookUp.objects.filter(pk=look.row.pk).update(answer=said)
    if message.state != MessageState.UNKNOWN:
        return said
    if said is LookUpAnswer.FOUND:
        marking.accept(message.pk, ours[0], now=now)
        _end(look.attempt, base.Outcome.ACCEPTED)
    elif said is LookUpAnswer.ABSENT and _was_absent_before(look):
        _end(look.attempt, base.Outcome.NOT_SENT)
        _schedule(message, now=now)
    elif said in (LookUpAnswer.SEVERAL, LookUpAnswer.CANNOT_SAY):
        fallback.ask_about_unknown(message, attempt=look.attempt.number, now=now)
    return said


def _read(answer: base.LookUp, ours: Sequence[str]) -> LookUpAnswer:
    if isinstance(answer, base.NoAnswer):
        return LookUpAnswer.NO_ANSWER
    if isinstance(answer, base.CannotSay):
        return LookUpAnswer.CANNOT_SAY
    if not ours:
        return LookUpAnswer.ABSENT
    return LookUpAnswer.FOUND if len(ours) == 1 else LookUpAnswer.SEVERAL


def _ours(message: Message, found: base.Found) -> tuple[str, ...]:
    """The candidates that belong to no other message. Where words alone speak for them, each
    other unknown message of the same words might as well own one: then there are two."""
    content = message.content
    numbers = ContactPoint.objects.filter(value=content.address).values("patient")
    taken = set(
        Message.objects.filter(
            Q(patient__in=numbers)
            | Q(patient=None, to_address=content.address, due_at__gte=message.due_at - NEARBY),
            provider_id__in=found.provider_ids,
        )
        .exclude(pk=message.pk)
        .values_list("provider_id", flat=True)
    )
    ours = tuple(each for each in found.provider_ids if each not in taken)
    if ours and not found.is_by_reference and _has_double(message, content):
        return (*ours, "")
    return ours


def _has_double(message: Message, content: SentContent) -> bool:
    unknown = Message.objects.filter(tray=Tray.UNKNOWN, provider=message.provider)
    same = unknown.filter(content__address=content.address, content__text=content.text)
    return same.exclude(pk=message.pk).exists()


def _was_absent_before(look: _Look) -> bool:
    return LookUp.objects.filter(
        message=look.message,
        attempt=look.attempt.number,
        answer=LookUpAnswer.ABSENT,
        at__lt=look.row.at,
    ).exists()


def _end(attempt: Attempt, outcome: base.Outcome) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(outcome=outcome.value)


def _schedule(message: Message, *, now: datetime) -> None:
    """Due again. Its patient is planned first, so that what has changed since withdraws it; the
    gate drops it when it has expired."""
    claiming.plan_anew([message.patient_id])
    message.state, message.reason = MessageState.SCHEDULED, "never_taken"
    message.error_code, message.wake_at = "", now
    message.claim_token = message.claimed_at = None
    message.save(
        update_fields=["state", "reason", "error_code", "wake_at", "claim_token", "claimed_at"]
    )
