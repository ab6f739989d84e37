"""Sending a message again because staff say so.

Owns what may be sent again and on which terms. It goes the road of every message: planned anew
first, so that a visit that moved meanwhile withdraws it, then the gate.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from appointments.refusals import Refused
from clinic import access, audit, statements
from clinic.access import Capability
from clinic.models import Site, Staff
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
    [(stored, refusal)] = _held([message], now=now, may_repeat=may_repeat)
    if refusal:
        raise refusal
    _schedule([stored], site=stored.site, by=by, now=now, reason=reason)
    return stored


@transaction.atomic
def retry_what_may(*, messages: Collection[Message], site: Site, by: Staff, now: datetime) -> int:
    """Schedule those of these messages at once that are of the site, may be sent again and
    certainly did not arrive; how many. In a constant number of queries.

    Raises Forbidden when `by` may not manage messages there.
    """
    access.require(by, Capability.MANAGE_MESSAGES, site)
    here = [each for each in messages if each.site_id == site.pk]
    held = _held(here, now=now, may_repeat=False)
    going = [stored for stored, refusal in held if refusal is None]
    _schedule(going, site=site, by=by, now=now)
    return len(going)


def _held(
    messages: Collection[Message], *, now: datetime, may_repeat: bool
) -> list[tuple[Message, RetryRefused | None]]:
    """These messages as they are stored, under their patients' locks and their own, and why they
    cannot be sent again, if so."""
    claiming.hold_patients(each.patient_id for each in messages)
    found = Message.objects.select_for_update(no_key=True, of=("self",)).select_related("site")
    stored = list(found.filter(pk__in=[each.pk for each in messages]).order_by("pk"))
    there = elsewhere(stored)
    return [
        (each, _refusal(each, there.get(each.pk, NOWHERE), now=now, may_repeat=may_repeat))
        for each in stored
    ]


def _schedule(
    going: Sequence[Message], *, site: Site, by: Staff, now: datetime, reason: str = ""
) -> None:
    """Make messages of a site due, which this transaction holds."""
    may_pass_hours = access.can(by, Capability.SEND_AT_ANY_HOUR, site)
    entries = []
    for each in going:
        before = {"state": each.state, "reason": each.reason}
        # The reason to pass the hours was about the former sending, and only who may pass them
        # repeats.
        if each.state != MessageState.UNKNOWN or not may_pass_hours:
            each.at_any_hour = False
        each.state = MessageState.SCHEDULED
        each.wake_at = now
        # What belongs to the former sending; the next one has its own.
        each.reason = each.error_code = each.provider_id = ""
        each.claim_token = each.claimed_at = each.accepted_at = each.closed_at = None
        each.attempts_made = 0
        entries.append(
            audit.entry(
                action="message.retry",
                subject=each,
                by=by,
                now=now,
                site=site,
                patient_id=each.patient_id,
                before=before,
                after={"state": each.state},
                reason=reason,
            )
        )
    Message.objects.bulk_update(
        going,
        [
            *("state", "reason", "error_code", "provider_id", "wake_at"),
            *("claim_token", "claimed_at", "accepted_at", "closed_at"),
            *("attempts_made", "at_any_hour"),
        ],
    )
    writing_deaths.forgive(going)
    claiming.plan_anew(each.patient_id for each in going)
    statements.add(*entries)


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
