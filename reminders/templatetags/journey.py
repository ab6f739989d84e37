"""Words and marks of the journey: sessions, moments with their year, what providers said."""

from __future__ import annotations

from datetime import datetime

from django import template

from clinic import hours
from clinic.models import Site
from clinic.templatetags.ui import VISIT_STATES
from reminders.models import LookUpAnswer

register = template.Library()

OUTCOMES = {
    "accepted": "Taken by the provider",
    "not_sent": "The provider could not be reached",
    "refused": "Refused by the provider",
    "unknown": "The connection broke before an answer",
    "": "Under way",
}


@register.filter
def dot_class(state: str) -> str:
    """The class of one session's dot; a session that is not booked is "open"."""
    return "open" if state == "open" else VISIT_STATES[state][0]


@register.simple_tag
def day_and_year(at: datetime, site: Site) -> str:
    """The local day of `at` with its year: "12 Mar 2027"."""
    there = hours.local(at, site.zone).date()
    return f"{hours.format_day(there).split(' ', 1)[1]} {there.year}"


@register.filter
def outcome_word(outcome: str) -> str:
    """How a conversation with a provider ended."""
    return OUTCOMES.get(outcome, "Ended")


@register.filter
def reported(status: str) -> str:
    """A provider's own status as words: "partially_delivered" → "partially delivered"."""
    return status.replace("_", " ")


LOOKED: dict[str, str] = {
    "": "no answer yet",
    LookUpAnswer.FOUND: "it has it",
    LookUpAnswer.SEVERAL: "it has several like it",
    LookUpAnswer.ABSENT: "it has nothing like it",
    LookUpAnswer.NO_ANSWER: "no answer",
    LookUpAnswer.CANNOT_SAY: "it cannot say",
}


@register.filter
def looked(answer: str) -> str:
    """What a provider said when it was asked for a message."""
    return LOOKED[answer]
