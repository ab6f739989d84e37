"""What was said in both directions with one number or address of a site, in order. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from appointments.lifecycle import TO_COME
from appointments.models import Appointment
from patients import consent
from reminders.catalogue import Channel, Kind, MessageState
from reminders.channels import agreements
from reminders.models import Conversation, DraftText, InboundMessage, SentContent

# Of each direction: what stands before is on the patient's page.
SHOWN = 30
_TO_LEAVE = (MessageState.SCHEDULED, MessageState.SUBMITTING)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said. `kind`, `state` and `message_id` are those of a message of ours; `labels`,
    `did` and the message that it `answers` of a reply. `is_here`: it belongs to the conversation
    itself."""

    at: datetime
    text: str
    is_ours: bool
    subject: str = ""
    kind: str = ""
    state: str = ""
    message_id: int | None = None
    segments: int | None = None
    labels: tuple[str, ...] = ()
    did: tuple[str, ...] = ()
    answers: int | None = None
    is_forgotten: bool = False
    is_here: bool = field(default=True)


def of(conversation: Conversation) -> list[Line]:
    """The latest lines, oldest first: what the site sent to the address and heard from it."""
    lines = [*_leaving(conversation), *_sent(conversation), *_heard(conversation)]
    # Of the same moment, what was heard comes before what was said to it.
    lines.reverse()
    return sorted(lines, key=lambda line: line.at)


def parted(lines: Sequence[Line]) -> tuple[Sequence[Line], Sequence[Line]]:
    """What was said before the conversation, and the conversation with the last line before it,
    which its first reply may be about."""
    begins = next((number for number, line in enumerate(lines) if line.is_here), 0)
    first = max(begins - 1, 0)
    return lines[:first], lines[first:]


def next_visit(conversation: Conversation, *, now: datetime) -> Appointment | None:
    """The next visit of its patient."""
    if conversation.patient_id is None:
        return None
    visits = Appointment.objects.filter(
        series__patient=conversation.patient_id, state__in=TO_COME, starts_at__gt=now
    )
    return visits.select_related("site").order_by("starts_at").first()


def may_name_detail(conversation: Conversation) -> bool:
    """Whether an answer by e-mail may name the treatment; texts never do."""
    patient = conversation.patient_id
    if patient is None or conversation.channel != Channel.EMAIL:
        return False
    return agreements.mail_names_treatment(consent.standing([patient])[patient])


def _sent(conversation: Conversation) -> list[Line]:
    contents = (
        SentContent.objects.filter(
            address=conversation.address,
            message__channel=conversation.channel,
            message__site=conversation.site_id,
        )
        .select_related("message")
        .order_by("-at", "-id")[:SHOWN]
    )
    return [
        Line(
            at=content.message.accepted_at or content.at,
            text=content.text,
            subject=content.subject,
            is_ours=True,
            kind=content.message.kind,
            state=content.message.state,
            message_id=content.message_id,
            segments=content.segments,
            is_here=content.at >= conversation.opened_at,
        )
        for content in contents
    ]


def _leaving(conversation: Conversation) -> list[Line]:
    """Answers of staff on their way: they are written when they leave."""
    drafts = DraftText.objects.filter(
        message__kind=Kind.STAFF_REPLY,
        message__to_address=conversation.address,
        message__channel=conversation.channel,
        message__site=conversation.site_id,
        message__state__in=_TO_LEAVE,
        message__content=None,
    ).select_related("message")
    return [
        Line(
            at=draft.message.due_at,
            text=draft.text,
            is_ours=True,
            kind=draft.message.kind,
            state=draft.message.state,
            message_id=draft.message_id,
        )
        for draft in drafts
    ]


def _heard(conversation: Conversation) -> list[Line]:
    replies = InboundMessage.objects.filter(
        conversation__site=conversation.site_id,
        conversation__channel=conversation.channel,
        conversation__address=conversation.address,
    ).order_by("-received_at", "-id")[:SHOWN]
    return [
        Line(
            at=reply.received_at,
            text=reply.text,
            is_ours=False,
            labels=tuple(reply.labels),
            did=tuple(reply.did),
            answers=reply.answers_id,
            is_forgotten=reply.forgotten_at is not None,
            is_here=reply.conversation_id == conversation.pk,
        )
        for reply in replies
    ]
