"""The words and the picture of a protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from clinic.durations import Duration, in_words
from clinic.protocols import schema
from clinic.protocols.schema import Hold, Protocol, Step

register = template.Library()

WORDS: dict[type[StrEnum], dict[str, str]] = {
    schema.OverMax: {
        "review": "A clinician looks at the series",
        "restart": "The series starts again",
    },
    schema.Trigger: {"yes": "On a yes", "within_washout": "When more recent than"},
    schema.Outcome: {
        "block": "Not treated",
        "defer": "Treated later",
        "review": "A clinician decides",
        "task": "A task for staff",
    },
    schema.AskAt: {"consult": "at the consultation", "pre": "before", "day_of": "on the day"},
    schema.Reach: {"area": "this area", "systemic": "the whole body"},
    schema.StepKind: {
        "instruction": "Advice",
        "question": "Question",
        "task": "Task for staff",
        "photo": "Photo",
        "checkin": "Check-in",
        "booking": "Booking",
    },
    schema.Late: {
        "send_now": "sent at once when booked later",
        "reword_ask": "asked instead when booked later",
        "skip": "left out when booked later",
        "escalate": "a clinician decides when booked later",
    },
    schema.Channel: {"sms": "text", "email": "e-mail", "app": "care page", "call": "call by staff"},
    schema.LogType: {
        "string": "words",
        "integer": "whole number",
        "number": "number",
        "boolean": "yes or no",
        "enum": "one of",
    },
    schema.LogPer: {"session": "once", "zone": "per zone"},
    schema.Urgency: {
        "emergency": "Emergency: call the emergency number",
        "same_day": "Call us the same day",
        "next_day": "Call us the next working day",
    },
    schema.Direction: {"before": "before this treatment", "after": "after this treatment"},
    schema.SpacingScope: {"same_area": "same area", "any": "anywhere"},
    schema.SpacingOutcome: {"block": "refused", "review": "a clinician decides"},
    schema.Grade: {
        "A": "maker's instructions, consensus or trial",
        "B": "hospital or national body",
        "C": "clinic sheet",
        "D": "aggregator, the lowest trust",
    },
}


@register.filter
def said(value: StrEnum) -> str:
    """The words of one of the schema's enumerations."""
    return WORDS[type(value)][value]


@register.filter
def plain(name: str) -> str:
    """An id as words: "any_device" → "any device"."""
    return name.replace("_", " ").replace(".", ": ")


@register.filter
def step_time(step: Step) -> str:
    """When a step is due: "7 days before", "At the start", "24 hours after the last session"."""
    last = " the last session" if step.anchor == schema.Anchor.SERIES_LAST else ""
    if step.before:
        return f"{in_words(step.before, 'en')} before{last}"
    if step.after:
        return f"{in_words(step.after, 'en')} after{last}"
    return "At the start" if step.anchor == schema.Anchor.SESSION_START else "At the end"


@register.filter
def hold_end(hold: Hold) -> str:
    """Until when a ban holds."""
    if hold.after:
        return f"until {in_words(hold.after, 'en')} after the session"
    if hold.before:
        return f"until {in_words(hold.before, 'en')} before the session"
    return "until the session"


@register.simple_tag
def sources(ids: Iterable[str], protocol: Protocol) -> SafeString:
    """The grades of the evidence behind a statement, each a link to its source below."""
    ids = tuple(ids)
    if not ids:
        return mark_safe('<span class="muted small">No source: the planner\'s choice.</span>')
    links = format_html_join(
        " ",
        '<a href="#source-{}" title="{}">{} {}</a>',
        (
            (each, protocol.evidence[each].title, each, protocol.evidence[each].grade)
            for each in ids
        ),
    )
    return format_html(
        '<span class="sources small"><span class="vh">Sources: </span>{}</span>', links
    )


# ---- The picture of a series ----------------------------------------------------------------

WIDTH, RAIL, LEFT, RIGHT = 1000, 56, 16, 984


@dataclass(frozen=True, slots=True)
class _Scale:
    """Days from the first session → x."""

    first: float
    last: float

    def x(self, day: float) -> float:
        return round(LEFT + (day - self.first) / (self.last - self.first) * (RIGHT - LEFT), 1)


@register.simple_tag
def series_line(protocol: Protocol) -> SafeString:
    """Sessions at their ideal days, the band in which each may lie, and a tick for every step."""
    series = protocol.series
    ideal = series.interval.ideal.whole_days if series.interval else 0
    days = [number * ideal for number in range(min(series.sessions.typical, 8))]
    before = [_days(step.before) for step in protocol.steps if step.before]
    after = [_days(step.after) for step in protocol.steps if step.after]
    room = max(ideal, 14)
    scale = _Scale(
        -min(max(before, default=7), room) - 2, days[-1] + min(max(after, default=14), room) + 7
    )
    parts = [
        *_axis(scale),
        format_html(
            '<line class="rail" x1="{}" x2="{}" y1="{}" y2="{}"/>', LEFT, RIGHT, RAIL, RAIL
        ),
        *_ticks(scale, days, before, "before", -1),
        *_ticks(scale, days, after, "after", 1),
        *_sessions(scale, protocol, days),
    ]
    return format_html(
        '<svg class="series-line" viewBox="0 0 {} 112" role="img" aria-label="{}">{}</svg>',
        WIDTH,
        _in_one_sentence(protocol),
        mark_safe("".join(parts)),
    )


def _days(duration: Duration) -> float:
    return duration.approximate_seconds / 86_400


def _axis(scale: _Scale) -> Iterator[SafeString]:
    weeks = 1 if scale.last - scale.first < 70 else 2 if scale.last - scale.first < 140 else 4
    week = 0
    while week * 7 <= scale.last:
        x = scale.x(week * 7)
        yield format_html(
            '<line class="axis" x1="{}" x2="{}" y1="84" y2="90"/>'
            '<text x="{}" y="104" text-anchor="middle">{}</text>',
            x,
            x,
            x,
            f"week {week}" if week == 0 else week,
        )
        week += weeks


def _ticks(
    scale: _Scale, days: list[int], offsets: list[float], name: str, sign: int
) -> Iterator[SafeString]:
    for start in days:
        for offset in sorted(set(offsets)):
            day = start + sign * offset
            if scale.first <= day <= scale.last:
                x = scale.x(day)
                yield format_html(
                    '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>',
                    name,
                    x,
                    x,
                    RAIL + 8 if sign > 0 else RAIL - 16,
                    RAIL + 16 if sign > 0 else RAIL - 8,
                )


def _sessions(scale: _Scale, protocol: Protocol, days: list[int]) -> Iterator[SafeString]:
    interval = protocol.series.interval
    for number, day in enumerate(days, start=1):
        if number > 1 and interval:
            low = scale.x(day - interval.ideal.whole_days + interval.min.whole_days)
            high = scale.x(day - interval.ideal.whole_days + interval.max.whole_days)
            yield format_html(
                '<rect class="band" x="{}" y="{}" width="{}" height="12" rx="3"/>',
                low,
                RAIL - 6,
                max(2, round(high - low, 1)),
            )
        yield format_html(
            '<circle class="session" cx="{}" cy="{}" r="7"/>'
            '<text class="strong" x="{}" y="26" text-anchor="middle">Session {}</text>',
            scale.x(day),
            RAIL,
            scale.x(day),
            number,
        )


def _in_one_sentence(protocol: Protocol) -> str:
    series = protocol.series
    if series.interval is None:
        return "One session."
    ideal, least, most = (
        in_words(each, "en")
        for each in (series.interval.ideal, series.interval.min, series.interval.max)
    )
    return (
        f"{series.sessions.typical} sessions, ideally {ideal} apart, "
        f"at least {least}, at most {most}."
    )
