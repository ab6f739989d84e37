"""What is wrong with a version before patients read it: notation, values, length, words. Pure.

A version without errors can be written for every patient within its limits; the tests hold that
against the writer itself. Refuses to know what a clinic's own names and addresses are: they come
in as a `House`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reminders.catalogue import CATALOGUE, OFFERS, SAID_NOW, Channel, Kind, Purpose
from reminders.wording.email import GUIDES
from reminders.wording.findings import Finding, Level
from reminders.wording.forbidden import forbidden, links
from reminders.wording.measuring import Measure, measure
from reminders.wording.phrases import Phrase, PhraseError, parse
from reminders.wording.rules import LONGEST, SUBJECT_LENGTH
from reminders.wording.segments import fold, is_gsm
from reminders.wording.texts import EMAIL_VALUES, SMS_VALUES
from reminders.wording.versions import NEEDED, PHRASES, Sources, version

# Kinds that carry no link, and kinds that are always about a visit or a place on offer.
WITHOUT_LINK = frozenset({Kind.CANCELLED, Kind.WAITLIST_GONE})
ABOUT_A_VISIT = frozenset(
    {Kind.CANCELLED, *OFFERS, *(kind for kind, entry in CATALOGUE.items() if entry.tells_start)}
)
# Values that the letters of few kinds have.
_ONLY_OF = {"until": {Kind.WAITLIST_OFFER}, "text": {Kind.STAFF_REPLY, Kind.ON_CALL}}


@dataclass(frozen=True, slots=True)
class House:
    """What the linter has to know of the clinic. `hosts` are its own domains, `link` a link as
    long as those that patients get, `names` those of its providers and treatments, `unaddressed`
    the sites without a postal address."""

    hosts: frozenset[str] = frozenset()
    link: str = ""
    names: tuple[str, ...] = ()
    unaddressed: tuple[str, ...] = field(default=())


def channel_of(phrase: str) -> Channel:
    """The channel on which a phrase is read."""
    return Channel.SMS if phrase.startswith("sms") else Channel.EMAIL


def allowed(phrase: str, kind: Kind) -> frozenset[str]:
    """The merge values that a phrase of `kind` may hold."""
    known = _known(channel_of(phrase))
    return known - {name for name, kinds in _ONLY_OF.items() if kind not in kinds}


def lint(sources: Sources, *, kind: Kind, language: str, house: House = House()) -> list[Finding]:
    """All that is to be said of a version of `kind`; errors first. Sources must be tidied."""
    found: list[Finding] = []
    for name in PHRASES:
        found += _phrase(name, sources.get(name, ""), kind, house)
    if not any(each.code in ("empty", "notation", "unknown_value") for each in found):
        found += _lengths(sources, kind, language, house)
    if CATALOGUE[kind].purpose is Purpose.MARKETING:
        found += _footer(house)
    order = list(Level)
    return sorted(found, key=lambda each: (order.index(each.level), _place(each.phrase)))


def _place(phrase: str) -> int:
    return PHRASES.index(phrase) if phrase in PHRASES else len(PHRASES)


def _known(channel: Channel) -> frozenset[str]:
    return SMS_VALUES if channel is Channel.SMS else EMAIL_VALUES


def _phrase(name: str, source: str, kind: Kind, house: House) -> Iterator[Finding]:
    """What can be said of one phrase by itself."""
    if not source:
        if name in NEEDED:
            yield _error("empty", name, "It is empty.", "Write it, or take over the text in use.")
        return
    try:
        phrase = parse(source)
    except PhraseError as error:
        yield _error(
            "notation",
            name,
            str(error),
            "Write values as {when} and parts that may go as [ Call {phone}.| {phone}|].",
        )
        return
    channel = channel_of(name)
    yield from _values(name, phrase, kind)
    yield from forbidden(source, phrase=name, kind=kind, channel=channel, names=house.names)
    yield from links(source, phrase=name, hosts=house.hosts)
    yield from _text(name, source, phrase, kind) if channel is Channel.SMS else _mail(name, phrase)


# --- Merge values ---------------------------------------------------------------------------------


def _values(name: str, phrase: Phrase, kind: Kind) -> Iterator[Finding]:
    known = allowed(name, kind)
    for strange in sorted(phrase.names - known):
        yield _error(
            "unknown_value",
            name,
            f"There is no value {{{strange}}} here.",
            f"Use one of {_listed(known)}.",
            f"{{{strange}}}",
        )
    certain = _certain(name, kind)
    for value in sorted(phrase.always & known - certain):
        yield _error(
            "may_be_missing",
            name,
            f"{{{value}}} is not known for every patient, and the message could not be written.",
            f"Put it into a part that may go, in brackets: [ … {{{value}}} …].",
            f"{{{value}}}",
        )
    for needed in sorted(_needed(name, kind) - phrase.always):
        yield _error(
            "value_missing",
            name,
            f"{{{needed}}} is not there in every case.",
            f"Put {{{needed}}} outside of brackets.",
        )
    if any("{first_name}" in part.forms[-1] for part in phrase.parts if part.is_optional):
        yield _error(
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
    if kind not in WITHOUT_LINK and CATALOGUE[kind].purpose is not Purpose.MARKETING:
        known.add("care_url")
    return frozenset(known)


def _needed(name: str, kind: Kind) -> frozenset[str]:
    """The values without which a text of `kind` does not do its work."""
    if channel_of(name) is not Channel.SMS:
        return frozenset()
    needed = {"sms_name"}
    if kind in ABOUT_A_VISIT:
        needed.add("when")
    if (kind in GUIDES and kind is not Kind.POSTCARE_0) or kind is Kind.WAITLIST_OFFER:
        needed.add("care_url")
    if kind is Kind.POSTCARE_0:
        needed.add("phone")
    return frozenset(needed)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


# --- Text messages and e-mail ---------------------------------------------------------------------


def _text(name: str, source: str, phrase: Phrase, kind: Kind) -> Iterator[Finding]:
    if not source.startswith("{sms_name}: "):
        yield _error(
            "no_sender",
            name,
            "It does not begin with the clinic's name, and patients would not know who writes.",
            "Begin with “{sms_name}: ”.",
        )
    folded = fold(source)
    if strange := dict.fromkeys(char for char in folded if not is_gsm(char)):
        yield _error(
            "not_plain",
            name,
            f"A plain text message cannot hold “{''.join(strange)}”.",
            "Use other characters: one of these makes the whole text cost more than twice.",
            "".join(strange),
        )
    if changed := dict.fromkeys(char for char in source if fold(char) not in (char, "")):
        pairs = ", ".join(f"{char} as {fold(char)}" for char in changed if is_gsm(fold(char)))
        if pairs:
            yield Finding(
                "folded",
                Level.NOTE,
                name,
                f"Text messages write {pairs}.",
                "Nothing is to be done; the preview shows it as patients read it.",
            )
    if kind not in SAID_NOW and not {"phone", "care_url"} & phrase.names:
        yield Finding(
            "no_way_on",
            Level.WARNING,
            name,
            "It gives patients no way to reach you.",
            "Add a part that may go: [ Questions? Call {phone}.|].",
        )


def _mail(name: str, phrase: Phrase) -> Iterator[Finding]:
    if not name.startswith("subject"):
        return
    if name == "subject_several" and "when" in phrase.names:
        yield _error(
            "subject_lists",
            name,
            "The subject would hold the time of every visit.",
            "Say how many there are, {count}; the e-mail lists them.",
            "{when}",
        )
        return
    values = {**LONGEST, "clinic_name": "C" * 80, "count": "99"}
    longest = len(phrase.fill(values))
    if longest > SUBJECT_LENGTH:
        yield _error(
            "subject_long",
            name,
            f"With the longest values the subject has {longest} characters.",
            f"Shorten it by {longest - SUBJECT_LENGTH}.",
        )


# --- Length and footer ----------------------------------------------------------------------------


def _lengths(sources: Sources, kind: Kind, language: str, house: House) -> Iterator[Finding]:
    try:
        wording = version(sources).wording
        reference = list(measure(kind, language, wording))
        own = list(measure(kind, language, wording, link=house.link))
    except PhraseError:
        return  # a value that may be missing, of which the phrase itself has told
    for asked, here in zip(reference, own, strict=True):
        # One phrase stands in for both where the other is empty: it is told of once.
        name = asked.phrase if sources.get(asked.phrase) else "sms"
        if not asked.fits:
            yield _too_long(name, asked, Level.ERROR)
        elif not here.fits and len(house.link) > len(LONGEST["care_url"]):
            yield _long_link(name, here, kind)


def _too_long(name: str, asked: Measure, level: Level) -> Finding:
    with_line = " and the opt-out line of a first text" if asked.is_first else ""
    return Finding(
        "too_long_first" if asked.is_first else "too_long",
        level,
        name,
        f"With the longest values{with_line} it has {asked.counted.units} units in"
        f" {asked.counted.count} segments; the limit is {asked.room + asked.counted.units} units.",
        f"Shorten it by {max(-asked.room, 1)}, or put more of it into parts that may go.",
    )


def _long_link(name: str, here: Measure, kind: Kind) -> Finding:
    if here.counted.count > 2:
        return _too_long(name, here, Level.ERROR)
    return Finding(
        "long_link",
        Level.WARNING,
        name,
        f"Your own links are long: at its longest it takes {here.counted.count} segments.",
        f"Shorten it by {max(-here.room, 1)} if each is to cost one segment.",
    )


def _footer(house: House) -> Iterator[Finding]:
    for site in house.unaddressed:
        yield _error(
            "no_postal_address",
            "",
            f"{site} has no postal address, which the law asks for below marketing e-mail.",
            "Add the address to the site. The link to unsubscribe is added by itself.",
        )


def _error(code: str, phrase: str, what: str, mend: str, found: str = "") -> Finding:
    return Finding(code, Level.ERROR, phrase, what, mend, found)
