"""What a value of a protocol must satisfy beyond its type, one class at a time.

Each rule yields (field, cause), the cause in the language of who reads it, with the names that the
document has. Rules that look across the protocol are in `references`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import singledispatch
from itertools import pairwise

from clinic.durations import Duration
from clinic.protocols.schema import (
    Anchor,
    Applicability,
    Area,
    Channel,
    Directive,
    Downtime,
    Evidence,
    Fitzpatrick,
    Hold,
    Interval,
    Kind,
    Late,
    LogField,
    LogPer,
    LogType,
    Maintenance,
    Phase,
    Policy,
    Product,
    Protocol,
    Resources,
    Results,
    Review,
    Screening,
    Series,
    Sessions,
    SetUp,
    SkinType,
    Spacing,
    Step,
    StepKind,
    Text,
    Trigger,
    WarningSign,
)
from clinic.saying import gettext

Problem = tuple[str, str]

SLUG = re.compile(r"[a-z][a-z0-9_]{0,49}")
DOTTED = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
SEMVER = re.compile(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})")
CODE = re.compile(r"[A-Z]{2}")
ADDRESS = re.compile(r"https?://[^\s/]+\.[^\s/]+(/\S*)?")

MOST_SESSIONS = 52
LONGEST_NAME = 60  # what Modality.name and the day list hold

# A slip here would silently switch a safety rule off, so the words are a closed set: the
# protocols of the library and the procedures that a clinic does beside them.
OTHER_TREATMENTS = frozenset(
    {
        "ultrasound",
        "rf_monopolar",
        "rf_series",
        "laser_nonablative",
        "laser_fractional",
        "ipl",
        "rf_microneedling",
        "ablative_fractional",
        "any_device",
        "injectable",
        "neurotoxin",
        "filler",
        "peel",
        "surgery",
        "waxing",
        "vaccine",
    }
)

_ANCHORS = {
    Phase.PRE: {Anchor.SESSION_START},
    Phase.DAY: {Anchor.SESSION_START},
    Phase.POST: {Anchor.SESSION_END},
    Phase.FOLLOWUP: {Anchor.SESSION_END, Anchor.SERIES_LAST},
    Phase.MAINTENANCE: {Anchor.SERIES_LAST},
}
_DIRECTIVES = {
    StepKind.INSTRUCTION: {Directive.AVOID, Directive.DO},
    StepKind.QUESTION: {Directive.ASK},
    StepKind.TASK: {Directive.ASK},
    StepKind.PHOTO: {Directive.DO},
    StepKind.CHECKIN: {Directive.ASK},
    StepKind.BOOKING: {Directive.DO},
}


@singledispatch
def problems(value: object) -> Iterator[Problem]:
    """The (field, cause) of everything wrong within one value; nothing for most classes."""
    yield from ()


@problems.register
def _text(value: Text) -> Iterator[Problem]:
    for language in ("en", "es"):
        words = value.get(language)
        if not words.strip():
            yield language, gettext("is empty")
        elif words != words.strip():
            yield language, gettext("begins or ends with a space")


@problems.register
def _protocol(value: Protocol) -> Iterator[Problem]:
    yield from _slug("id", value.id)
    yield from _slug("modality", value.modality)
    if not SEMVER.fullmatch(value.version):
        yield (
            "version",
            gettext("'%(version)s' is not a version such as 1.0.0") % {"version": value.version},
        )
    if not CODE.fullmatch(value.code):
        yield "code", gettext("'%(code)s' is not two capital letters") % {"code": value.code}
    if len(value.name.en) > LONGEST_NAME:
        yield "name.en", gettext("is longer than %(most)s characters") % {"most": LONGEST_NAME}
    if value.kind is Kind.SERVICE and value.series.sessions.max > 1:
        yield "series.sessions.max", gettext("a service has one session")


@problems.register
def _review(value: Review) -> Iterator[Problem]:
    yield from _slug("owner_role", value.owner_role)
    if not value.next_review:
        yield "next_review", gettext("is zero")


@problems.register
def _resources(value: Resources) -> Iterator[Problem]:
    yield from _slug("room_kind", value.room_kind)


@problems.register
def _set_up(value: SetUp) -> Iterator[Problem]:
    yield from _elapsed("set_up", value.set_up)
    yield from _elapsed("clean_up", value.clean_up)


@problems.register
def _applicability(value: Applicability) -> Iterator[Problem]:
    if not value.areas:
        yield "areas", gettext("names no area")
    for area in value.areas:
        yield from _slug(f"areas.{area}", area)
    if not 0 <= value.min_age <= 120:
        yield "min_age", gettext("is not between 0 and 120")


@problems.register
def _area(value: Area) -> Iterator[Problem]:
    yield from _elapsed("chair", value.chair)
    if value.chair.minutes < 1:
        yield "chair", gettext("is shorter than a minute")
    if value.numbing is not None:
        yield from _elapsed("numbing", value.numbing)
    if len(set(value.regions)) < len(value.regions):
        yield "regions", gettext("names one twice")


@problems.register
def _fitzpatrick(value: Fitzpatrick) -> Iterator[Problem]:
    listed = [*value.allow, *value.review, *value.block]
    for skin in SkinType:
        if listed.count(skin) == 0:
            yield (
                "",
                gettext("type %(skin)s is in none of allow, review and block") % {"skin": skin},
            )
        if listed.count(skin) > 1:
            yield "", gettext("type %(skin)s is listed more than once") % {"skin": skin}


@problems.register
def _series(value: Series) -> Iterator[Problem]:
    if value.sessions.max > 1 and value.interval is None:
        yield "interval", gettext("is missing, and there can be more than one session")


@problems.register
def _sessions(value: Sessions) -> Iterator[Problem]:
    if not 1 <= value.min <= value.typical <= value.max <= MOST_SESSIONS:
        yield "", gettext("must be 1 ≤ min ≤ typical ≤ max ≤ %(most)s") % {"most": MOST_SESSIONS}


@problems.register
def _interval(value: Interval) -> Iterator[Problem]:
    yield from _ordered(min=value.min, ideal=value.ideal, max=value.max)
    for name in ("min", "ideal", "max"):
        length: Duration = getattr(value, name)
        if length.seconds or not length.is_calendar:
            yield name, gettext("must be whole days or months")


@problems.register
def _downtime(value: Downtime) -> Iterator[Problem]:
    yield from _ordered(typical=value.typical, max=value.max)


@problems.register
def _results(value: Results) -> Iterator[Problem]:
    yield from _ordered(first=value.first, peak=value.peak)


@problems.register
def _maintenance(value: Maintenance) -> Iterator[Problem]:
    yield from _ordered(due=value.due, latest=value.latest)


@problems.register
def _screening(value: Screening) -> Iterator[Problem]:
    yield from _slug("id", value.id)
    if not value.ask:
        yield "ask", gettext("names no moment")
    if value.trigger is Trigger.WITHIN_WASHOUT and not value.washout:
        yield "washout", gettext("is missing, and the trigger is within_washout")


@problems.register
def _hold(value: Hold) -> Iterator[Problem]:
    yield from _one_side(value.before, value.after)


@problems.register
def _step(value: Step) -> Iterator[Problem]:
    yield from _dotted("id", value.id)
    yield from _dotted("topic", value.topic)
    yield from _one_side(value.before, value.after)
    yield from _step_moment(value)
    yield from _step_words(value)


def _step_moment(step: Step) -> Iterator[Problem]:
    if step.anchor not in _ANCHORS[step.phase]:
        fitting = f" {gettext('or')} ".join(sorted(_ANCHORS[step.phase]))
        yield (
            "anchor",
            gettext("'%(anchor)s' does not fit phase '%(phase)s'; use %(fitting)s")
            % {"anchor": step.anchor, "phase": step.phase, "fitting": fitting},
        )
    if step.anchor is Anchor.SESSION_START and step.after is not None:
        yield "after", gettext("a step anchored at session.start comes before it")
    if step.anchor is not Anchor.SESSION_START and step.before is not None:
        yield (
            "before",
            gettext("a step anchored at %(anchor)s comes after it") % {"anchor": step.anchor},
        )
    if step.hold_until is None:
        return
    if step.directive is Directive.ASK:
        yield "hold_until", gettext("only a step that says avoid or do can be held")
    if _ends_too_soon(step, step.hold_until):
        yield "hold_until", gettext("ends before the step begins")


def _ends_too_soon(step: Step, ends: Hold) -> bool:
    if step.after is not None:
        return ends.after is None or _longer(step.after, ends.after)
    return step.before is not None and ends.before is not None and _longer(ends.before, step.before)


def _step_words(step: Step) -> Iterator[Problem]:
    if step.directive not in _DIRECTIVES[step.kind]:
        fitting = f" {gettext('or')} ".join(sorted(_DIRECTIVES[step.kind]))
        yield (
            "directive",
            gettext("'%(directive)s' does not fit kind '%(kind)s'; use %(fitting)s")
            % {"directive": step.directive, "kind": step.kind, "fitting": fitting},
        )
    if step.late is Late.REWORD_ASK and step.late_text is None:
        yield "late_text", gettext("is missing, and late is reword_ask")
    if step.late is not Late.REWORD_ASK and step.late_text is not None:
        yield "late_text", gettext("is never used, because late is not reword_ask")
    for_staff = {
        gettext("kind is task"): step.kind is StepKind.TASK,
        gettext("late is escalate"): step.late is Late.ESCALATE,
        gettext("a call is asked for"): Channel.CALL in step.channels,
        gettext("no channel carries the step"): not step.channels,
    }
    causes = [cause for cause, holds in for_staff.items() if holds]
    if causes and step.staff_text is None:
        yield "staff_text", gettext("is missing, and %(cause)s") % {"cause": causes[0]}
    if (
        step.topic.startswith("med.")
        and step.directive is Directive.AVOID
        and step.applies_if != "not_prescribed"
    ):
        yield (
            "applies_if",
            gettext("must be not_prescribed: nobody is told to stop a prescribed medicine"),
        )


@problems.register
def _log_field(value: LogField) -> Iterator[Problem]:
    yield from _slug("id", value.id)
    if value.type is LogType.ENUM and len(value.choices) < 2:
        yield "choices", gettext("an enum has at least two")
    if value.type is not LogType.ENUM and value.choices:
        yield "choices", gettext("type '%(type)s' has none") % {"type": value.type}
    if len(set(value.choices)) < len(value.choices):
        yield "choices", gettext("names one twice")
    numeric = value.type in (LogType.INTEGER, LogType.NUMBER)
    if value.per is LogPer.REGION and not numeric:
        yield "type", gettext("what is written of a region is a number")
    for name in ("minimum", "maximum"):
        if getattr(value, name) is not None and not numeric:
            yield name, gettext("type '%(type)s' has none") % {"type": value.type}
    if value.minimum is not None and value.maximum is not None and value.minimum > value.maximum:
        yield "maximum", gettext("is less than minimum")


@problems.register
def _warning(value: WarningSign) -> Iterator[Problem]:
    yield from _slug("id", value.id)


@problems.register
def _spacing(value: Spacing) -> Iterator[Problem]:
    if value.other not in OTHER_TREATMENTS:
        known = ", ".join(sorted(OTHER_TREATMENTS))
        yield (
            "other",
            gettext("'%(other)s' is not known; it is one of %(known)s")
            % {"other": value.other, "known": known},
        )
    if not value.min_gap:
        yield "min_gap", gettext("is zero")


@problems.register
def _product(value: Product) -> Iterator[Problem]:
    yield from _slug("category", value.category)
    if value.until is not None and _longer(value.start, value.until):
        yield "until", gettext("is before start")


@problems.register
def _policy(value: Policy) -> Iterator[Problem]:
    yield from _dotted("topic", value.topic)
    yield from _slug("decided_by", value.decided_by)
    if value.choice not in value.options:
        yield "choice", gettext("'%(choice)s' is not one of the options") % {"choice": value.choice}


@problems.register
def _evidence(value: Evidence) -> Iterator[Problem]:
    if not value.title.strip():
        yield "title", gettext("is empty")
    if not ADDRESS.fullmatch(value.url):
        yield "url", gettext("'%(url)s' is not an http address") % {"url": value.url}


def _slug(name: str, given: str) -> Iterator[Problem]:
    if not SLUG.fullmatch(given):
        yield (
            name,
            gettext("'%(given)s' is not small letters, digits and _ (at most 50)")
            % {"given": given[:60]},
        )


def _dotted(name: str, given: str) -> Iterator[Problem]:
    if not DOTTED.fullmatch(given) or len(given) > 50:
        yield (
            name,
            gettext("'%(given)s' is not small letters, digits, _ and dots (at most 50)")
            % {"given": given[:60]},
        )


def _elapsed(name: str, given: Duration) -> Iterator[Problem]:
    if given.is_calendar:
        yield name, gettext("'%(given)s' must be hours and minutes") % {"given": given}


def _one_side(before: Duration | None, after: Duration | None) -> Iterator[Problem]:
    if (before is None) == (after is None):
        yield "", gettext("needs exactly one of before and after")


def _ordered(**lengths: Duration) -> Iterator[Problem]:
    given = list(lengths.values())
    if any(_longer(one, then) for one, then in pairwise(given)):
        yield "", gettext("must be %(order)s") % {"order": " ≤ ".join(lengths)}


def _longer(one: Duration, other: Duration) -> bool:
    return one.approximate_seconds > other.approximate_seconds
