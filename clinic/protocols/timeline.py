"""When a protocol says and asks what, around each of its sessions: the data of its timeline. Pure.

The picture and the table of a protocol's page both show these moments, so neither knows more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from clinic.protocols.schema import Anchor, Channel, Protocol, Step, StepKind

_DAY = 86_400


class Lane(StrEnum):
    """Where a step is met: a channel that carries it, or what it is about."""

    SMS = "sms"
    EMAIL = "email"
    APP = "app"
    STAFF = "staff"
    SCREENING = "screening"
    CONSENT = "consent"
    PHOTOS = "photos"


@dataclass(frozen=True, slots=True)
class Moment:
    """The steps that fall at one time: `days` from the start of a session (negative) or its end.
    `of_last`: they are about the last session of a series alone."""

    days: float
    of_last: bool
    steps: tuple[Step, ...]


def moments(protocol: Protocol) -> list[Moment]:
    """Every step, in order of time."""
    found: dict[tuple[float, bool], list[Step]] = {}
    for step in protocol.steps:
        key = (_days(step), step.anchor is Anchor.SERIES_LAST)
        found.setdefault(key, []).append(step)
    return [Moment(*key, tuple(found[key])) for key in sorted(found)]


def lanes_of(step: Step) -> list[Lane]:
    """Every lane in which a step is met."""
    return [lane for lane in Lane if _is_met(step, lane)]


def in_lane(lane: Lane, every: Sequence[Moment]) -> Iterator[Moment]:
    """The moments of a lane, each with the steps that are met in it."""
    for each in every:
        if here := tuple(step for step in each.steps if _is_met(step, lane)):
            yield Moment(each.days, each.of_last, here)


def _is_met(step: Step, lane: Lane) -> bool:
    if lane is Lane.STAFF:
        return step.kind is StepKind.TASK or Channel.CALL in step.channels
    if lane is Lane.SCREENING:
        return step.kind is StepKind.QUESTION or step.topic == "screening"
    if lane is Lane.CONSENT:
        return step.topic.startswith("consent")
    if lane is Lane.PHOTOS:
        return step.kind is StepKind.PHOTO
    return Channel(lane) in step.channels and step.kind is not StepKind.TASK


def _days(step: Step) -> float:
    if step.before is not None:
        return -step.before.approximate_seconds / _DAY
    return step.after.approximate_seconds / _DAY if step.after is not None else 0.0
