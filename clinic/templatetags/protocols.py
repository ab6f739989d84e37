"""The words of a protocol."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.durations import in_words
from clinic.models import Role
from clinic.protocols import schema
from clinic.protocols.areas import REGIONS
from clinic.protocols.schema import Hold, Protocol, Step
from clinic.reader_language import reader_language

register = template.Library()

WORDS: dict[type[StrEnum], dict[str, Promise]] = {
    schema.OverMax: {
        "review": _("A clinician looks at the series"),
        "restart": _("The series starts again"),
    },
    schema.Trigger: {"yes": _("On a yes"), "within_washout": _("When more recent than")},
    schema.Outcome: {
        "block": _("Not treated"),
        "defer": _("Treated later"),
        "review": _("A clinician decides"),
        "task": _("A task for staff"),
    },
    schema.AskAt: {
        "consult": _("at the consultation"),
        "pre": _("before"),
        "day_of": _("on the day"),
    },
    schema.Reach: {"area": _("this area"), "systemic": _("the whole body")},
    schema.Phase: {
        "pre": _("before a session"),
        "day": _("on the day"),
        "post": _("after a session"),
        "followup": _("following up"),
        "maintenance": _("keeping the result"),
    },
    schema.Directive: {
        "avoid": _("avoid this"),
        "do": _("do this"),
        "ask": _("asks something"),
    },
    schema.Anchor: {
        "session.start": _("the start of a session"),
        "session.end": _("the end of a session"),
        "series.last": _("the end of the last session"),
    },
    schema.Intent: {
        "short_reminder": _("a short reminder"),
        "full_guide": _("the whole guide"),
        "checklist": _("a line of the checklist"),
        "ask_confirm": _("asks to confirm"),
        "photo_request": _("asks for a photo"),
        "urgent_triage": _("asks about symptoms"),
        "rebook": _("offers to book"),
    },
    schema.StepKind: {
        "instruction": _("Advice"),
        "question": _("Question"),
        "task": _("Task for staff"),
        "photo": _("Photo"),
        "checkin": _("Check-in"),
        "booking": _("Booking"),
    },
    schema.Late: {
        "send_now": _("sent at once when booked later"),
        "reword_ask": _("asked instead when booked later"),
        "skip": _("left out when booked later"),
        "escalate": _("a clinician decides when booked later"),
    },
    schema.Channel: {
        "sms": _("text"),
        "email": _("e-mail"),
        "app": _("care page"),
        "call": _("call by staff"),
    },
    schema.LogType: {
        "string": _("words"),
        "text": _("several lines of words"),
        "integer": _("whole number"),
        "number": _("number"),
        "boolean": _("yes or no"),
        "enum": _("one of"),
    },
    schema.LogPer: {"session": _("once"), "zone": _("per zone"), "region": _("per region")},
    schema.Region: {region: _(words) for region, words in REGIONS.items()},
    schema.Urgency: {
        "emergency": _("Emergency: call the emergency number"),
        "same_day": _("Call us the same day"),
        "next_day": _("Call us the next working day"),
    },
    schema.Direction: {"before": _("before this treatment"), "after": _("after this treatment")},
    schema.SpacingScope: {"same_area": _("same area"), "any": _("anywhere")},
    schema.SpacingOutcome: {"block": _("refused"), "review": _("a clinician decides")},
    schema.Grade: {
        "A": _("maker's instructions, consensus or trial"),
        "B": _("hospital or national body"),
        "C": _("clinic sheet"),
        "D": _("aggregator, the lowest trust"),
    },
}


# A closed set, as `clinic.protocols.rules.OTHER_TREATMENTS` is.
OTHERS: dict[str, Promise] = {
    "ultrasound": _("Focused ultrasound"),
    "rf_monopolar": _("Monopolar radiofrequency"),
    "rf_series": _("Radiofrequency series"),
    "laser_nonablative": _("Non-ablative laser"),
    "laser_fractional": _("Fractional laser"),
    "ipl": _("Intense pulsed light"),
    "rf_microneedling": _("RF microneedling"),
    "ablative_fractional": _("Ablative fractional laser"),
    "any_device": _("Any device"),
    "injectable": _("Any injection"),
    "neurotoxin": _("Wrinkle-relaxing injection"),
    "filler": _("Filler"),
    "peel": _("Chemical peel"),
    "surgery": _("Surgery"),
    "waxing": _("Waxing"),
    "vaccine": _("Vaccine"),
}
CONDITIONS: dict[str, Promise] = {
    "consent.photo": _("photos were agreed to"),
    "consent.marketing": _("offers were agreed to"),
    "not_prescribed": _("no doctor prescribed it"),
    "plan.sedation": _("sedation is planned"),
}


@register.filter
def for_reader(text: schema.Text) -> str:
    """What a protocol says in every language, in the reader's."""
    return text.get(reader_language())


@register.filter
def other_treatment(name: str) -> str:
    """Of which treatment a spacing speaks."""
    return str(OTHERS.get(name, plain(name).capitalize()))


@register.filter
def role_word(name: str) -> str:
    """A role within a sentence; a clinic's own as it wrote it."""
    return str(Role(name).label).lower() if name in Role.values else plain(name)


@register.simple_tag
def condition(step: Step, protocol: Protocol) -> str:
    """Under what a step holds, with the question whose answer decides it."""
    given = step.applies_if or ""
    asked = {f"screening.{each.id}": each.question for each in protocol.screening}
    if given in asked:
        question = asked[given].get(reader_language())
        return gettext("the answer to “%(question)s” asks for it") % {"question": question}
    return str(CONDITIONS.get(given, plain(given)))


@register.filter
def said(value: StrEnum) -> str:
    """The words of one of the schema's enumerations; a skin type is its numeral."""
    return str(WORDS[type(value)][value]) if type(value) in WORDS else str(value)


@register.filter
def plain(name: str) -> str:
    """An id as words: "any_device" → "any device"."""
    return name.replace("_", " ").replace(".", ": ")


@register.filter
def step_time(step: Step) -> str:
    """When a step is due: "7 days before", "At the start", "24 hours after the last session"."""
    is_last = step.anchor == schema.Anchor.SERIES_LAST
    if step.before:
        words = _("%(time)s before the last session") if is_last else _("%(time)s before")
        return words % {"time": in_words(step.before, reader_language())}
    if step.after:
        words = _("%(time)s after the last session") if is_last else _("%(time)s after")
        return words % {"time": in_words(step.after, reader_language())}
    at_start = step.anchor == schema.Anchor.SESSION_START
    return gettext("At the start") if at_start else gettext("At the end")


@register.filter
def hold_end(hold: Hold) -> str:
    """Until when a ban holds."""
    if hold.after:
        time = in_words(hold.after, reader_language())
        return gettext("until %(time)s after the session") % {"time": time}
    if hold.before:
        time = in_words(hold.before, reader_language())
        return gettext("until %(time)s before the session") % {"time": time}
    return gettext("until the session")


@register.simple_tag
def sources(ids: Iterable[str], protocol: Protocol) -> SafeString:
    """The grades of the evidence behind a statement, each a link to its source below."""
    ids = tuple(ids)
    if not ids:
        return format_html(
            '<span class="muted small">{}</span>', gettext("No source: the planner's choice.")
        )
    return format_html_join(
        " ",
        '<a href="#source-{}" title="{}" lang="en">{} {}</a>',
        (
            (each, protocol.evidence[each].title, each, protocol.evidence[each].grade)
            for each in ids
        ),
    )
