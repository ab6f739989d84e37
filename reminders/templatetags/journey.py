"""Words and marks of the journey: sessions, moments with their year, what providers said."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.models import Photo
from appointments.photos import standard_views
from clinic import saying_days, wall_time
from clinic.models import Site
from clinic.reader_language import reader_language
from clinic.templatetags.ui import VISIT_STATES
from reminders.models import LookUpAnswer
from reminders.views.patient_list import Progress

register = template.Library()

OUTCOMES = {
    "accepted": _("Taken by the provider"),
    "not_sent": _("The provider could not be reached"),
    "refused": _("Refused by the provider"),
    "unknown": _("The connection broke before an answer"),
    "": _("Under way"),
}


@register.simple_tag
def dots(progress: Progress) -> SafeString:
    """A dot for each session of a series, and how many of them are done: "2/4"."""
    done, count = progress.done, len(progress.states)
    return format_html(
        '<span class="dots" role="img" aria-label="{}">{}</span> <span class="nowrap">{}/{}</span>',
        gettext("%(done)s of %(count)s done") % {"done": done, "count": count},
        format_html_join("", '<i class="{}"></i>', ((_dot(each),) for each in progress.states)),
        done,
        count,
    )


def _dot(state: str) -> str:
    """The class of one session's dot; a session that is not booked is "open"."""
    return "open" if state == "open" else VISIT_STATES[state][0]


@register.filter
def shows_what(photo: Photo) -> str:
    """The area and the side that a photo shows: "Face, front"."""
    area = photo.area.replace("_", " ").capitalize()
    return f"{area}, {standard_views.name(photo.view, reader_language()).lower()}"


@register.simple_tag
def day_and_year(at: datetime, site: Site) -> str:
    """The local day of `at` with its year: "12 Mar 2027"."""
    there = wall_time.local(at, site.zone).date()
    return saying_days.format_day(there, reader_language(), year=True).split(" ", 1)[1]


@register.filter
def outcome_word(outcome: str) -> str:
    """How a conversation with a provider ended."""
    return str(OUTCOMES.get(outcome, _("Ended")))


@register.filter
def reported(status: str) -> str:
    """A provider's own status as words: "partially_delivered" → "partially delivered"."""
    return status.replace("_", " ")


LOOKED: dict[str, Promise] = {
    "": _("no answer yet"),
    LookUpAnswer.FOUND: _("it has it"),
    LookUpAnswer.SEVERAL: _("it has several like it"),
    LookUpAnswer.ABSENT: _("it has nothing like it"),
    LookUpAnswer.NO_ANSWER: _("no answer"),
    LookUpAnswer.CANNOT_SAY: _("it cannot say"),
}


@register.filter
def looked(answer: str) -> str:
    """What a provider said when it was asked for a message."""
    return str(LOOKED[answer])
