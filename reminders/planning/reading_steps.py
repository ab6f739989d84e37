"""What each step of a protocol is, whoever the patient and whenever the visit: read once a version.

Most of what planning says of a step is the same for everybody to whom it is said. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from clinic.protocols import schema
from clinic.protocols.schema import Anchor, Late, Phase, Protocol, Step, StepKind
from clinic.retelling import either, kept, span, text, together
from clinic.saying import noop
from reminders.catalogue import CATALOGUE, Channel, Kind
from reminders.planning.wish import title_of

# After-care that starts within this time of the treatment is said once, at check-out; so is
# preparation that falls within this time of the booking, with the notice.
AT_ONCE = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Asked:
    """A step of a protocol, the `kind` of message that carries it, on which `channels` (a task has
    none), how long that is of use (None: until the visit), the sentence that says who asks for it,
    and the consents it needs. `is_of_last`: it counts from the last session. `may_be_task`: there
    are visits for which staff have work with it."""

    step: Step
    kind: Kind
    channels: tuple[Channel, ...]
    life: timedelta | None
    why: str
    needs: tuple[str, ...]
    is_of_last: bool
    may_be_task: bool


# Few versions are in use at a time.
@lru_cache(maxsize=256)
def asked_by(protocol: Protocol) -> tuple[Asked, ...]:
    """The steps of a protocol in its order."""
    return tuple(_asked(protocol, step) for step in protocol.steps)


def _asked(protocol: Protocol, step: Step) -> Asked:
    kind, channels = _kind_of(step), _channels_of(step)
    is_escalated = step.late is Late.ESCALATE and bool(step.channels)
    return Asked(
        step=step,
        kind=kind,
        channels=channels,
        life=CATALOGUE[kind].life,
        why=_why(protocol, step),
        needs=("photos",) if step.applies_if == "consent.photo" else (),
        is_of_last=step.anchor is Anchor.SERIES_LAST,
        may_be_task=step.kind is StepKind.TASK or is_escalated or step.critical,
    )


def _kind_of(step: Step) -> Kind:
    """The message kind that carries a protocol step."""
    if step.kind is StepKind.CHECKIN:
        return Kind.CHECKIN
    if step.phase in (Phase.PRE, Phase.DAY):
        return Kind.PRECARE_STEP
    if step.phase is Phase.MAINTENANCE:
        return Kind.TOUCHUP_PROMPT
    if step.kind is StepKind.PHOTO:
        return Kind.PROGRESS_MILESTONE
    soon = step.after is not None and step.after.approximate_seconds < AT_ONCE.total_seconds()
    if step.phase is Phase.POST and soon:
        return Kind.POSTCARE_0
    return Kind.POSTCARE_STEP


def _channels_of(step: Step) -> tuple[Channel, ...]:
    """The channels that carry a step: what is for the care page (`app`) comes by e-mail."""
    if step.kind is StepKind.TASK:
        return ()
    carried = {
        Channel.SMS: schema.Channel.SMS in step.channels,
        Channel.EMAIL: not {schema.Channel.EMAIL, schema.Channel.APP}.isdisjoint(step.channels),
    }
    return tuple(channel for channel, is_carried in carried.items() if is_carried)


# By whether it counts from the last session and on which side of it; None is at the time of it.
_ASKS = {
    (False, "before"): noop("%(protocol)s asks for “%(step)s” %(span)s before each session."),
    (False, "after"): noop("%(protocol)s asks for “%(step)s” %(span)s after each session."),
    (False, ""): noop("%(protocol)s asks for “%(step)s” at the time of each session."),
    (True, "before"): noop("%(protocol)s asks for “%(step)s” %(span)s before the last session."),
    (True, "after"): noop("%(protocol)s asks for “%(step)s” %(span)s after the last session."),
    (True, ""): noop("%(protocol)s asks for “%(step)s” at the time of the last session."),
}


def _why(protocol: Protocol, step: Step) -> str:
    how_long, side = (step.before, "before") if step.before is not None else (step.after, "after")
    assert how_long is not None
    asks = kept(
        _ASKS[step.anchor is Anchor.SERIES_LAST, side if how_long else ""],
        protocol=title_of(protocol),
        step=either(step.title.en, step.title.es),
        **({"span": span(how_long)} if how_long else {}),
    )
    if not step.evidence:
        return asks
    source = protocol.evidence[step.evidence[0]]
    cites = kept(
        "Source: %(title)s (grade %(grade)s).", title=text(source.title), grade=text(source.grade)
    )
    return together((asks, cites))
