"""Where two treatments at a time disagree: the choices of their protocols, side by side. Pure.

A protocol's `policy` says what the clinic chose where sources differ. Chosen for each treatment
alone, the choices meet in a patient who has both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clinic.protocols.schema import Directive, Protocol
from clinic.saying import gettext, noop

# What messages make of advice that differs (`reminders.planning.clashes`), by what it asks.
_SAID = {
    frozenset({Directive.AVOID}): noop("Messages say the longest ban."),
    frozenset({Directive.DO}): noop("Messages say the latest beginning."),
    frozenset({Directive.AVOID, Directive.DO}): noop("Messages say neither; staff decide."),
}
_NOT_SAID = noop("A clinician decides which applies, and tells the patient.")


@dataclass(frozen=True, slots=True)
class Difference:
    """One matter on which protocols chose differently: (name of the protocol, its choice), and
    which of them counts."""

    topic: str
    choices: tuple[tuple[str, str], ...]
    counts: str

    @property
    def sentence(self) -> str:
        said = "; ".join(f"{name}: {choice}" for name, choice in self.choices)
        return f"{said}. {self.counts}"


def differences(protocols: Sequence[Protocol]) -> tuple[Difference, ...]:
    """The matters of advice on which these protocols chose differently, in order of topic."""
    each = {protocol.id: protocol for protocol in protocols}
    topics = sorted({policy.topic for protocol in each.values() for policy in protocol.policy})
    found = []
    for topic in topics:
        chosen = [
            (protocol, policy.choice)
            for protocol in each.values()
            for policy in protocol.policy
            if policy.topic == topic
        ]
        asked = {
            step.directive
            for protocol, _ in chosen
            for step in protocol.steps
            if step.topic == topic
        }
        if asked and len({choice for _, choice in chosen}) > 1:
            names = tuple((protocol.name.en, choice) for protocol, choice in chosen)
            found.append(Difference(topic, names, _counts(asked)))
    return tuple(found)


def _counts(asked: set[Directive]) -> str:
    return gettext(_SAID.get(frozenset(asked & {Directive.AVOID, Directive.DO}), _NOT_SAID))
