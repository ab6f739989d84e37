"""The picture of a protocol: its sessions on a line of weeks, and below what is said and asked
around each of them, a lane for each channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log10

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.durations import in_words
from clinic.protocols.schema import Protocol
from clinic.protocols.timeline import Lane, Moment, in_lane, moments
from clinic.reader_language import reader_language

register = template.Library()

LANES = {
    Lane.SMS: _("Text"),
    Lane.EMAIL: _("E-mail"),
    Lane.APP: _("Care page"),
    Lane.STAFF: _("Staff"),
    Lane.SCREENING: _("Screening"),
    Lane.CONSENT: _("Consent"),
    Lane.PHOTOS: _("Photos"),
}
WIDTH, GUTTER, LEFT, RIGHT = 1000, 8, 124, 984
RAIL, AXIS, TOP, LANE = 40, 62, 132, 28
_MOST_SESSIONS = 12
# What lies within this time of the session stands close to it; beyond, each ten times as far is as
# much further.
_NEAR_DAYS = 0.25
_MARK, _CROWD = 5, 9
_TICKS = (1, 3, 7, 14, 28, 56, 84, 168, 364, 728)
_WEEKS = (1, 2, 4, 8, 13, 26, 52)
_APART = 52
_TICK_APART = 40


@register.simple_tag
def series_line(protocol: Protocol) -> SafeString:
    """Sessions at their ideal days with the band in which each may lie; around each of them every
    step, one mark for those that fall together."""
    every = moments(protocol)
    lanes = [lane for lane in Lane if any(in_lane(lane, every))]
    parts = [*_series(protocol)]
    height = AXIS + 30
    if lanes:
        height = TOP + len(lanes) * LANE + 34
        parts += _around(every, lanes)
    return format_html(
        '<svg class="series-line" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH,
        height,
        _in_one_sentence(protocol),
        format_html_join("", "{}", ((part,) for part in parts)),
    )


# --- The sessions ---------------------------------------------------------------------------------


def _series(protocol: Protocol) -> Iterator[SafeString]:
    interval = protocol.series.interval
    ideal = interval.ideal.whole_days if interval else 0
    days = [n * ideal for n in range(min(protocol.series.sessions.typical, _MOST_SESSIONS))]
    longest = interval.max.whole_days - ideal if interval and len(days) > 1 else 0
    last = max(days[-1] + longest, 7) * 1.02
    first, room = LEFT + 14, RIGHT - LEFT - 22

    def x(day: float) -> float:
        return round(first + day / last * room, 1)

    yield _label(RAIL, gettext("Sessions"))
    yield _line("rail", LEFT, RIGHT, RAIL, RAIL)
    if interval:
        for day in days[:-1]:
            low, high = x(day + interval.min.whole_days), x(day + interval.max.whole_days)
            yield format_html(
                '<rect class="band" x="{}" y="{}" width="{}" height="16" rx="4"/>',
                low,
                RAIL - 8,
                max(4, round(high - low, 1)),
            )
    for number, day in enumerate(days, start=1):
        yield format_html(
            '<circle class="session" cx="{}" cy="{}" r="7"/>'
            '<text class="strong" x="{}" y="{}" text-anchor="middle">{}</text>',
            *(x(day), RAIL, x(day), RAIL - 16, number),
        )
    weeks = next((each for each in _WEEKS if each * 7 / last * room >= _APART), _WEEKS[-1])
    for week in range(0, int(last / 7) + 1, weeks):
        at = x(week * 7)
        yield format_html(
            '<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>', at, at, AXIS, AXIS + 6
        )
        yield format_html(
            '<text x="{}" y="{}" text-anchor="middle">{}</text>',
            *(at, AXIS + 20, gettext("week 0") if week == 0 else week),
        )


# --- What is said and asked around each -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    """Days from the session → x: near it each hour has room, far from it a month is enough."""

    zero: float
    decade: float

    def x(self, days: float) -> float:
        far = log10(1 + abs(days) / _NEAR_DAYS) * self.decade
        return round(self.zero + (far if days >= 0 else -far), 1)


def _scale(every: Sequence[Moment]) -> _Scale:
    before = max(1.0, -min(each.days for each in every))
    after = max(1.0, max(each.days for each in every))
    decades = [log10(1 + each / _NEAR_DAYS) for each in (before, after)]
    decade = (RIGHT - LEFT - 2 * 20) / sum(decades)
    return _Scale(LEFT + 20 + decades[0] * decade, decade)


def _around(every: Sequence[Moment], lanes: Sequence[Lane]) -> Iterator[SafeString]:
    scale, bottom = _scale(every), TOP + len(lanes) * LANE
    yield format_html(
        '<text class="strong" x="{}" y="{}">{}</text>',
        *(GUTTER, TOP - 16, gettext("Around each session")),
    )
    yield format_html(
        '<line class="zero" x1="{}" x2="{}" y1="{}" y2="{}"/>',
        scale.zero,
        scale.zero,
        TOP - 4,
        bottom,
    )
    for number, lane in enumerate(lanes):
        y = TOP + number * LANE + LANE // 2
        yield _label(y, str(LANES[lane]))
        yield _line("lane", LEFT, RIGHT, y, y)
        for crowd in _crowds(list(in_lane(lane, every)), scale):
            yield _mark(crowd, lane, scale, y)
    yield from _ticks(scale, every, bottom)


def _crowds(here: list[Moment], scale: _Scale) -> Iterator[list[Moment]]:
    """Those of a lane that would lie over each other, together. What is about the last session
    alone stays apart where it can."""
    crowd: list[Moment] = []
    for each in here:
        if crowd and scale.x(each.days) - scale.x(crowd[0].days) > 2 * _CROWD:
            yield crowd
            crowd = []
        crowd.append(each)
    if crowd:
        yield crowd


def _mark(crowd: list[Moment], lane: Lane, scale: _Scale, y: int) -> SafeString:
    steps = [step for each in crowd for step in each.steps]
    x = round(sum(scale.x(each.days) for each in crowd) / len(crowd), 1)
    of_last = " last" if all(each.of_last for each in crowd) else ""
    titles = " · ".join(step.title.get(reader_language()) for step in steps)
    if len(steps) == 1:
        return format_html(
            '<circle class="mark {}{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>',
            *(lane, of_last, x, y, _MARK, titles),
        )
    return format_html(
        '<g class="mark {}{}"><title>{}</title><circle cx="{}" cy="{}" r="{}"/>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text></g>',
        *(lane, of_last, titles, x, y, _CROWD, x, y + 4, len(steps)),
    )


def _ticks(scale: _Scale, every: Sequence[Moment], bottom: int) -> Iterator[SafeString]:
    yield _tick(scale.zero, bottom, gettext("session"), "strong")
    for sign in (-1, 1):
        far = max((sign * each.days for each in every), default=0)
        at = scale.zero
        for days in _TICKS:
            x = scale.x(sign * days)
            if days <= far * 1.01 and abs(x - at) >= _TICK_APART:
                yield _tick(x, bottom, f"{'−' if sign < 0 else '+'}{_short(days)}")
                at = x


def _tick(x: float, bottom: int, words: str, kind: str = "") -> SafeString:
    return format_html(
        '<text class="{}" x="{}" y="{}" text-anchor="middle">{}</text>',
        *(kind, x, bottom + 18, words),
    )


def _short(days: int) -> str:
    if days < 14:
        return gettext("%(days)s d") % {"days": days}
    return gettext("%(weeks)s wk") % {"weeks": days // 7}


def _line(kind: str, x1: float, x2: float, y1: float, y2: float) -> SafeString:
    drawn = '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
    return format_html(drawn, kind, x1, x2, y1, y2)


def _label(y: int, words: str) -> SafeString:
    return format_html('<text x="{}" y="{}">{}</text>', GUTTER, y + 4, words)


def _in_one_sentence(protocol: Protocol) -> str:
    series = protocol.series
    if series.interval is None:
        return gettext("One session.")
    ideal, least, most = (
        in_words(each, reader_language())
        for each in (series.interval.ideal, series.interval.min, series.interval.max)
    )
    return gettext(
        "%(count)s sessions, ideally %(ideal)s apart, at least %(least)s, at most %(most)s."
    ) % {"count": series.sessions.typical, "ideal": ideal, "least": least, "most": most}
