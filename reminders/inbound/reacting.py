"""What each label of a reply sets going. Every one that applies takes effect.

Refuses to read the reply and to know how the things that it sets going are done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from appointments.models import Task
from appointments.models.task import TaskKind
from appointments.proposing import house_hours
from clinic.models import Site
from clinic.retelling import kept, word
from clinic.saying import noop
from clinic.wall_time import local
from patients.models import Patient
from reminders.catalogue import Channel, Kind
from reminders.inbound import paging
from reminders.inbound.grammar import SYMPTOMS, Label, Reading
from reminders.inbound.questions import Asked
from reminders.ledger import opting_out, saying_now
from reminders.models import (
    Conversation,
    InboundMessage,
    Message,
    SuppressionReason,
    SuppressionSource,
)

AWAY_ONCE_IN = timedelta(hours=12)
# How soon staff shall have dealt with it.
REVIEW_WITHIN = timedelta(hours=2)
CHANGE_WITHIN = timedelta(hours=4)
# A family's number is told of each one's page; more would be a burst.
MOST_LINKS = 3


@dataclass(frozen=True, slots=True)
class Heard:
    """A stored reply with everything that is known of it. `people` share the address;
    `answered_as` is what the provider has answered already: "stop", "start", "help"."""

    reply: InboundMessage
    conversation: Conversation
    reading: Reading
    asked: Asked
    people: tuple[Patient, ...]
    is_confirmed: bool
    answered_as: str

    @property
    def labels(self) -> frozenset[Label]:
        return self.reading.labels

    @property
    def source(self) -> SuppressionSource:
        """Who closed the address: the provider, where it took the word for an opt-out."""
        is_theirs = self.answered_as == "stop"
        return SuppressionSource.PROVIDER if is_theirs else SuppressionSource.REPLY

    @property
    def may_text_back(self) -> bool:
        """Who just asked for no more texts is called and not texted."""
        return Label.OPTOUT not in self.labels

    @property
    def language(self) -> str:
        languages = {patient.language for patient in self.people}
        return languages.pop() if len(languages) == 1 else "en"


def react(heard: Heard, *, now: datetime) -> list[str]:
    """Set everything going; sentences that say what was done at once."""
    did: list[str] = []
    if heard.is_confirmed:
        did.append(noop("The visit is confirmed."))
    elif Label.CONFIRM in heard.labels:
        did.append(noop("The visit had changed, so it was not confirmed."))
    for label, act in _ACTS.items():
        if label in heard.labels:
            did += act(heard, now)
    if heard.labels & SYMPTOMS:
        did += _symptom(heard, now)
    return did


def _opt_out(heard: Heard, now: datetime) -> list[str]:
    """End the messages; say so once, unless the provider has. A bare CANCEL is asked about."""
    conversation = heard.conversation
    ended = opting_out.opt_out(
        channel=Channel(conversation.channel),
        address=conversation.address,
        source=heard.source,
        by=None,
        now=now,
        site=conversation.site,
    )
    if ended.is_new and not heard.answered_as:
        _answer(heard, Kind.OPTOUT_ACK, "ack", now, why=noop("They asked for no more messages."))
    did = [noop("Nothing more is sent to this address.")]
    if heard.reading.may_mean_visit:
        title = noop("Call: CANCEL by text may mean the visit")
        did += _ask_staff(heard, "cancel", title, now + REVIEW_WITHIN, now)
    return did


def _start(heard: Heard, now: datetime) -> list[str]:
    conversation = heard.conversation
    is_lifted = opting_out.opt_in(
        channel=Channel(conversation.channel),
        address=conversation.address,
        source=SuppressionSource.REPLY,
        by=None,
        now=now,
        site=conversation.site,
    )
    if not is_lifted or not heard.may_text_back:
        return []
    if not heard.answered_as:
        _answer(heard, Kind.START_ACK, "start", now, why=noop("They asked for messages again."))
    return [noop("Messages about visits and care are sent again.")]


def _help(heard: Heard, now: datetime) -> list[str]:
    if not heard.may_text_back:
        return []
    if heard.answered_as:
        return [noop("The provider told them how to reach us.")]
    _answer(heard, Kind.HELP_REPLY, "help", now, why=noop("They asked for help."))
    return [noop("They were told how to reach us.")]


def _wrong_number(heard: Heard, now: datetime) -> list[str]:
    conversation = heard.conversation
    opting_out.suppress(
        channel=Channel(conversation.channel),
        address=conversation.address,
        reason=SuppressionReason.WRONG_NUMBER,
        source=SuppressionSource.REPLY,
        by=None,
        now=now,
        site=conversation.site,
    )
    title = noop("Ask for the right number: this one is somebody else's")
    return [
        noop("Nothing more is sent to this address."),
        *_ask_staff(heard, "wrong-number", title, now + CHANGE_WITHIN, now),
    ]


def _change(heard: Heard, now: datetime) -> list[str]:
    """Their own page, where they move the visit themselves, and a task in case they do not."""
    did = _ask_staff(heard, "change", noop("Wants another time"), now + CHANGE_WITHIN, now)
    return did + _send_links(heard, now)


def _free_text(heard: Heard, now: datetime) -> list[str]:
    """A bare digit that could answer several questions gets the pages; anything else, when we are
    closed, a word that it is read later."""
    if heard.asked.question is None and heard.asked.patients:
        return _send_links(heard, now)
    conversation = heard.conversation
    recent = Message.objects.filter(
        kind=Kind.AWAY_REPLY,
        channel=conversation.channel,
        to_address=conversation.address,
        due_at__gt=now - AWAY_ONCE_IN,
    )
    if _is_open(conversation.site, now) or recent.exists():
        return []
    _answer(heard, Kind.AWAY_REPLY, "away", now, why=noop("They wrote while the site was closed."))
    return [noop("They were told that we read it when we are open.")]


def _symptom(heard: Heard, now: datetime) -> list[str]:
    """A person looks at it, whatever else was said; an urgent one calls whoever is on call."""
    if Label.SYMPTOM_URGENT not in heard.labels:
        title = noop("Call: a reply names a symptom")
        return _ask_staff(heard, "symptom", title, now + REVIEW_WITHIN, now)
    conversation = heard.conversation
    did = _ask_staff(heard, "urgent", noop("Call now: a reply names an urgent symptom"), now, now)
    if heard.may_text_back:
        said = saying_now.say(
            site=conversation.site,
            kind=Kind.SAFETY_TEXT,
            channel=Channel(conversation.channel),
            to_address=conversation.address,
            key=f"safety:{conversation.pk}",
            now=now,
            why=[noop("Their reply names an urgent symptom.")],
            language=heard.language,
            since=heard.reply.received_at,
        )
        did += [noop("They were told to call us, or the emergency number.")] if said else []
    if conversation.owner_id is not None or conversation.page_at is not None:
        return did  # somebody has it, or is being paged
    count = paging.page(conversation, now=now)
    return [*did, kept("On call was paged; messages sent: %(count)s.", count=count)]


_ACTS = {
    Label.OPTOUT: _opt_out,
    Label.START: _start,
    Label.HELP: _help,
    Label.WRONG_NUMBER: _wrong_number,
    Label.CHANGE: _change,
    Label.FREE_TEXT: _free_text,
}


def _answer(heard: Heard, kind: Kind, name: str, now: datetime, *, why: str) -> None:
    """Say something to the address that wrote, once for this reply."""
    conversation = heard.conversation
    saying_now.say(
        site=conversation.site,
        kind=kind,
        channel=Channel(conversation.channel),
        to_address=conversation.address,
        key=f"{name}:{heard.reply.pk}",
        now=now,
        why=[why],
        language=heard.language,
        since=heard.reply.received_at,
    )


def _send_links(heard: Heard, now: datetime) -> list[str]:
    """To each patient whom we asked, else to the only one, the link to their own page."""
    asked = [patient for patient in heard.people if patient.pk in heard.asked.patients]
    wanted = asked or (list(heard.people) if len(heard.people) == 1 else [])
    if not heard.may_text_back or not wanted:
        return []
    for patient in wanted[:MOST_LINKS]:
        saying_now.say(
            site=heard.conversation.site,
            kind=Kind.NEW_LINK,
            channel=Channel(heard.conversation.channel),
            to_address=heard.conversation.address,
            key=f"link:{heard.reply.pk}:{patient.pk}",
            now=now,
            patient=patient,
            why=[noop("They want to change something; their page lets them.")],
        )
    return [noop("They got the link to their page.")]


def _ask_staff(heard: Heard, name: str, title: str, due_at: datetime, now: datetime) -> list[str]:
    """A task, once for this reply. Its words stay in the inbox."""
    visit = heard.asked.visit
    Task.objects.get_or_create(
        key=f"reply:{heard.reply.pk}:{name}",
        defaults={
            "site": heard.conversation.site,
            "patient": heard.conversation.patient,
            "appointment": visit,
            "kind": TaskKind.CALL,
            "title": title,
            "detail": kept(
                "Read the reply in the inbox, conversation %(number)s.",
                number=heard.conversation.pk,
            ),
            "why": [noop("A patient wrote back.")],
            "due_at": due_at,
            "created_at": now,
        },
    )
    return [kept("Task: %(title)s.", title=word(title))]


def _is_open(site: Site, now: datetime) -> bool:
    day = local(now, site.zone).date()
    return any(now in period for period in house_hours.load(site, day).of())
