"""Conversations: opened by a reply, taken, answered, matched with a patient, closed and
opened again by staff.

Who manages messages answers everything; who treats (`run_visit`) answers what holds a symptom,
because a symptom is for a clinician to judge. Refuses to decide what a reply means.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from appointments.refusals import Refused
from clinic import access, audit, retelling
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.saying import gettext
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.gate import IN_CONVERSATION
from reminders.ledger import claiming, opting_out, saying_now
from reminders.models import Conversation, ConversationState, Message, Suppression
from reminders.models.conversation import ConversationQuerySet
from reminders.wording.rules import HARD_SEGMENTS
from reminders.wording.segments import Segments, fold, segments
from reminders.wording.values import tidy, tidy_lines

State = ConversationState
LONGEST_MAIL = 4000


class ConversationRefused(Refused):
    """The conversation is in no state for this act; `sentence` says what to do."""

    code = "conversation_refused"

    def __init__(self, sentence: str, *, field: str = "state") -> None:
        super().__init__(sentence)
        self.field = field


def of(staff: Staff) -> ConversationQuerySet:
    """The conversations that `staff` may read and answer: at sites where they manage messages all
    of them, at sites where they treat those with a symptom."""
    sites = list(access.sites_of(staff))
    managed = [site for site in sites if access.can(staff, Capability.MANAGE_MESSAGES, site)]
    treating = [site for site in sites if access.can(staff, Capability.RUN_VISIT, site)]
    return Conversation.objects.filter(Q(site__in=managed) | Q(site__in=treating, has_symptom=True))


@transaction.atomic
def take(
    *, conversation: Conversation, by: Staff, now: datetime, over: bool = False
) -> Conversation:
    """Make `by` the owner, end the paging and bring it back into sight; `over` takes it from
    somebody who has it.

    Raises Forbidden, and ConversationRefused when it is closed or somebody else's.
    """
    stored = locked(conversation, by)
    if stored.owner_id not in (None, by.pk) and not over:
        raise ConversationRefused(
            gettext("%(owner)s has taken this conversation already.") % {"owner": stored.owner}
        )
    before = stored.owner_id
    stored.owner, stored.page_at, stored.snoozed_until = by, None, None
    stored.save(update_fields=["owner", "page_at", "snoozed_until"])
    recorded("conversation.take", stored, by=by, now=now, before=before, after={"owner": by.pk})
    return stored


@transaction.atomic
def reply(
    *, conversation: Conversation, text: str, reference: UUID, by: Staff, now: datetime
) -> Message | None:
    """Write back to the number or address, at once and at any hour, in the clinic's name.

    `reference` is made once for what was typed: sent twice, it is said once, and None comes back.

    Raises:
        ConversationRefused: when it is closed or too long, or its address gets no messages.
        Forbidden: unless `by` may answer it.
    """
    stored = locked(conversation, by)
    text = _laid_out(text, Channel(stored.channel))
    _sayable(stored, text)
    message = saying_now.say(
        site=stored.site,
        kind=Kind.STAFF_REPLY,
        channel=Channel(stored.channel),
        to_address=stored.address,
        key=f"staff:{stored.pk}:{reference}",
        now=now,
        text=text,
        patient=stored.patient,
        why=[retelling.kept("%(by)s answered in the inbox.", by=retelling.text(by.name))],
        language=stored.patient.language if stored.patient else "en",
    )
    if message is None:
        return None
    if stored.owner is None:
        stored.owner = by
    if stored.state in (State.NEW, State.ESCALATED):
        stored.state = State.WAITING
    stored.page_at, stored.snoozed_until, stored.last_at = None, None, now
    stored.save(update_fields=["owner", "state", "page_at", "snoozed_until", "last_at"])
    recorded("conversation.reply", stored, by=by, now=now, after={"message": message.pk})
    return message


@transaction.atomic
def match(
    *, conversation: Conversation, patient: Patient, by: Staff, now: datetime
) -> Conversation:
    """Say whose conversation it is, of those who share the address or of anybody at the site.

    Raises Forbidden, and ConversationRefused when it is closed or has a patient already.
    """
    stored = locked(conversation, by)
    if stored.patient_id is not None:
        raise ConversationRefused(gettext("This conversation has a patient already."))
    if not patient.sites.filter(pk=stored.site_id).exists():
        raise ConversationRefused(gettext("This patient is not of this site."), field="patient")
    stored.patient = patient
    if stored.state == State.UNMATCHED:
        stored.state = State.NEW
    stored.save(update_fields=["patient", "state"])
    recorded("conversation.match", stored, by=by, now=now, after={"patient": patient.pk})
    return stored


@transaction.atomic
def close(*, conversation: Conversation, by: Staff, now: datetime) -> Conversation:
    """Close it: what was held back because of it goes out at the next moment that allows.

    Raises Forbidden, and ConversationRefused when it is closed already.
    """
    claiming.hold_patients([conversation.patient_id])
    stored = locked(conversation, by)
    stored.state, stored.page_at, stored.snoozed_until = State.CLOSED, None, None
    stored.closed_at, stored.closed_by = now, by
    stored.save(update_fields=["state", "page_at", "snoozed_until", "closed_at", "closed_by"])
    if stored.has_symptom and stored.patient_id is not None:
        Message.objects.filter(
            patient=stored.patient_id, state=MessageState.SCHEDULED, reason=IN_CONVERSATION
        ).update(wake_at=now)
    recorded("conversation.close", stored, by=by, now=now)
    return stored


@transaction.atomic
def reopen(*, conversation: Conversation, by: Staff, now: datetime) -> Conversation:
    """Take back that it was closed. It is `by`'s from then on, and what a symptom in it held back
    waits again, but for what has left meanwhile.

    Raises Forbidden, and ConversationRefused when it is open, or another one with its address is.
    """
    claiming.hold_patients([conversation.patient_id])
    stored = _allowed(conversation, by)
    if stored.state != State.CLOSED:
        raise ConversationRefused(gettext("This conversation is open."))
    same = {"site": stored.site_id, "channel": stored.channel, "address": stored.address}
    again = gettext("They wrote again since: answer in that conversation.")
    if Conversation.objects.open().filter(**same).exists():
        raise ConversationRefused(again)
    stored.state = State.UNMATCHED if stored.patient_id is None else State.NEW
    stored.owner, stored.closed_at, stored.closed_by = by, None, None
    try:
        with transaction.atomic():
            stored.save(update_fields=["state", "owner", "closed_at", "closed_by"])
    except IntegrityError as error:  # they wrote in this very moment
        raise ConversationRefused(again) from error
    recorded("conversation.reopen", stored, by=by, now=now)
    return stored


def sharers(conversation: Conversation) -> QuerySet[Patient]:
    """The patients who have this number or address now."""
    ids = opting_out.sharers(Channel(conversation.channel), conversation.address)
    return Patient.objects.filter(pk__in=ids)


def suppression(conversation: Conversation) -> Suppression | None:
    """Why nothing may be written to its address, if so."""
    return Suppression.objects.filter(
        channel=conversation.channel, address=conversation.address, lifted_at=None
    ).first()


def counted(site: Site, text: str) -> Segments:
    """The length of an answer by text message, with the clinic's name before it."""
    return segments(fold(f"{site.sms_name}: {' '.join(text.split())}"))


def _laid_out(text: str, channel: Channel) -> str:
    """A mail keeps its lines, a text message is one."""
    return tidy_lines(text) if channel == Channel.EMAIL else tidy(text)


def _sayable(conversation: Conversation, text: str) -> None:
    if not text:
        raise ConversationRefused(gettext("Write what you want to say."), field="text")
    if suppression(conversation) is not None:
        raise ConversationRefused(gettext("This address gets no messages from us. Call instead."))
    if conversation.channel == Channel.SMS:
        count = counted(conversation.site, text).count
        if count > HARD_SEGMENTS:
            raise ConversationRefused(
                gettext("This takes %(count)s text messages; write at most %(hard_segments)s.")
                % {"count": count, "hard_segments": HARD_SEGMENTS},
                field="text",
            )
    elif len(text) > LONGEST_MAIL:
        raise ConversationRefused(
            gettext("Write at most %(longest_mail)s characters.") % {"longest_mail": LONGEST_MAIL},
            field="text",
        )


def locked(conversation: Conversation, by: Staff) -> Conversation:
    """The open conversation as it is now, locked. Raises Forbidden and ConversationRefused."""
    stored = _allowed(conversation, by)
    if stored.state == State.CLOSED:
        raise ConversationRefused(
            gettext("This conversation is closed. A new reply opens another.")
        )
    return stored


def _allowed(conversation: Conversation, by: Staff) -> Conversation:
    """The conversation as it is now, locked. Raises Forbidden."""
    Conversation.objects.select_for_update(no_key=True).only("pk").get(pk=conversation.pk)
    stored = Conversation.objects.select_related("site", "patient", "owner").get(pk=conversation.pk)
    if not (stored.has_symptom and access.can(by, Capability.RUN_VISIT, stored.site)):
        access.require(by, Capability.MANAGE_MESSAGES, stored.site)
    return stored


def recorded(
    action: str,
    conversation: Conversation,
    *,
    by: Staff,
    now: datetime,
    before: int | None = None,
    after: dict[str, int | str] | None = None,
) -> None:
    """Write an act on the conversation into the trail; `before` is who had it."""
    audit.record(
        action=action,
        subject=conversation,
        by=by,
        now=now,
        site=conversation.site,
        patient_id=conversation.patient_id,
        before={"owner": before} if before else {},
        after=after or {},
    )
