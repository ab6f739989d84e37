"""Whether staff may let a planned message leave at another time, or by another channel. Pure.

The gate decides, as it does for every message; nobody may pass what it refuses but the hours in
which care messages go out, with leave and a reason for it. The hours of prompts are law, and the
patient's own quiet hours are their wish: these hold for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clinic.saying import noop
from reminders import gate
from reminders.caps import Had
from reminders.gate import Envelope, Recipient

IS_OVER = noop("Choose a moment that is still to come.")
TOO_LATE = noop("It would be of no use any more by then.")
# The first priority that the hours bind. What is said at once at any hour is so because it is
# said at once.
BOUND = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message may not leave at a moment. `earliest` is from when on it may (UTC), None when
    another moment does not help; `passable`: whoever has leave may let it leave all the same."""

    why: str
    earliest: datetime | None = None
    passable: bool = False


def to_put_off(
    envelope: Envelope, recipient: Recipient, *, until: datetime, now: datetime
) -> Refusal | None:
    """Why a message may not wait until a moment, None when it may. What only that moment can tell
    is left to the gate: caps, and whether staff are then in touch with the patient."""
    if until <= now:
        return Refusal(IS_OVER)
    if until >= envelope.expires_at:
        return Refusal(TOO_LATE)
    asked = replace(bound(envelope), due_at=until)
    then = replace(recipient, in_conversation=False)
    return _refusal(gate.decide(asked, then, now=until))


def bound(envelope: Envelope) -> Envelope:
    """The message once it does not leave at its own moment: the hours bind it whatever it is."""
    return replace(envelope, priority=max(envelope.priority, BOUND))


def to_send_now(
    envelope: Envelope,
    recipient: Recipient,
    *,
    now: datetime,
    had: Sequence[Had] = (),
    at_any_hour: bool = False,
) -> Refusal | None:
    """Why a message may not leave now, None when it may; `had` is what its address got lately.

    With `at_any_hour` the hours for care do not count, and everything else does.
    """
    asked = replace(envelope, due_at=now, at_any_hour=at_any_hour)
    refusal = _refusal(gate.decide(asked, recipient, now=now, had=had))
    if refusal is None or at_any_hour:
        return refusal
    passing = replace(asked, at_any_hour=True)
    return replace(
        refusal, passable=isinstance(gate.decide(passing, recipient, now=now, had=had), gate.Send)
    )


def to_switch(envelope: Envelope, recipient: Recipient, *, now: datetime) -> Refusal | None:
    """Why a message may not be said to a recipient of the other channel, as things stand, None when
    it may. The hour and the caps are the gate's to judge when it leaves."""
    decision = gate.decide(envelope, recipient, now=max(now, envelope.due_at))
    return _refusal(decision) if isinstance(decision, gate.Skip) else None


def _refusal(decision: gate.Decision) -> Refusal | None:
    match decision:
        case gate.Send():
            return None
        case gate.Wait(until=until, why=why):
            return Refusal(why, until)
        case gate.Skip(why=why):
            return Refusal(why)
