"""The last decision before a message leaves: send now, wait, or not at all, and why. Pure.

Judges what may change without replanning: consent, address, suppression, expiry, quiet hours,
the site's first day, an open conversation about a symptom, caps. Refuses to know what the message
says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic import hours
from clinic.hours import CARE_HOURS, Hours
from clinic.retelling import kept, text, together, word
from clinic.saying import noop
from reminders import caps, spreading
from reminders.caps import Had
from reminders.catalogue import REASONS, Channel, Kind, Purpose

# Care 08:00–20:00 every day, marketing 10:00–18:00 Monday to Saturday, in the patient's zone:
# stricter than the law of any state read for the design (messaging rules, part a).
QUIET_HOURS: dict[Purpose, Hours] = {
    Purpose.CARE: CARE_HOURS,
    Purpose.MARKETING: Hours(frozenset(range(6)), 10 * 60, 18 * 60),
    Purpose.SYSTEM: Hours(frozenset(range(7)), 0, 24 * 60),
}
_WORDS = {
    Purpose.CARE: noop("Care messages go out between 08:00 and 20:00 in the patient's zone."),
    Purpose.MARKETING: noop(
        "Prompts go out between 10:00 and 18:00, Monday to Saturday, in the patient's zone."
    ),
    Purpose.SYSTEM: noop("It answers at once."),
}
# The one thing that is still said on a closed channel: that it is closed.
OPTED_OUT = "opted_out"
# By reason (models.SuppressionReason).
SUPPRESSED = {
    OPTED_OUT: noop("The person asked for no more messages here."),
    "wrong_number": noop("The person is not our patient."),
    "complained": noop("Our mail was marked as spam."),
    "hard_bounce": noop("The mail address does not exist."),
    "not_textable": noop("The number takes no text messages."),
}
_CONSENTS = {
    ("care", "sms"): noop("care messages by text"),
    ("care", "email"): noop("care messages by e-mail"),
    ("marketing", "sms"): noop("offers and touch-up prompts by text"),
    ("marketing", "email"): noop("offers and touch-up prompts by e-mail"),
    ("photos", "any"): noop("messages that ask for photos"),
    ("phi_detail", "any"): noop("treatment detail in e-mail"),
}
# While a clinician is in touch with the patient about a symptom, what can wait does.
IN_CONVERSATION = "in_conversation"
HELD_FROM = 2
LOOK_AGAIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the gate sees of a message. `ends_contact`: it only says that an opt-out was heard, and
    may be sent to whoever opted out. `kind` is asked for the caps alone. `said_by_email`: all that
    a text says reaches the patient by e-mail as well. `at_any_hour`: staff let it leave outside of
    the hours for care; prompts keep theirs, and the patient's own quiet hours hold."""

    purpose: Purpose
    channel: Channel
    priority: int
    due_at: datetime
    expires_at: datetime
    needs: tuple[str, ...] = ()
    ends_contact: bool = False
    kind: Kind | None = None
    said_by_email: bool = False
    at_any_hour: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """What the gate sees of the patient and the site.

    `consents` are (purpose, channel); photos and phi_detail have the channel "any". `zones` are
    all in which the patient may be. `suppressed` says why the address must not be used. `quiet` are
    the patient's own quiet hours, two minutes of the day; they may reach past midnight.
    `in_conversation`: a reply of theirs with a symptom is not closed yet.
    `reads_email`: e-mail about care may be sent to the patient. `language`: of a guardian who is
    written to in the patient's place, else empty. `lag`: what waits for an hour at which many
    leave goes out so much later.
    """

    consents: frozenset[tuple[str, str]]
    address: str
    suppressed: str
    zones: tuple[str, ...]
    live_from: datetime | None
    deceased: bool = False
    do_not_contact: bool = False
    quiet: tuple[int, int] | None = None
    in_conversation: bool = False
    reads_email: bool = False
    language: str = ""
    lag: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Send:
    """It goes out now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It goes out at `until` (UTC) at the earliest."""

    until: datetime
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class Skip:
    """It never goes out."""

    reason: str
    why: str


Decision = Send | Wait | Skip


def decide(
    envelope: Envelope, recipient: Recipient, *, now: datetime, had: Sequence[Had] = ()
) -> Decision:
    """Whether a due message goes out at `now` (UTC). `had` is what its address got lately.

    The first of these that applies decides: death, a wish not to be contacted, expiry, consent,
    address, suppression, the site's first day, an open conversation, quiet hours, caps. Over a cap
    a text that the e-mail says too falls away; anything else waits until there is room, if it is
    then still of use.
    Priority 0 is bound by none of these three; the purpose `system` asks for no consent and is not
    bound by them either. A message that would be held past its expiry is skipped at once.
    """
    if refusal := _refusal(envelope, recipient, now=now):
        return refusal
    if envelope.priority == 0 or envelope.purpose is Purpose.SYSTEM:
        return Send()
    if recipient.in_conversation and envelope.priority >= HELD_FROM:
        return _wait(envelope, now + LOOK_AGAIN, IN_CONVERSATION, REASONS[IN_CONVERSATION])
    try:
        allowed_at = hours.next_allowed(now, _windows(envelope, recipient), recipient.zones)
    except hours.NeverAllowed:
        return _skip("no_common_hour")
    if allowed_at == now:
        return _over_cap(envelope, recipient, had, now=now) or Send()
    until = _spread(envelope, recipient, allowed_at)
    return _wait(envelope, until, "quiet_hours", _hours_in_words(envelope, recipient))


def _over_cap(
    envelope: Envelope, recipient: Recipient, had: Sequence[Had], *, now: datetime
) -> Decision | None:
    if envelope.kind is None or not had:
        return None
    full = caps.full(
        kind=envelope.kind,
        purpose=envelope.purpose,
        channel=envelope.channel,
        priority=envelope.priority,
        had=had,
        zones=recipient.zones,
        now=now,
    )
    if full is None:
        return None
    if envelope.channel is Channel.SMS and envelope.said_by_email:
        return Skip("said_by_email", together((REASONS["said_by_email"], full.why)))
    windows = _windows(envelope, recipient)
    free_at = _spread(envelope, recipient, hours.next_allowed(full.until, windows, recipient.zones))
    if free_at >= envelope.expires_at:
        return Skip(full.reason, together((REASONS[full.reason], full.why)))
    return Wait(free_at, full.reason, full.why)


def _refusal(envelope: Envelope, recipient: Recipient, *, now: datetime) -> Skip | None:
    if recipient.deceased:
        return _skip("deceased")
    if recipient.do_not_contact:
        return _skip("do_not_contact")
    if now >= envelope.expires_at:
        return _skip("expired")
    if missing := _missing_consents(envelope, recipient):
        return Skip("no_consent", together((REASONS["no_consent"], *missing)))
    if not recipient.address:
        return _skip("no_address")
    if recipient.suppressed and not (envelope.ends_contact and recipient.suppressed == OPTED_OUT):
        why = together((REASONS["suppressed"], SUPPRESSED[recipient.suppressed]))
        return Skip("suppressed", why)
    if recipient.live_from is None or envelope.due_at < recipient.live_from:
        return _skip("not_live")
    return None


def allowed_hours(
    purpose: Purpose, recipient: Recipient, *, at_any_hour: bool = False
) -> tuple[Hours, ...]:
    """The daily hours in which messages of a purpose may be sent to this recipient; of care
    `at_any_hour` but the patient's own quiet ones."""
    passes = at_any_hour and purpose is Purpose.CARE
    window = QUIET_HOURS[Purpose.SYSTEM if passes else purpose]
    return window.without(*recipient.quiet) if recipient.quiet else (window,)


def _windows(envelope: Envelope, recipient: Recipient) -> tuple[Hours, ...]:
    return allowed_hours(envelope.purpose, recipient, at_any_hour=envelope.at_any_hour)


def may_arrive_until(
    purpose: Purpose,
    priority: int,
    recipient: Recipient,
    *,
    now: datetime,
    at_any_hour: bool = False,
) -> datetime | None:
    """Until when (UTC) a message that leaves at `now` may arrive; None when it may at any hour."""
    if priority == 0 or purpose is Purpose.SYSTEM:
        return None
    if at_any_hour and purpose is Purpose.CARE and recipient.quiet is None:
        return None
    windows = allowed_hours(purpose, recipient, at_any_hour=at_any_hour)
    return hours.allowed_until(now, windows, recipient.zones)


def _wait(envelope: Envelope, until: datetime, reason: str, why: str) -> Wait | Skip:
    """Wait, unless it would be of no use any more by then."""
    if until >= envelope.expires_at:
        return Skip("expired", together((REASONS["expired"], why)))
    return Wait(until, reason, why)


def _spread(envelope: Envelope, recipient: Recipient, at: datetime) -> datetime:
    """A moment of release as this recipient has it, still within the hours that are allowed."""
    later = spreading.later(at, recipient.lag, before=envelope.expires_at)
    windows = _windows(envelope, recipient)
    return later if hours.next_allowed(later, windows, recipient.zones) == later else at


def _hours_in_words(envelope: Envelope, recipient: Recipient) -> str:
    words = [_WORDS[envelope.purpose]]
    if len(recipient.zones) > 1:
        words.append(
            kept(
                "It is not known in which zone the patient is, so all count: %(zones)s.",
                zones=text(", ".join(recipient.zones)),
            )
        )
    if recipient.quiet:
        words.append(noop("The patient asked for quiet hours besides."))
    return together(words)


def _missing_consents(envelope: Envelope, recipient: Recipient) -> list[str]:
    """A sentence for each consent that it needs and that was not given."""
    if envelope.purpose is Purpose.SYSTEM:
        return []
    wanted = [(str(envelope.purpose), str(envelope.channel))]
    wanted += [(need, "any") for need in envelope.needs]
    return [
        kept("Missing: %(consent)s.", consent=word(_CONSENTS[consent]))
        for consent in wanted
        if consent not in recipient.consents
    ]


def _skip(reason: str) -> Skip:
    return Skip(reason, REASONS[reason])
