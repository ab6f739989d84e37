"""Staff let a planned message leave at another time: later, now, or at its own time after all.

The time is a fact of the plan and the message is planned anew with it. What staff may choose is
`choosing`'s to say; as it leaves, the gate looks at everything once more.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from appointments.refusals import Refused
from clinic import access, saying_times
from clinic.access import Capability
from clinic.models import Staff
from clinic.retelling import retold
from clinic.saying import gettext, language
from reminders import choosing, gate
from reminders.catalogue import MessageState, Purpose
from reminders.choosing import Refusal
from reminders.journeys import recipients
from reminders.journeys.traffic import Traffic
from reminders.ledger import skipping
from reminders.models import Message, MessageItem
from reminders.sending import taking


class TimeRefused(Refused):
    """The message may not leave at that time; `sentence` says why, and when it may."""

    code = "time_refused"
    field = "until"


class OutOfHours(TimeRefused):
    """Whoever may send at any hour may let it leave all the same, for a reason."""

    code = "out_of_hours"
    field = "at_any_hour"


class ReasonMissing(TimeRefused):
    code = "reason_missing"
    field = "reason"


@transaction.atomic
def put_off(*, message: Message, until: datetime, by: Staff, now: datetime) -> None:
    """Let a message wait until a moment (UTC) at which it may leave and is still of use.

    Raises Forbidden unless `by` may manage messages, TimeRefused with what to do instead.
    """
    stored = _held(message, by)
    envelope, recipient = _as_judged(stored)
    refusal = choosing.to_put_off(envelope, recipient, until=until, now=now)
    if refusal is not None:
        raise TimeRefused(_sentence(refusal, stored))
    _choose(stored, until, "message.put_off", by=by, now=now)


@transaction.atomic
def send_now(
    *, message: Message, by: Staff, now: datetime, at_any_hour: bool = False, reason: str = ""
) -> None:
    """Let a message leave now, by the gate; with `at_any_hour` outside of the hours for care too.

    Raises:
        Forbidden: unless `by` may manage messages, and send at any hour where that is asked.
        OutOfHours: when nothing but the hours for care is in the way.
        ReasonMissing: when it is to leave at any hour and no reason is given.
        TimeRefused: when something else is in the way; the sentence says what to do.
    """
    stored = _held(message, by)
    if at_any_hour:
        access.require(by, Capability.SEND_AT_ANY_HOUR, stored.site)
        if not reason.strip():
            raise ReasonMissing(gettext("Write why it leaves outside of the hours for care."))
        if stored.purpose != Purpose.CARE:
            raise TimeRefused(gettext("Only what is about care may leave outside of its hours."))
    envelope, recipient = _as_judged(stored)
    if stored.chosen_at is not None or stored.due_at < now:
        envelope = choosing.bound(envelope)  # as it is planned then
    had = Traffic([stored], {stored.pk: recipient}, now=now).had(stored)
    refusal = choosing.to_send_now(envelope, recipient, now=now, had=had)
    passes = at_any_hour and refusal is not None  # by day there are no hours to pass
    if passes:
        refusal = choosing.to_send_now(envelope, recipient, now=now, had=had, at_any_hour=True)
    if refusal is not None:
        refused = OutOfHours if refusal.passable else TimeRefused
        raise refused(_sentence(refusal, stored))
    _choose(stored, now, "message.send_now", by=by, now=now, at_any_hour=passes, reason=reason)


@transaction.atomic
def at_planned_time(*, message: Message, by: Staff, now: datetime) -> None:
    """Take back the time that staff chose. Raises as `put_off` does."""
    stored = _held(message, by)
    if stored.chosen_at is None:
        raise TimeRefused(gettext("This message has its own time."))
    _choose(stored, None, "message.planned_time", by=by, now=now)


def can_retime(message: Message) -> bool:
    """Whether the message may have another time: it is planned, no dispatcher has it, and it waits
    for nothing but its time."""
    return (
        skipping.is_planned(message)
        and message.state == MessageState.SCHEDULED
        and not message.waits_for
    )


def has_chosen_time(message: Message) -> bool:
    return can_retime(message) and message.chosen_at is not None


def _held(message: Message, by: Staff) -> Message:
    """The stored message under its lock, taken after its patient's as planning does it."""
    access.require(by, Capability.MANAGE_MESSAGES, message.site)
    stored = skipping.locked(message)
    if stored.state == MessageState.SCHEDULED and stored.waits_for:
        raise TimeRefused(gettext("It waits until the visit is done; its time counts from then."))
    if not can_retime(stored):
        raise TimeRefused(
            gettext("Only a planned message that has not left yet may have another time.")
        )
    return stored


def _as_judged(message: Message) -> tuple[gate.Envelope, gate.Recipient]:
    return taking.envelope(message), recipients.of([message])[message.pk]


def _choose(
    message: Message,
    at: datetime | None,
    action: str,
    *,
    by: Staff,
    now: datetime,
    at_any_hour: bool = False,
    reason: str = "",
) -> None:
    before = message.chosen_at or message.due_at
    # What was chosen for a message that said some of the same is over.
    _saying_the_same(message).update(chosen_at=None, chosen_by=None, at_any_hour=False)
    if at is not None:
        Message.objects.filter(pk=message.pk).update(
            chosen_at=at, chosen_by=by, at_any_hour=at_any_hour
        )
    skipping.planned_anew(
        message,
        action,
        by=by,
        now=now,
        before={"due_at": before.isoformat()},
        after={"due_at": at.isoformat(), "at_any_hour": at_any_hour} if at else {},
        reason=reason,
    )


def _saying_the_same(message: Message) -> QuerySet[Message]:
    """The message and every other of the patient's with a chosen time that says something of it,
    of whichever version of the visit."""
    said = MessageItem.objects.filter(message=message)
    steps = {(item.anchor, item.step, item.channel) for item in said}
    others = MessageItem.objects.filter(
        message__patient=message.patient_id,
        message__chosen_at__isnull=False,
        message__claimed_at=None,
    )
    return Message.objects.filter(
        pk__in=[
            item.message_id for item in others if (item.anchor, item.step, item.channel) in steps
        ]
    )


def _sentence(refusal: Refusal, message: Message) -> str:
    """Why it is refused, and from when on it may leave."""
    why = retold(refusal.why)
    if refusal.earliest is None or refusal.earliest >= message.expires_at:
        return why
    when = saying_times.format_when(refusal.earliest, message.site.zone, language(), year=False)
    may = gettext("It may leave from %(when)s on: put it off until then.") % {"when": when}
    return f"{why} {may}"
