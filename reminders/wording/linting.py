"""What is wrong with a version before patients read it: notation, values, length, words. Pure.

A version without errors can be written for every patient within its limits; the tests hold that
against the writer itself. Refuses to know what a clinic's own names and addresses are: they come
in as a `House`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from clinic.saying import gettext
from reminders.catalogue import CATALOGUE, OFFERS, SAID_NOW, Channel, Kind, Purpose
from reminders.wording.findings import Finding, Level, error
from reminders.wording.forbidden import forbidden, links
from reminders.wording.measuring import Measure, measure
from reminders.wording.phrases import Phrase, PhraseError, parse
from reminders.wording.rules import LONGEST, SUBJECT_LENGTH
from reminders.wording.segments import fold, is_gsm
from reminders.wording.value_rules import channel_of, values_in
from reminders.wording.versions import NEEDED, PHRASES, Sources, version


@dataclass(frozen=True, slots=True)
class House:
    """What the linter has to know of the clinic. `hosts` are its own domains, `link` a link as
    long as those that patients get, `names` those of its providers and treatments, `unaddressed`
    the sites without a postal address."""

    hosts: frozenset[str] = frozenset()
    link: str = ""
    names: tuple[str, ...] = ()
    unaddressed: tuple[str, ...] = field(default=())


def lint(sources: Sources, *, kind: Kind, language: str, house: House = House()) -> list[Finding]:
    """All that is to be said of a version of `kind`; errors first. Sources must be tidied."""
    found: list[Finding] = []
    for name in PHRASES:
        found += _phrase(name, sources.get(name, ""), kind, house)
    if kind not in OFFERS and not sources.get("subject_several"):
        found += _subject_alone(sources.get("subject", ""))
    if not any(each.code in ("empty", "notation", "unknown_value") for each in found):
        found += _lengths(sources, kind, language, house)
    if CATALOGUE[kind].purpose is Purpose.MARKETING:
        found += _footer(house)
    order = list(Level)
    return sorted(found, key=lambda each: (order.index(each.level), _place(each.phrase)))


def _place(phrase: str) -> int:
    return PHRASES.index(phrase) if phrase in PHRASES else len(PHRASES)


def _phrase(name: str, source: str, kind: Kind, house: House) -> Iterator[Finding]:
    """What can be said of one phrase by itself."""
    if not source:
        if name in NEEDED:
            yield error(
                "empty",
                name,
                gettext("It is empty."),
                gettext("Write it, or take over the text in use."),
            )
        return
    try:
        phrase = parse(source)
    except PhraseError as fault:
        yield error(
            "notation",
            name,
            str(fault),
            gettext("Write values as {when} and parts that may go as [ Call {phone}.| {phone}|]."),
        )
        return
    channel = channel_of(name)
    yield from values_in(name, phrase, kind)
    yield from forbidden(source, phrase=name, kind=kind, channel=channel, names=house.names)
    yield from links(source, phrase=name, hosts=house.hosts)
    yield from _text(name, source, phrase, kind) if channel is Channel.SMS else _mail(name, phrase)


# --- Text messages and e-mail ---------------------------------------------------------------------


def _text(name: str, source: str, phrase: Phrase, kind: Kind) -> Iterator[Finding]:
    if not source.startswith("{sms_name}: "):
        yield error(
            "no_sender",
            name,
            gettext(
                "It does not begin with the clinic's name, and patients would not know who writes."
            ),
            gettext("Begin with “{sms_name}: ”."),
        )
    folded = fold(source)
    if strange := dict.fromkeys(char for char in folded if not is_gsm(char)):
        yield error(
            "not_plain",
            name,
            gettext("A plain text message cannot hold “%(strange)s”.")
            % {"strange": "".join(strange)},
            gettext(
                "Use other characters: one of these makes the whole text cost more than twice."
            ),
            "".join(strange),
        )
    if changed := dict.fromkeys(char for char in source if fold(char) not in (char, "")):
        pairs = ", ".join(
            gettext("%(char)s as %(char_2)s") % {"char": char, "char_2": fold(char)}
            for char in changed
            if is_gsm(fold(char))
        )
        if pairs:
            yield Finding(
                "folded",
                Level.NOTE,
                name,
                gettext("Text messages write %(pairs)s.") % {"pairs": pairs},
                gettext("Nothing is to be done; the preview shows it as patients read it."),
            )
    if kind not in SAID_NOW and not {"phone", "care_url"} & phrase.names:
        yield Finding(
            "no_way_on",
            Level.WARNING,
            name,
            gettext("It gives patients no way to reach you."),
            gettext("Add a part that may go: [ Questions? Call {phone}.|]."),
        )


def _mail(name: str, phrase: Phrase) -> Iterator[Finding]:
    if not name.startswith("subject"):
        return
    if name == "subject_several" and "when" in phrase.names:
        yield _lists_visits()
        return
    values = {**LONGEST, "clinic_name": "C" * 80, "count": "99"}
    longest = len(phrase.fill(values))
    if longest > SUBJECT_LENGTH:
        yield error(
            "subject_long",
            name,
            gettext("With the longest values the subject has %(longest)s characters.")
            % {"longest": longest},
            gettext("Shorten it by %(subject_length)s.")
            % {"subject_length": longest - SUBJECT_LENGTH},
        )


def _subject_alone(source: str) -> Iterator[Finding]:
    """One subject for one visit and for several must not list them. An offer is about one."""
    if "{when}" in source:
        yield _lists_visits()


def _lists_visits() -> Finding:
    return error(
        "subject_lists",
        "subject_several",
        gettext("With several visits the subject would hold the time of each."),
        gettext("Say how many there are, {count}; the e-mail lists them."),
        "{when}",
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
    with_line = gettext(" and the opt-out line of a first text") if asked.is_first else ""
    return Finding(
        "too_long_first" if asked.is_first else "too_long",
        level,
        name,
        gettext(
            "With the longest values%(with_line)s it has %(units)s units in %(count)s "
            "segments; the limit is %(allowed)s units."
        )
        % {
            "with_line": with_line,
            "units": asked.counted.units,
            "count": asked.counted.count,
            "allowed": asked.allowed,
        },
        gettext("Shorten it by %(over)s, or put more of it into parts that may go.")
        % {"over": max(asked.over, 1)},
    )


def _long_link(name: str, here: Measure, kind: Kind) -> Finding:
    if here.counted.count > 2:
        return _too_long(name, here, Level.ERROR)
    return Finding(
        "long_link",
        Level.WARNING,
        name,
        gettext("Your own links are long: at its longest it takes %(count)s segments.")
        % {"count": here.counted.count},
        gettext("Shorten it by %(over)s if each is to cost one segment.")
        % {"over": max(here.over, 1)},
    )


def _footer(house: House) -> Iterator[Finding]:
    for site in house.unaddressed:
        yield error(
            "no_postal_address",
            "",
            gettext(
                "%(site)s has no postal address, which the law asks for below marketing e-mail."
            )
            % {"site": site},
            gettext("Add the address to the site. The link to unsubscribe is added by itself."),
        )
