"""What a site still needs before visits can be booked there and their messages leave. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from clinic.protocols.house_words import room_word
from clinic.saying import gettext, ngettext

# Of the treatments that cannot be booked, how many are named with what they lack.
MOST_NAMED = 6


class Step(StrEnum):
    """What has to be there, in the order in which it is best set up."""

    HOURS = "hours"
    ROOMS = "rooms"
    DEVICES = "devices"
    PROVIDERS = "providers"
    TREATMENTS = "treatments"
    SENDER = "sender"
    ON_CALL = "on_call"
    GO_LIVE = "go_live"


@dataclass(frozen=True, slots=True)
class Treatment:
    """What an approved protocol holds for a visit; `device` whether it is one of the modality."""

    name: str
    modality: str
    room_kind: str
    device: bool


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """`room_kinds` and `devices` (modalities) are those in use; `providers` has, for each with
    hours at the site, the modalities of their leave to treat; `sharing` are other sites whose
    texts come from the same number."""

    has_hours: bool
    room_kinds: frozenset[str]
    devices: frozenset[str]
    providers: tuple[frozenset[str], ...]
    treatments: tuple[Treatment, ...]
    sharing: tuple[str, ...]
    has_on_call: bool
    is_live: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """One step: whether it is done, and what there is or what to do."""

    step: Step
    is_done: bool
    sentence: str


def standing(facts: SiteFacts) -> list[Standing]:
    """Every step in order."""
    can = [each for each in facts.treatments if not lacking(facts, each)]
    needs_device = any(each.device for each in facts.treatments)
    return [
        _either(
            Step.HOURS,
            facts.has_hours,
            gettext("The site has opening hours."),
            gettext("Say when the site is open: nothing can be booked outside of it."),
        ),
        _either(
            Step.ROOMS,
            bool(facts.room_kinds),
            gettext("There are rooms: %(kinds)s.")
            % {"kinds": ", ".join(sorted(map(room_word, facts.room_kinds)))},
            gettext("Add a room: every visit is in one."),
        ),
        Standing(
            Step.DEVICES,
            bool(facts.devices) or not needs_device,
            gettext("There are devices.")
            if facts.devices
            else gettext("Add the devices that treatments are made with."),
        ),
        Standing(Step.PROVIDERS, *_providers(facts)),
        Standing(Step.TREATMENTS, bool(can), _treatments(facts, len(can), needed=facts.treatments)),
        Standing(Step.SENDER, not facts.sharing, _sender(facts)),
        _either(
            Step.ON_CALL,
            facts.has_on_call,
            gettext("Somebody is on call."),
            gettext("Put somebody on call: urgent answers of patients page them."),
        ),
        _either(
            Step.GO_LIVE,
            facts.is_live,
            gettext("It is said from when on the site sends."),
            gettext("Say from when on the site sends: until then nothing leaves."),
        ),
    ]


def _either(step: Step, is_done: bool, done: str, to_do: str) -> Standing:
    return Standing(step, is_done, done if is_done else to_do)


def lacking(facts: SiteFacts, treatment: Treatment) -> list[str]:
    """What a visit of this treatment could not have at the site."""
    found = []
    if treatment.room_kind not in facts.room_kinds:
        found.append(gettext("a room of kind %(kind)s") % {"kind": room_word(treatment.room_kind)})
    if treatment.device and treatment.modality not in facts.devices:
        found.append(gettext("a device"))
    if not any(treatment.modality in leave for leave in facts.providers):
        found.append(gettext("somebody with leave to treat with it"))
    return found


def _providers(facts: SiteFacts) -> tuple[bool, str]:
    if not facts.providers:
        return False, gettext("Add who treats here and give them hours, with leave to treat.")
    if not any(facts.providers):
        return False, gettext("Nobody who has hours here has leave to treat. Give it to them.")
    said = ngettext(
        "%(n)s person has hours here.", "%(n)s people have hours here.", len(facts.providers)
    )
    return True, said % {"n": len(facts.providers)}


def _treatments(facts: SiteFacts, can: int, *, needed: Iterable[Treatment]) -> str:
    lacks = [(each.name, lacking(facts, each)) for each in needed]
    missing = [f"{name}: {', '.join(what)}" for name, what in lacks if what]
    if not lacks:
        return gettext("No protocol and no plain service is approved yet.")
    said = gettext("%(can)s of %(all)s treatments can be booked here.")
    words = [said % {"can": can, "all": len(lacks)}]
    if missing:
        more = len(missing) - MOST_NAMED
        named = "; ".join(missing[:MOST_NAMED]) + (f" (+{more})" if more > 0 else "")
        words.append(gettext("Lacking for %(what)s.") % {"what": named})
    return " ".join(words)


def _sender(facts: SiteFacts) -> str:
    if not facts.sharing:
        return gettext("Texts come from a number of its own.")
    said = gettext("%(sites)s has the same sender of texts: answers could be of either.")
    return said % {"sites": ", ".join(facts.sharing)}
