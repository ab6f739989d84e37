"""One reply, from the provider's report to everything that follows from it, in one transaction.

It is stored once, however often it is reported, and what it means takes effect at once. A reply
whose person is not certain is never guessed at: it waits for staff.

Locks in this order: the visit, the patients, the conversation.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce
from itertools import chain
from operator import or_

from django.db import IntegrityError, transaction
from django.db.models import Q

from appointments.lifecycle import MoveRefused
from appointments.refusals import StaleVersion
from appointments.visits import attendance
from clinic import site_settings
from clinic.models import Site
from patients.models import Patient
from reminders.catalogue import Channel
from reminders.inbound import provider_answers, questions
from reminders.inbound.grammar import Label, Reading, read
from reminders.inbound.questions import Asked
from reminders.inbound.reacting import Heard, react
from reminders.ledger import addresses, claiming, opting_out
from reminders.models import (
    Conversation,
    ConversationState,
    InboundMessage,
    Message,
    Suppression,
    SuppressionReason,
)

log = logging.getLogger(__name__)

State = ConversationState
# A text has 1,600 characters at most; of a mail nobody reads more.
LONGEST = 10_000
# The settings of a site that are written to.
_SENDERS = {Channel.SMS: ("sms_number",), Channel.EMAIL: ("email_address", "reply_to")}
# Whoever says only this needs nobody: it is done already.
_DONE_AT_ONCE = frozenset({Label.OPTOUT, Label.START, Label.HELP, Label.CONFIRM, Label.ANSWER})


class _CameBefore(Exception):
    """Another report of the same reply is stored."""


def receive(
    *,
    channel: Channel,
    provider: str,
    provider_id: str,
    from_address: str,
    to_address: str,
    text: str,
    answered_as: str,
    received_at: datetime,
    now: datetime,
) -> InboundMessage | None:
    """Take in one reply; None when it was taken in before, or was written to no site of ours.

    `provider_id` is the provider's own id of it. `answered_as` is what the provider took it
    for and has answered itself: "stop", "start", "help", or empty. Addresses are as they are
    stored: E.164 or lower case.
    """
    site = _site(channel, from_address, to_address)
    if site is None:
        log.warning("a reply by %s was written to no site", channel)
        return None
    try:
        with transaction.atomic():
            return _take_in(
                site,
                channel,
                provider,
                provider_id,
                from_address,
                text,
                answered_as,
                received_at=received_at,
                now=now,
            )
    except _CameBefore:
        return None


def _take_in(
    site: Site,
    channel: Channel,
    provider: str,
    provider_id: str,
    address: str,
    text: str,
    answered_as: str,
    *,
    received_at: datetime,
    now: datetime,
) -> InboundMessage:
    if InboundMessage.objects.filter(provider=provider, provider_id=provider_id).exists():
        raise _CameBefore
    text = text.replace("\x00", "")[:LONGEST]
    people = list(
        Patient.objects.filter(pk__in=opting_out.sharers(channel, address)).order_by("pk")
    )
    asked = questions.open_to(
        channel=channel, address=address, patients=[each.pk for each in people], now=now
    )
    reading = read(
        text,
        question=asked.question,
        is_opted_out=_is_opted_out(channel, address),
        is_flagged=answered_as == "stop",
        names=[name for each in people for name in _names(each)],
    )
    is_confirmed = Label.CONFIRM in reading.labels and _confirm(asked, now=now)
    claiming.hold_patients(each.pk for each in people)
    conversation = _conversation(site, channel, address, people, reading, is_confirmed, now=now)
    try:
        with transaction.atomic():
            reply = InboundMessage.objects.create(
                conversation=conversation,
                provider=provider,
                provider_id=provider_id,
                received_at=received_at,
                text=text,
                labels=sorted(reading.labels),
                question=asked.question or "",
                answers=asked.message if _answers(reading) else None,
            )
    except IntegrityError:
        raise _CameBefore from None
    answered = answered_as or provider_answers.answered_as(text, channel=channel, provider=provider)
    heard = Heard(reply, conversation, reading, asked, tuple(people), is_confirmed, answered)
    reply.did = react(heard, now=now)
    reply.save(update_fields=["did"])
    return reply


def site_of(said: Mapping[str, str]) -> int | None:
    """The site that a reply was written to, by what was reported of it."""
    site = _site(Channel(said["channel"]), said["from_address"], said["to_address"])
    return site.pk if site else None


def _site(channel: Channel, from_address: str, to_address: str) -> Site | None:
    """The site that was written to; where no site has that sender any more, one that had it: a
    STOP to a former number, or a symptom, must reach somebody. Of several the one that last wrote
    to this address."""
    if not to_address:
        return None
    senders = _SENDERS[channel]
    has = reduce(or_, (Q(**{f"{name}__iexact": to_address}) for name in senders))
    found = list(Site.objects.filter(has).order_by("pk"))
    if not found:
        had = site_settings.sites_that_had(*senders, value=to_address)
        found = list(Site.objects.filter(pk__in=had).order_by("pk"))
    if len(found) < 2:
        return next(iter(found), None)
    wrote = Message.objects.filter(channel=channel, content__address=from_address, site__in=found)
    last = wrote.order_by("-content__at").select_related("site").first()
    return last.site if last else found[0]


def ours(addresses: Sequence[str]) -> str:
    """The first of these e-mail addresses that is a site's own, or else was, or empty. Lower
    case."""
    senders = _SENDERS[Channel.EMAIL]
    known = {address.lower() for pair in Site.objects.values_list(*senders) for address in pair}
    former = (each for each in addresses if site_settings.sites_that_had(*senders, value=each))
    return next(chain((each for each in addresses if each in known), former), "")


def _is_opted_out(channel: Channel, address: str) -> bool:
    return Suppression.objects.filter(
        channel=channel,
        address__in=addresses.either(address),
        reason=SuppressionReason.OPTED_OUT,
        lifted_at=None,
    ).exists()


def _names(patient: Patient) -> list[str]:
    given = (patient.first_name, patient.legal_given, patient.legal_family)
    return [name for name in given if name]


def _answers(reading: Reading) -> bool:
    return bool(reading.labels & {Label.CONFIRM, Label.CHANGE, Label.ANSWER})


def _confirm(asked: Asked, *, now: datetime) -> bool:
    """Confirm the visit that was asked about; False when it changed meanwhile."""
    assert asked.visit is not None
    try:
        attendance.confirm(
            appointment=asked.visit, by=None, now=now, expected_version=asked.visit.version
        )
    except (MoveRefused, StaleVersion):
        return False
    return True


def _conversation(
    site: Site,
    channel: Channel,
    address: str,
    people: list[Patient],
    reading: Reading,
    is_confirmed: bool,
    *,
    now: datetime,
) -> Conversation:
    """The open conversation with this address, or a new one, in the state that the reply leaves.

    One that asks nothing of anybody is opened closed.
    """
    stored = (
        Conversation.objects.select_for_update(no_key=True)
        .filter(site=site, channel=channel, address=address)
        .exclude(state=State.CLOSED)
        .first()
    )
    is_done = reading.labels <= _DONE_AT_ONCE and not reading.may_mean_visit
    is_done = is_done and (is_confirmed or Label.CONFIRM not in reading.labels)
    if stored is None:
        patient = people[0] if len(people) == 1 else None
        stored = Conversation(
            site=site,
            channel=channel,
            address=address,
            patient=patient,
            state=State.CLOSED if is_done else State.NEW if patient else State.UNMATCHED,
            closed_at=now if is_done else None,
            opened_at=now,
        )
    elif stored.state == State.WAITING and not is_done:
        stored.state = State.NEW if stored.patient_id else State.UNMATCHED
    if reading.labels & {Label.SYMPTOM_URGENT, Label.SYMPTOM_REVIEW}:
        stored.has_symptom = True
    if Label.SYMPTOM_URGENT in reading.labels and stored.state != State.ESCALATED:
        # Whoever had it before it was urgent may not be there now.
        stored.state, stored.owner = State.ESCALATED, None
        stored.closed_at = None
    stored.last_at, stored.snoozed_until = now, None
    stored.save()
    return stored
