"""Messages as staff read them: when, why, the words, what may be done; in few queries for many.

Shared by the patient's page and the pages of messages. Writes the words of what is still to be
sent by the road of the dispatcher, and stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.looking import shows
from reminders import gate
from reminders.catalogue import Channel, MessageState, Purpose, Tray
from reminders.journeys import recipients
from reminders.ledger import retrying, skipping
from reminders.ledger.other_channel import NOWHERE, Elsewhere, elsewhere
from reminders.ledger.provider_codes import Action, meaning
from reminders.models import Attempt, Message, Receipt, SentContent
from reminders.sending import letters, retiming, switching, taking

ON_ITS_WAY = (MessageState.SCHEDULED, MessageState.SUBMITTING)
FAILED = (Tray.FAILED, Tray.UNKNOWN)
REASON_LENGTH = 200
WAITS = {
    "visit_done": _("It waits until the visit is done; its time counts from then."),
    "series_done": _("It waits until the last session is done; its time counts from then."),
}


@dataclass(slots=True)
class MessageRow:
    """One message. `content` are its words, of what was sent or would be; `outlook` why it would
    not go out as things stand; `code` what the provider gave of a failed one, and `has_bad_address`
    whether that is about whom it went to; `there` what the other channel says of a failed one."""

    message: Message
    why: list[str]
    stops: str = ""
    outlook: str = ""
    code: str = ""
    has_bad_address: bool = False
    there: Elsewhere = NOWHERE
    content: SentContent | None = None
    may_skip: bool = False
    may_put_back: bool = False
    may_retry: bool = False
    may_retime: bool = False
    may_switch: bool = False

    @property
    def at(self) -> datetime:
        return self.message.accepted_at or self.message.due_at

    @property
    def is_to_come(self) -> bool:
        return self.message.state in ON_ITS_WAY

    @property
    def is_unsent(self) -> bool:
        """It was not and will not be sent, and has a reason."""
        return bool(self.message.reason) and not self.is_to_come

    @property
    def said_elsewhere(self) -> str:
        """That the other channel says the same, and of which staff chose so."""
        if self.there.is_switched:
            return gettext(retrying.WENT_BY_THE_OTHER[Channel(self.message.channel)])
        return gettext("The other channel says the same already.") if self.there.is_said else ""

    @property
    def held_until(self) -> datetime | None:
        """Until when the gate holds it, of what has fallen due and waits."""
        is_held = self.is_to_come and self.message.gate_why
        return self.message.wake_at if is_held else None

    @property
    def waits(self) -> str:
        return str(WAITS.get(self.message.waits_for, "")) if self.is_to_come else ""


@dataclass(slots=True)
class _Powers:
    """Whether the reader may manage the messages of a site; asked once a site."""

    staff: Staff
    known: dict[int, bool] = field(default_factory=dict)

    def over(self, message: Message) -> bool:
        if message.site_id not in self.known:
            self.known[message.site_id] = access.can(
                self.staff, Capability.MANAGE_MESSAGES, message.site
            )
        return self.known[message.site_id]


def seen(request: HttpRequest, message_id: int) -> Message:
    """A message that who asks may see, looked at from now on; else 404."""
    rows = Message.objects.seen_by(cast(Staff, request.user))
    found = get_object_or_404(rows.select_related("patient", "site"), pk=message_id)
    shows(request, found, patient_id=found.patient_id)
    return found


def rows_of(
    messages: Sequence[Message], *, staff: Staff, now: datetime, whole: bool = False
) -> list[MessageRow]:
    """A row for each of these messages, in their order. Patient and site must be loaded. What the
    other channel says is looked up of those that failed, and of all where they are shown `whole`.
    """
    powers = _Powers(staff)
    asked = [message for message in messages if whole or message.tray in FAILED]
    there = elsewhere(asked) if asked else {}
    return [_row(each, powers, there.get(each.pk, NOWHERE), now) for each in messages]


def _row(message: Message, powers: _Powers, there: Elsewhere, now: datetime) -> MessageRow:
    mine = powers.over(message)
    return MessageRow(
        message,
        why=[*message.why, *message.gate_why],
        stops=_stops(message),
        there=there,
        may_skip=mine and skipping.can_skip(message),
        may_put_back=mine and skipping.can_unskip(message),
        may_retry=mine and retrying.can_retry(message, there, now=now),
        may_retime=mine and retiming.can_retime(message),
        may_switch=mine and switching.is_worth_offering(message, there, now=now),
    )


def _stops(message: Message) -> str:
    if message.state not in ON_ITS_WAY:
        return ""
    if message.purpose == Purpose.MARKETING:
        return gettext("Stops if the patient books again or withdraws this consent.")
    return gettext("Stops if the visit is moved or cancelled, or the patient opts out.")


def add_words(rows: Sequence[MessageRow], now: datetime) -> None:
    """Add to these rows their words and their outlook."""
    contents = SentContent.objects.select_related("wording__site")
    sent = contents.in_bulk([row.message.pk for row in rows], field_name="message_id")
    planned = [row.message for row in rows if row.message.state == MessageState.SCHEDULED]
    readers = recipients.of(planned)
    written, _ = letters.write(planned, readers, now=now, to_show=True)
    drafts = {each.message.pk: SentContent(**each.words._asdict(), at=now) for each in written}
    for row in rows:
        pk = row.message.pk
        row.content = sent.get(pk) or drafts.get(pk)
        if pk in readers:
            row.outlook = _outlook(row.message, readers[pk], now)


def add_codes(rows: Sequence[MessageRow]) -> None:
    """Add to those of these rows that failed the last code of their provider."""
    failed = [row for row in rows if row.message.tray in FAILED]
    codes: dict[int, str] = {}
    for of in (Attempt.objects.order_by("number"), Receipt.objects.order_by("id")):
        given = of.filter(message__in=[row.message for row in failed]).exclude(code="")
        codes |= dict(given.values_list("message_id", "code"))
    for row in failed:
        row.code = codes.get(row.message.pk, "")
        row.has_bad_address = (
            bool(row.code)
            and row.message.patient_id is not None
            and meaning(row.code).action is Action.FALLBACK
        )


def _outlook(message: Message, recipient: gate.Recipient, now: datetime) -> str:
    """Why the gate would not let it go at its moment, as things stand; else empty."""
    decision = gate.decide(taking.envelope(message), recipient, now=max(now, message.due_at))
    return decision.why if isinstance(decision, gate.Skip) else ""
