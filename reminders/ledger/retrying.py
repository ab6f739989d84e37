"""Sending a message again because staff say so.

Owns what may be sent again and on which terms. It goes the road of every message: planned anew
first, so that a visit that moved meanwhile withdraws it, then the gate.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from appointments.refusals import Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext, noop
from reminders.catalogue import Channel, MessageState
from reminders.ledger import claiming, writing_deaths
from reminders.ledger.other_channel import NOWHERE, Elsewhere, elsewhere
from reminders.models import Message

# What the gate refused may since have been mended: a consent given, a number added.
GATE_REASONS = frozenset({"no_consent", "no_address", "suppressed", "not_live", "no_common_hour"})
CERTAINLY_NOT_RECEIVED = (MessageState.FAILED, MessageState.UNDELIVERED)
# Why what staff switched from this channel is not sent again by it.
WENT_BY_THE_OTHER = {
    Channel.SMS: noop("Staff let this text go by e-mail instead: retry the e-mail if it failed."),
    Channel.EMAIL: noop("Staff let this e-mail go by text instead: retry the text if it failed."),
}


class RetryRefused(Refused):
    """The message cannot be sent again; `sentence` says why."""

    code = "retry_refused"
    field = "state"


class MayRepeat(RetryRefused):
    """It may have reached the patient already; say `may_repeat` to send it all the same."""

    code = "may_repeat"


@transaction.atomic
def retry(
    *,
    message: Message,
    by: Staff,
    now: datetime,
    may_repeat: bool = False,
    reason: str = "",
) -> Message:
    """Schedule a failed, undelivered, unknown or held-back message at once.

    Raises:
        Forbidden: when `by` may not manage messages at its site.
        MayRepeat: when its outcome is unknown and `may_repeat` is not said.
        RetryRefused: when its state or its expiry forbids it, or staff let it go by the other
            channel.
    """
    access.require(by, Capability.MANAGE_MESSAGES, message.site)
    claiming.hold_patients([message.patient_id])
    stored = Message.objects.select_for_update(no_key=True).get(pk=message.pk)
    there = elsewhere([stored]).get(stored.pk, NOWHERE)
    if refusal := _refusal(stored, there, now=now, may_repeat=may_repeat):
        raise refusal
    before = {"state": stored.state, "reason": stored.reason}
    # The reason to pass the hours was about the former sending, and only who may pass them repeats.
    if stored.state != MessageState.UNKNOWN or not access.can(
        by, Capability.SEND_AT_ANY_HOUR, stored.site
    ):
        stored.at_any_hour = False
    stored.state = MessageState.SCHEDULED
    stored.wake_at = now
    # What belongs to the former sending; the next one has its own.
    stored.reason = stored.error_code = stored.provider_id = ""
    stored.claim_token = stored.claimed_at = stored.accepted_at = stored.closed_at = None
    stored.attempts_made = 0
    stored.save(
        update_fields=[
            *("state", "reason", "error_code", "provider_id", "wake_at"),
            *("claim_token", "claimed_at", "accepted_at", "closed_at"),
            *("attempts_made", "at_any_hour"),
        ]
    )
    writing_deaths.forgive(stored)
    claiming.plan_anew([stored.patient_id])
    audit.record(
        action="message.retry",
        subject=stored,
        by=by,
        now=now,
        site=stored.site,
        patient_id=stored.patient_id,
        before=before,
        after={"state": stored.state},
        reason=reason,
    )
    return stored


def can_retry(message: Message, there: Elsewhere, *, now: datetime) -> bool:
    """Whether a retry would be accepted, by those who may and with `may_repeat` said."""
    return _refusal(message, there, now=now, may_repeat=True) is None


def _refusal(
    message: Message, there: Elsewhere, *, now: datetime, may_repeat: bool
) -> RetryRefused | None:
    if now >= message.expires_at:
        return RetryRefused(gettext("It is too late for this message to be of use."))
    if there.is_switched:
        return RetryRefused(gettext(WENT_BY_THE_OTHER[Channel(message.channel)]))
    if message.state == MessageState.UNKNOWN:
        sentence = gettext("The patient may already have this message. Send it again all the same?")
        return None if may_repeat else MayRepeat(sentence)
    held_back = message.state == MessageState.SKIPPED and message.reason in GATE_REASONS
    if message.state in CERTAINLY_NOT_RECEIVED or held_back:
        return None
    return RetryRefused(
        gettext("A message that is %(state)s cannot be sent again.") % {"state": message.state}
    )
