"""What the demo's patients wrote back of late, and who is on call to hear of it.

Every state that a conversation can be in; each reply is read and reacted to as any reply is, and
what is said to it goes out by the demo's own rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from clinic import on_call
from config.demo_data.house import HARBOUR, SUNSET, House
from config.demo_data.people import SHARE_A_NUMBER, Person
from patients.models import Language, Patient
from reminders.catalogue import Channel
from reminders.inbound import conversing, receiving
from reminders.models import Conversation

_MINUTE, _WEEK = timedelta(minutes=1), timedelta(weeks=1)
# One after the other for a week, with telephones that are no patient's.
_ON_CALL = {
    HARBOUR: (("provider", "+16465550100"), ("mei", "+17185550100")),
    SUNSET: (("rosa", "+13235550100"), ("leo", "+18185550100")),
}
_NOBODYS = "+19175550101"


@dataclass(frozen=True, slots=True)
class Reply:
    """`minutes` before now somebody at `site` wrote `text`. `taken_by` somebody of staff took it
    ten minutes later and, if so, gave the `answer`."""

    minutes: int
    site: str
    text: str
    channel: Channel = Channel.SMS
    language: str = Language.ENGLISH
    who: str = "patient"
    taken_by: str = ""
    answer: str = ""


_REPLIES = (
    Reply(
        310,
        HARBOUR,
        "Hello, do you still have the cream that I bought after my first session?",
        channel=Channel.EMAIL,
        taken_by="frontdesk",
        answer="Hello, yes we do. We keep one for you at the desk until Friday.",
    ),
    Reply(
        190,
        SUNSET,
        "Some redness and itching since yesterday, is that normal?",
        taken_by="rosa",
    ),
    Reply(145, SUNSET, "HELP"),
    Reply(95, SUNSET, "Quisiera cambiar mi cita por favor", language=Language.SPANISH),
    Reply(70, HARBOUR, "Can I bring my daughter along next time? She would wait outside."),
    Reply(45, SUNSET, "Hi! How much is a facial, and do you have parking?", who="nobody"),
    Reply(25, HARBOUR, "We are running ten minutes late, so sorry!", who="family"),
    Reply(6, HARBOUR, "My lip has gone white and hurts a lot since this morning"),
)


def rota(house: House, *, now: datetime) -> None:
    """Two weeks on call at each site; the first has begun."""
    for slug, turns in _ON_CALL.items():
        starts_at = now.replace(minute=0, second=0) - timedelta(days=2)
        for staff, phone in turns:
            on_call.add(
                site=house.places[slug].site,
                staff=house.staff[staff],
                starts_at=starts_at,
                ends_at=starts_at + _WEEK,
                phone=phone,
                by=house.staff["manager"],
                now=now,
            )
            starts_at += _WEEK


def come_in(
    house: House,
    patients: Mapping[int, Patient],
    people: Sequence[Person],
    send: Callable[[datetime], object],
    *,
    now: datetime,
) -> None:
    """Let the replies of the last hours come in, one after the other; `send` sends what is due at
    a moment."""
    # Those who come most often have most to say.
    writers = sorted(
        (each for each in people if each.is_reached_by_both and each.number not in SHARE_A_NUMBER),
        key=lambda each: (-patients[each.number].series.count(), each.number),
    )
    for reply in _REPLIES:
        at = now - reply.minutes * _MINUTE
        address = _NOBODYS
        if reply.who == "family":
            address = next(each for each in people if each.number in SHARE_A_NUMBER).phone
        elif reply.who == "patient":
            writer = next(
                each
                for each in writers
                if (each.home, each.language) == (reply.site, reply.language)
            )
            writers.remove(writer)
            address = writer.phone if reply.channel == Channel.SMS else writer.email
        conversation = _hear(house, reply, address, at)
        send(at)
        if reply.taken_by:
            _deal(house, reply, conversation, at + 10 * _MINUTE)
            send(at + 10 * _MINUTE)


def _hear(house: House, reply: Reply, address: str, at: datetime) -> Conversation:
    site = house.places[reply.site].site
    stored = receiving.receive(
        channel=reply.channel,
        provider="twilio" if reply.channel == Channel.SMS else "mail",
        provider_id=uuid5(NAMESPACE_OID, reply.text).hex,
        from_address=address,
        to_address=site.sms_number if reply.channel == Channel.SMS else site.reply_to,
        text=reply.text,
        answered_as="",
        received_at=at,
        now=at,
    )
    assert stored is not None
    return stored.conversation


def _deal(house: House, reply: Reply, conversation: Conversation, at: datetime) -> None:
    by = house.staff[reply.taken_by]
    conversing.take(conversation=conversation, by=by, now=at)
    if reply.answer:
        conversing.reply(
            conversation=conversation,
            text=reply.answer,
            reference=uuid5(NAMESPACE_OID, reply.answer),
            by=by,
            now=at,
        )
