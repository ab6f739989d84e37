"""Staff let a message that is planned, or did not arrive, go by the other channel, and back: a fact
of the plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from copy import copy
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from appointments.refusals import Refused
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.retelling import retold
from clinic.saying import gettext
from reminders import choosing
from reminders.catalogue import Channel
from reminders.journeys import recipients
from reminders.ledger import skipping
from reminders.ledger.fallback import Said
from reminders.ledger.other_channel import NOWHERE, Elsewhere, elsewhere
from reminders.ledger.retrying import CERTAINLY_NOT_RECEIVED
from reminders.models import Message, MessageItem, SkipChoice
from reminders.planning.choices import OTHER
from reminders.sending import letters, taking


class SwitchRefused(Refused):
    """The message cannot go by the other channel; `sentence` says why."""

    code = "switch_refused"
    field = "channel"


@transaction.atomic
def switch(*, message: Message, by: Staff, now: datetime) -> None:
    """Say by the other channel what a planned message says, or one that did not arrive. It is
    planned anew, takes the place of this one, also when the visit moves, and passes the gate.

    Raises Forbidden unless `by` may manage messages; SwitchRefused once it has arrived or is of no
    use any more, or when consent, address or what is said already stand against it.
    """
    stored = _held(message, by, now)
    other = _by_the_other(stored)
    there = elsewhere([stored]).get(stored.pk, NOWHERE)
    if there.is_said:
        if stored.state in CERTAINLY_NOT_RECEIVED:
            raise SwitchRefused(gettext("The other channel says the same already."))
        raise SwitchRefused(
            gettext("An e-mail says the same already: skip this text instead.")
            if other.channel == Channel.EMAIL
            else gettext("A text says the same already: skip this e-mail instead.")
        )
    if there.is_unsaid:
        raise SwitchRefused(
            gettext(
                "The e-mail with the same was skipped or did not arrive: put it back, or leave"
                " this text."
            )
            if other.channel == Channel.EMAIL
            else gettext(
                "The text with the same was skipped or did not arrive: put it back, or leave this"
                " e-mail."
            )
        )
    readers = recipients.of([other])
    refusal = choosing.to_switch(taking.envelope(other), readers[other.pk], now=now)
    if refusal is not None:
        raise SwitchRefused(retold(refusal.why))
    written, _ = letters.write([other], readers, now=now, to_show=True)
    if not written:
        raise SwitchRefused(gettext("Its words cannot be written for that channel."))
    came_here = SkipChoice.objects.filter(_switched(stored))
    if came_here.exists():  # from where it goes now: it has its own channel again
        came_here.delete()
        _planned_anew(stored, "message.switch", other.channel, by=by, now=now)
        return
    choices = skipping.choices_of(stored)
    # Skipped there before it was switched back: it is wanted there now.
    SkipChoice.objects.filter(_of(choices, channel=other.channel, instead="")).delete()
    SkipChoice.objects.bulk_create(
        (
            SkipChoice(
                series_id=series,
                session=session,
                step=step,
                channel=channel,
                instead=other.channel,
                by=by,
                at=now,
            )
            for series, session, step, channel in choices
        ),
        update_conflicts=True,
        unique_fields=["series", "session", "step", "channel"],
        update_fields=["instead", "by", "at"],
    )
    _planned_anew(stored, "message.switch", other.channel, by=by, now=now)


@transaction.atomic
def switch_back(*, message: Message, by: Staff, now: datetime) -> None:
    """Say again by its own channel what staff switched to this one. Raises as `switch` does."""
    access.require(by, Capability.MANAGE_MESSAGES, message.site)
    stored = skipping.locked(message)
    switched = SkipChoice.objects.filter(_switched(stored, there=True) | _switched(stored))
    own = {choice.channel for choice in switched}
    if not own:
        raise SwitchRefused(gettext("This message goes by its own channel."))
    if _has_left(stored, own):
        raise SwitchRefused(gettext("It has left by the other channel already."))
    switched.delete()
    _planned_anew(stored, "message.switch_back", own.pop(), by=by, now=now)


def can_switch(message: Message, *, now: datetime) -> bool:
    """Whether the message is planned and has not left, as for skipping it, or did not arrive and is
    still of use; what stands against the other channel is said when it is tried."""
    has_failed = message.state in CERTAINLY_NOT_RECEIVED and now < message.expires_at
    return skipping.can_skip(message) or (has_failed and skipping.is_of_visit(message))


def is_worth_offering(message: Message, there: Elsewhere, *, now: datetime) -> bool:
    """Whether it can be switched, and the other channel neither says it nor lost it."""
    return can_switch(message, now=now) and not (there.is_said or there.is_unsaid)


def is_switched(message: Message) -> bool:
    """Whether something that the message, which has not left, says came from the other channel."""
    return skipping.can_skip(message) and SkipChoice.objects.filter(_switched(message)).exists()


def _held(message: Message, by: Staff, now: datetime) -> Message:
    access.require(by, Capability.MANAGE_MESSAGES, message.site)
    stored = skipping.locked(message)
    if not can_switch(stored, now=now):
        raise SwitchRefused(
            gettext(
                "Only a planned message that has not left yet, or one that did not arrive and is"
                " still of use, can go by another channel."
            )
        )
    return stored


def _by_the_other(message: Message) -> Message:
    """The message as it would be by the other channel; stored nowhere."""
    other = copy(message)
    other.channel = OTHER[Channel(message.channel)]
    return other


def _said(item: MessageItem) -> Said:
    return item.anchor, item.schedule_version, item.step


def _switched(message: Message, *, there: bool = False) -> Q:
    """The choices by which something that this message says came to its channel, or went `there`:
    to the other."""
    other = OTHER[Channel(message.channel)]
    way = (message.channel, other) if there else (other, message.channel)
    return _of(skipping.choices_of(message), channel=way[0], instead=way[1])


def _of(choices: Iterable[tuple[int, int, str, str]], *, channel: str, instead: str) -> Q:
    """Choices about the same steps, on a channel."""
    wanted = Q(pk__in=[])
    for series, session, step, _ in choices:
        wanted |= Q(series=series, session=session, step=step, channel=channel, instead=instead)
    return wanted


def _has_left(message: Message, channels: Collection[str]) -> bool:
    """Whether a dispatcher has taken up what the message says, by one channel or the other; what
    failed on these `channels`, from which staff switched it, has not."""
    own = {_said(item) for item in message.items.all()}
    taken_up = MessageItem.objects.filter(
        anchor__in={anchor for anchor, _, _ in own}, live=True, message__claimed_at__isnull=False
    ).exclude(channel__in=channels, message__state__in=CERTAINLY_NOT_RECEIVED)
    return any(_said(item) in own for item in taken_up)


def _planned_anew(message: Message, action: str, channel: str, *, by: Staff, now: datetime) -> None:
    skipping.planned_anew(
        message,
        action,
        by=by,
        now=now,
        before={"channel": message.channel},
        after={"channel": channel},
    )
