"""Which merge values a phrase may hold, which it must, and which may be missing. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from reminders.catalogue import CATALOGUE, OFFERS, Channel, Kind
from reminders.wording.email import GUIDES
from reminders.wording.findings import Finding, error
from reminders.wording.phrases import Phrase
from reminders.wording.rules import has_page
from reminders.wording.texts import EMAIL_VALUES, SMS_VALUES

# Kinds that are always about a visit or a place on offer.
ABOUT_A_VISIT = frozenset(
    {Kind.CANCELLED, *OFFERS, *(kind for kind, entry in CATALOGUE.items() if entry.tells_start)}
)
# Kinds that ask for something that can be done by the link only.
_BY_LINK_ALONE = frozenset({Kind.WAITLIST_OFFER, Kind.FILL_IN})
# Values that the letters of few kinds have.
_ONLY_OF = {"until": {Kind.WAITLIST_OFFER}, "text": {Kind.STAFF_REPLY, Kind.ON_CALL}}


def channel_of(phrase: str) -> Channel:
    """The channel on which a phrase is read."""
    return Channel.SMS if phrase.startswith("sms") else Channel.EMAIL


def allowed(phrase: str, kind: Kind) -> frozenset[str]:
    """The merge values that a phrase of `kind` may hold."""
    known = _known(channel_of(phrase))
    return known - {name for name, kinds in _ONLY_OF.items() if kind not in kinds}


def _known(channel: Channel) -> frozenset[str]:
    return SMS_VALUES if channel is Channel.SMS else EMAIL_VALUES


def values_in(name: str, phrase: Phrase, kind: Kind) -> Iterator[Finding]:
    """What is to be said of the merge values of a phrase of `kind`."""
    known = allowed(name, kind)
    for strange in sorted(phrase.names - known):
        yield error(
            "unknown_value",
            name,
            f"There is no value {{{strange}}} here.",
            f"Use one of {_listed(known)}.",
            f"{{{strange}}}",
        )
    certain = _certain(name, kind)
    for value in sorted(phrase.always & known - certain):
        yield error(
            "may_be_missing",
            name,
            f"{{{value}}} is not known for every patient, and the message could not be written.",
            f"Put it into a part that may go, in brackets: [ … {{{value}}} …].",
            f"{{{value}}}",
        )
    for needed in sorted(_needed(name, kind) - phrase.always):
        yield error(
            "value_missing",
            name,
            f"{{{needed}}} is not there in every case.",
            f"Put {{{needed}}} outside of brackets.",
        )
    if any("{first_name}" in part.forms[-1] for part in phrase.parts if part.is_optional):
        yield error(
            "name_must_go",
            name,
            "A name can be too long, or in letters that a text cannot hold, and could not go.",
            "End the part with an empty form: [Hello {first_name}. |].",
            "{first_name}",
        )


def _certain(name: str, kind: Kind) -> frozenset[str]:
    """The values that a letter of `kind` always has."""
    known = {"sms_name", "clinic_name", "phone", "count", "text"}
    if kind in ABOUT_A_VISIT or name.endswith("_several"):
        known.add("when")
    if has_page(kind):
        known.add("care_url")
    return frozenset(known)


def _needed(name: str, kind: Kind) -> frozenset[str]:
    """The values without which a text of `kind` does not do its work."""
    if channel_of(name) is not Channel.SMS:
        return frozenset()
    needed = {"sms_name"}
    if kind in ABOUT_A_VISIT:
        needed.add("when")
    if (kind in GUIDES and kind is not Kind.POSTCARE_0) or kind in _BY_LINK_ALONE:
        needed.add("care_url")
    if kind is Kind.POSTCARE_0:
        needed.add("phone")
    return frozenset(needed)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
