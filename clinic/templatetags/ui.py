"""Tags for the words and marks that every page shares: icons, times, chips, the interval bar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache

import phonenumbers
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic import saying_days, saying_times
from clinic.durations import Duration, in_words
from clinic.models import Site
from clinic.protocols.house_words import room_word
from clinic.protocols.loading import called
from clinic.reader_language import reader_language
from clinic.retelling import retold

register = template.Library()

register.filter("called", called)
register.filter("room_word", room_word)

# state → (class, icon, word). Class and icon are those of chips.css and sprite.svg.
VISIT_STATES = {
    "held": ("held", "hourglass", _("Held")),
    "booked": ("booked", "clock", _("Booked")),
    "confirmed": ("confirmed", "tick", _("Confirmed")),
    "arrived": ("arrived", "pin", _("Arrived")),
    "in_treatment": ("treating", "bolt", _("In treatment")),
    "done": ("done", "tick-ring", _("Done")),
    "no_show": ("noshow", "barred", _("No-show")),
    "cancelled": ("cancelled", "cross", _("Cancelled")),
}
MESSAGE_STATES = {
    "scheduled": ("scheduled", "clock", _("Scheduled")),
    "submitting": ("submitting", "hourglass", _("Sending")),
    "unknown": ("unknown", "question", _("Being checked")),
    "accepted": ("accepted", "tick", _("Handed over")),
    "sent": ("sent", "tick", _("Sent")),
    "delivered": ("delivered", "tick-ring", _("Delivered")),
    "undelivered": ("undelivered", "warning", _("Not delivered")),
    "failed": ("failed", "warning", _("Failed")),
    "withdrawn": ("withdrawn", "undo", _("Withdrawn")),
    "skipped": ("skipped", "barred", _("Skipped")),
}
PROTOCOL_STATES = {
    "draft": ("draft", "hourglass", _("Draft")),
    "approved": ("approved", "tick-ring", _("Approved")),
    "retired": ("retired", "barred", _("Retired")),
}
CHANNELS = {"sms": ("text", _("Text message")), "email": ("mail", _("E-mail"))}


@register.filter
def said_anew(sentence: str) -> str:
    """A sentence that is stored, in the reader's language."""
    return retold(sentence)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A 16 px icon of the sprite. It is decoration unless a `label` says what it means."""
    if label:
        return format_html(
            '<svg class="i" role="img" aria-label="{}"><use href="#i-{}"/></svg>', label, name
        )
    return _drawn(name)


@lru_cache(maxsize=256)
def _drawn(name: str) -> SafeString:
    return format_html('<svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def status_chip(state: str) -> SafeString:
    """The chip of a visit's state: colour, icon and word."""
    name, image, word = VISIT_STATES[state]
    return _chip("chip status", name, image, str(word))


@register.filter
def status_class(state: str) -> str:
    """The class that gives a card or a row of the timeline the colours of a visit's state."""
    return VISIT_STATES[state][0]


@register.filter
def status_word(state: str) -> str:
    """The word of a visit's state, in the reader's language."""
    return str(VISIT_STATES[state][2])


@register.filter
def status_icon(state: str) -> str:
    """The icon of a visit's state, for {% icon %}."""
    return VISIT_STATES[state][1]


@register.simple_tag
def message_chip(state: str) -> SafeString:
    """The chip of a message's state."""
    name, image, word = MESSAGE_STATES[state]
    return _chip("chip msg", name, image, str(word))


@register.simple_tag
def protocol_chip(status: str) -> SafeString:
    """The chip of a protocol version's status."""
    name, image, word = PROTOCOL_STATES[status]
    return _chip("chip", name, image, str(word))


@register.simple_tag
def channel_icon(channel: str) -> SafeString:
    """Text message or e-mail, as an icon with its word for readers."""
    name, label = CHANNELS[channel]
    return icon(name, str(label))


@register.filter
def channel_word(channel: str) -> str:
    """Text message or e-mail in words; a call, where staff do it."""
    return str(CHANNELS[channel][1]) if channel in CHANNELS else gettext("Call")


@register.simple_tag
def when(
    at: datetime, site: Site, part: str = "", zone: bool = False, year: bool = False
) -> SafeString:
    """`at` on the clock of `site`: "Fri 12 Mar 10:00", with its year when that is far away. `part`
    is weekday, date, day (weekday and date) or time; `zone` adds the clock's name, `year` the year
    in any case."""
    if part == "time":
        return _time_of_day(at, site.zone, zone)
    said = saying_times.when(
        at, site.zone, reader_language(), with_zone=zone, seen_at=timezone.now(), year=year or None
    )
    parts = {"": str(said), "weekday": said.weekday, "date": said.date, "day": said.day}
    return _time(at, parts[part])


# A page of a day has hundreds, and a refresh has the same.
@lru_cache(maxsize=1024)
def _time_of_day(at: datetime, zone: str, with_zone: bool) -> SafeString:
    return _time(at, saying_times.time_of_day(at, zone, with_zone=with_zone))


def _time(at: datetime, shown: str) -> SafeString:
    machine = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}">{}</time>', machine, shown)


@register.filter
def day(on: date) -> str:
    """A local date as "Fri 12 Mar", with its year when that is far away."""
    return saying_days.format_day(on, reader_language(), today=timezone.now().date())


@register.filter
def long_day(on: date) -> str:
    """A local date with its year: "12 Mar 2027", for birth dates and what lies far away."""
    return saying_days.format_day(on, reader_language(), year=True).split(" ", 1)[1]


@register.filter
def dialled(number: str) -> str:
    """A phone number in groups, as it is dialled from anywhere: "+1 212-555-0100"; as it stands
    when it is none."""
    try:
        read = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


@register.filter
def tel(number: str) -> SafeString:
    """A phone number as it is read, and to be pressed; what is none, such as an e-mail address, as
    it stands."""
    shown = dialled(number)
    if shown == number:
        return format_html("{}", number)
    return format_html('<a class="tel nowrap" href="tel:{}">{}</a>', number, shown)


@register.filter
def duration(value: Duration | None) -> str:
    """A duration in words: "28 days"; a dash for none."""
    return in_words(value, reader_language()) if value is not None else "–"


@register.simple_tag
def interval_bar(days: int, least: int, ideal: int, most: int) -> SafeString:
    """The days since the session before, on a line with the allowed band and the ideal tick."""
    low, high = min(days, least), max(days, most)
    margin = max(2, (high - low) // 6)
    low, high = max(0, low - margin), high + margin

    def x(day: int) -> int:
        return round((day - low) / (high - low) * 220)

    return format_html(
        '<div class="interval{}"><span><b>{}</b> · {}–{}, {}</span>'
        '<svg viewBox="0 0 220 16" aria-hidden="true" focusable="false">'
        '<line class="track" x1="0" x2="220" y1="8" y2="8"/>'
        '<rect class="band" x="{}" y="4" width="{}" height="8" rx="2"/>'
        '<line class="ideal" x1="{}" x2="{}" y1="2" y2="14"/>'
        '<circle class="dot" cx="{}" cy="8" r="6"/></svg></div>',
        "" if least <= days <= most else " outside",
        ngettext("%(count)s day", "%(count)s days", days) % {"count": days},
        least,
        most,
        gettext("ideal %(days)s") % {"days": ideal},
        x(least),
        max(2, x(most) - x(least)),
        x(ideal),
        x(ideal),
        x(days),
    )


@lru_cache(maxsize=256)
def _chip(classes: str, name: str, image: str, word: str) -> SafeString:
    return format_html('<span class="{} {}">{}{}</span>', classes, name, icon(image), word)
