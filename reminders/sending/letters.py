"""From due messages to what a channel is given: facts from the database, wording, invitation, link.

A constant number of queries for any number of messages. A message that cannot be written fails
alone. Stores nothing: what was written is stored with the mark that it is about to be submitted.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from appointments import links
from appointments.models import Appointment, PatientLink
from reminders import failpoints
from reminders.catalogue import SAID_NOW, Channel, Kind, Purpose
from reminders.channels import calendar
from reminders.channels.base import Outgoing
from reminders.failpoints import failpoint
from reminders.gate import Recipient, may_arrive_until
from reminders.journeys import addressing, gathering, saying
from reminders.ledger.claiming import Due
from reminders.ledger.marking import Words
from reminders.models import DraftText, Message, SentContent
from reminders.planning.facts import Item, PatientFacts, VisitFacts
from reminders.rewording import in_force
from reminders.sending import last_words
from reminders.wording import lettering
from reminders.wording.rendering import Rendered, render
from reminders.wording.rules import SUBJECT_LENGTH, WITHOUT_LINK
from reminders.wording.versions import Version

log = logging.getLogger(__name__)

Opens = PatientLink.Purpose

# The opt-out line is due again after this long (messaging rules, part f).
OPT_OUT_LINE_EVERY = timedelta(days=30)
# The strictest law asks for 60 days (messaging rules, part a: CASL).
UNSUBSCRIBE_LIFE = timedelta(days=90)
# What is known of whoever is no patient.
NOBODY = PatientFacts(id=0, is_deceased=False, series=())
INVITING = frozenset({Kind.BOOKING_CONFIRMED, Kind.APPT_MOVED})
HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Written:
    """A message ready to leave, what is stored of it, and the link that it carries, if any."""

    message: Message | Due
    outgoing: Outgoing
    words: Words
    link: PatientLink | None


def write(
    messages: Sequence[Message | Due],
    recipients: Mapping[int, Recipient],
    *,
    now: datetime,
    to_show: bool = False,
) -> tuple[list[Written], list[Message | Due]]:
    """Write these messages: those ready to leave, and those that cannot be written. What is
    written `to_show` only has no files for calendars: nobody sees them.

    Patient and site must be loaded with each. `now` becomes the time of what is stored.

    Raises OSError or MemoryError: the machine lacks something, which may be no message's fault.
    """
    desk = _Desk(messages, recipients, now=now, to_show=to_show)
    written: list[Written] = []
    unwritable: list[Message | Due] = []
    for together in _without_suspects(messages):
        with last_words.noted(together):
            for message in together:
                failpoint(failpoints.WHILE_WRITING)
                try:
                    written.append(desk.write(message))
                except (SoftTimeLimitExceeded, OSError, MemoryError):
                    raise
                except Exception as fault:  # noqa: BLE001 - must not hold up the others
                    # The error's text may name the patient.
                    log.error("message %s cannot be written: %s", message.pk, type(fault).__name__)
                    unwritable.append(message)
    return written, unwritable


def _without_suspects(messages: Sequence[Message | Due]) -> list[list[Message | Due]]:
    """All together, but for those that somebody died of: each of these alone, at the end."""
    suspects = last_words.suspects()
    calm = [message for message in messages if message.pk not in suspects]
    return [calm, *([message] for message in messages if message.pk in suspects)]


class _Desk:
    """The facts of one batch of messages, loaded once, and the writing of each."""

    def __init__(
        self,
        messages: Sequence[Message | Due],
        recipients: Mapping[int, Recipient],
        *,
        now: datetime,
        to_show: bool,
    ) -> None:
        self.now = now
        self.to_show = to_show
        self.recipients = recipients
        self.items = saying.items_of(messages)
        patients = {message.patient_id for message in messages if message.patient_id is not None}
        self.patients = gathering.facts_of(patients)
        self.told_opt_out = saying.told_opt_out(
            {recipients[each.pk].address for each in messages if each.channel == Channel.SMS},
            since=now - OPT_OUT_LINE_EVERY,
        )
        self.drafts = saying.drafts_of(messages)
        self.wordings = in_force.at({message.site_id for message in messages})

    def write(self, message: Message | Due) -> Written:
        if message.patient is None and message.kind not in SAID_NOW:
            raise ValueError("the words of this kind speak to a patient")
        items = self.items[message.pk]
        patient = self.patients[message.patient_id] if message.patient_id else NOBODY
        visits = _visits(lettering.led_by(Kind(message.kind), items, patient), patient)
        token, link = self._link(message, visits)
        draft = self.drafts.get(message.pk)
        urls = _urls(message, token)
        reader = self._reader(message, draft)
        version = self.wordings[message.site_id].of(Kind(message.kind), reader.language)
        rendered = render(
            lettering.letter(
                kind=Kind(message.kind),
                channel=Channel(message.channel),
                items=items,
                patient=patient,
                reader=reader,
                sender=addressing.sender_of(message.site),
                care_url=urls.care,
                unsubscribe_url=urls.unsubscribe,
                text=draft.text if draft else "",
            ),
            version.wording,
        )
        outgoing = self._outgoing(message, rendered, visits, urls.unsubscribe)
        kept = self._kept(outgoing, rendered, token, version)
        # A text with no room or no use for the link leaves it out: then there is none.
        return Written(message, outgoing, kept, link if token in rendered.text else None)

    def _reader(self, message: Message | Due, draft: DraftText | None) -> lettering.Reader:
        recipient = self.recipients[message.pk]
        told = recipient.address in self.told_opt_out
        is_first = message.channel == Channel.SMS and not told
        if message.patient is None:
            reader = lettering.Reader(first_name="", language="en", first_sms=is_first)
        else:
            reader = addressing.reader_of(message.patient, recipient, first_sms=is_first)
        language = draft.language if draft else reader.language
        return replace(reader, language=language, reads_at=self.now)

    def _link(
        self, message: Message | Due, visits: Sequence[VisitFacts]
    ) -> tuple[str, PatientLink | None]:
        """A link to the care page, for the first visit that the letter is about; with an offer one
        to its page; in marketing one to unsubscribe, and from the prompt of a touch-up to book it
        too, which outlives every visit."""
        patient_id = message.patient_id
        if patient_id is None or message.kind in WITHOUT_LINK:
            return "", None
        if message.kind == Kind.WAITLIST_OFFER:
            return links.prepare(
                patient_id=patient_id,
                appointment=None,
                now=self.now,
                purpose=Opens.OFFER,
                invitation_id=_invitation_id(self.items[message.pk]),
            )
        is_care = message.purpose != Purpose.MARKETING
        visit = visits[0] if visits and is_care else None
        purpose = Opens.CARE
        if message.kind == Kind.TOUCHUP_PROMPT:
            visit = _last_visit(self.items[message.pk], self.patients[patient_id])
        if not is_care:
            # A series whose visits are gone from the facts leaves nothing to touch up.
            purpose = Opens.TOUCH_UP if visit else Opens.UNSUBSCRIBE
        return links.prepare(
            patient_id=patient_id,
            appointment=Appointment(pk=visit.id, ends_at=visit.ends_at) if visit else None,
            now=self.now,
            purpose=purpose,
            life=links.LIFE if is_care else UNSUBSCRIBE_LIFE,
        )

    def _outgoing(
        self,
        message: Message | Due,
        rendered: Rendered,
        visits: Sequence[VisitFacts],
        unsubscribe_url: str,
    ) -> Outgoing:
        site, recipient = message.site, self.recipients[message.pk]
        if message.channel == Channel.SMS:
            return Outgoing(
                message_id=message.pk,
                reference=str(message.reference),
                to=recipient.address,
                sender=site.sms_number,
                text=rendered.text,
                validity_seconds=_validity_seconds(message, recipient, self.now),
            )
        method = _method(message) if visits and not self.to_show else ""
        return Outgoing(
            message_id=message.pk,
            reference=str(message.reference),
            to=recipient.address,
            sender=site.email_address,
            sender_name=site.name,
            reply_to=site.reply_to,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            invitations=tuple(self._invitation(message, method, each) for each in visits)
            if method
            else (),
            calendar_method=method,
            unsubscribe_url=unsubscribe_url,
        )

    def _invitation(
        self,
        message: Message | Due,
        method: Literal["REQUEST", "CANCEL"],
        visit: VisitFacts,
    ) -> bytes:
        host = urlsplit(settings.PUBLIC_URL).hostname or ""
        return calendar.invite(
            visits=[
                calendar.Visit(
                    uid=calendar.uid(visit.id, host=host),
                    sequence=visit.version,
                    starts_at=visit.starts_at,
                    ends_at=visit.ends_at,
                    zone=visit.site.zone,
                    location=message.site.address,
                )
            ],
            organizer_name=message.site.name,
            organizer_email=message.site.email_address,
            attendee=self.recipients[message.pk].address,
            method=method,
            now=self.now,
        )

    def _kept(self, outgoing: Outgoing, rendered: Rendered, token: str, version: Version) -> Words:
        """What was sent, word for word but for the token: only the patient shall hold that."""
        kept = Words(
            message_id=outgoing.message_id,
            address=outgoing.to,
            subject=outgoing.subject[:SUBJECT_LENGTH],
            text=_hidden(outgoing.text, token),
            html=_hidden(outgoing.html, token),
            calendar=b"".join(outgoing.invitations).decode(),
            segments=rendered.segments,
            tells_opt_out=rendered.tells_opt_out,
            wording_id=version.stored,
            wording_digest=version.digest,
        )
        if "\x00" in kept.subject + kept.text + kept.html + kept.calendar:
            raise ValueError("a letter cannot hold a null character")
        return kept._replace(body_digest=body_digest(kept))


def body_digest(words: Words | SentContent) -> str:
    """A fingerprint (SHA-256, hexadecimal) of the stored words: subject, text, HTML, invitation."""
    parts = (words.subject, words.text, words.html, words.calendar)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


class _Urls(NamedTuple):
    care: str = ""
    unsubscribe: str = ""


def _urls(message: Message | Due, token: str) -> _Urls:
    """The addresses that a letter carries."""
    page = f"{settings.PUBLIC_URL}/p/{token}/"
    if message.purpose == Purpose.MARKETING:
        return _Urls(care=page, unsubscribe=f"{page}unsubscribe/")
    return _Urls(care=page) if token else _Urls()


def _hidden(text: str, token: str) -> str:
    return text.replace(token, HIDDEN) if token else text


def _visits(items: Sequence[Item], patient: PatientFacts) -> list[VisitFacts]:
    """The visits that a letter is about, in order of time."""
    anchors = {item.anchor for item in items}
    about = (
        visit for series in patient.series for visit in series.visits if visit.anchor in anchors
    )
    return sorted(about, key=lambda visit: visit.starts_at)


def _last_visit(items: Sequence[Item], patient: PatientFacts) -> VisitFacts | None:
    """The last visit of the series that a letter is about."""
    anchors = {item.anchor for item in items}
    about = (
        visit for series in patient.series if series.anchor in anchors for visit in series.visits
    )
    return max(about, key=lambda visit: visit.starts_at, default=None)


def _invitation_id(items: Sequence[Item]) -> int:
    """The invitation that a letter with an offer is about."""
    [item] = items
    return int(item.anchor.removeprefix("invitation:"))


def _method(message: Message | Due) -> Literal["REQUEST", "CANCEL", ""]:
    if message.kind == Kind.CANCELLED:
        return "CANCEL"
    return "REQUEST" if message.kind in INVITING else ""


def _validity_seconds(message: Message | Due, recipient: Recipient, now: datetime) -> int:
    """How long the provider may keep a text: until it expires or the quiet hours begin."""
    closes_at = may_arrive_until(
        Purpose(message.purpose),
        message.priority,
        recipient,
        now=now,
        at_any_hour=message.at_any_hour,
    )
    ends = [message.expires_at, *([closes_at] if closes_at else [])]
    return int((min(ends) - now).total_seconds())
