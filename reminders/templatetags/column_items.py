"""What lies in the columns of the board by the hundred, written without a template: visits, free
times to book, hours off, and times that are taken or offered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from appointments.models import Appointment
from clinic.models import ResourceKind, Site
from clinic.templatetags.ui import VISIT_STATES, icon, when
from clinic.wall_time import local
from reminders.views.board.cards import Card
from reminders.views.board.columns import Column
from reminders.views.board.layout import Item, Kind
from reminders.views.book_series import draft as drafts

register = template.Library()

_HELD = (
    '<div class="slip held">{icon}<b>{whose}</b><span class="what">{detail}</span>'
    '<span class="word">{until}</span></div>'
)
_BLOCKED = '<div class="slip blocked">{}<b>{}</b><span class="what">{}</span></div>'
_START = (
    '<form method="post" action="{at}" hx-post="{at}" hx-target="#board" hx-push-url="false">'
    '<input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
    '<input type="hidden" name="version" value="{version}">'
    '<input type="hidden" name="next" value="{here}">'
    '<button name="place" value="{place}"{focus}>{time}</button></form>'
)


@register.simple_tag(takes_context=True)
def column_items(context: RequestContext, column: Column) -> SafeString:
    """{% column_items column %}: the items of its list, in order of time."""
    page = context.flatten()
    # A visit lies in the columns of all that it holds, and looks the same in each.
    kept: Any = context.render_context
    slips: dict[int, SafeString] = kept.setdefault(column_items, {})
    return SafeString("\n".join(_item(page, column, each, slips) for each in column.items))


def _item(
    page: dict[Any, Any], column: Column, item: Item, slips: dict[int, SafeString]
) -> SafeString:
    if item.is_bare:
        return _listed(item, SafeString(""), f" {item.kind}")
    if item.kind == Kind.VISIT:
        visit = item.owner.visit.pk
        if visit not in slips:
            slips[visit] = _slip(page, item.owner)
        return _listed(item, slips[visit])
    if item.kind == Kind.GAP:
        if page["pick"] or not page["may_book"]:
            return SafeString("")
        return _listed(item, _gap(page, column, item))
    if item.kind == Kind.START:
        return _listed(item, _start(page, item), " start")
    return _listed(item, _held(page, item) if item.kind == Kind.HOLD else _blocked(item))


def _listed(item: Item, inside: SafeString, kind: str = "") -> SafeString:
    return SafeString(f'<li class="{item.classes}{kind}">{inside}</li>')


def _slip(page: dict[Any, Any], card: Card) -> SafeString:
    """Who comes when for what, how far the visit is, and what stands out. Only what may hold more
    than letters and digits is escaped: that costs more than the rest."""
    visit, asked, may_book = card.visit, page["asked"], page["may_book"]
    state, image, word = VISIT_STATES[visit.state]
    modality, at = visit.protocol_version.modality, f"{escape(page['panel_at'])}{visit.pk}"
    starts = int(visit.starts_at.timestamp())
    movable = " data-movable" if may_book and card.is_movable else ""
    resizable = f' data-resizable data-starts="{starts}"' if may_book and card.is_resizable else ""
    current = ' aria-current="true"' if asked.visit == visit.pk else ""
    name = escape(card.initials if asked.initials else card.name)
    what = escape(f"{_of_series(visit)}{modality.code} {card.areas}")
    return SafeString(
        f'<a class="slip {state}" href="{at}" hx-get="{at}" data-visit="{visit.pk}"'
        f' data-version="{visit.version}"{movable}{resizable}{current}>{icon(image)}<b>{name}</b>'
        f"{when(visit.starts_at, page['site'], 'time')}"
        f'<span class="what" title="{escape(modality.called)}">{what}</span>'
        f'<span class="word">{escape(_said(card, str(word)))}</span>{_flag(card)}</a>'
    )


def _gap(page: dict[Any, Any], column: Column, item: Item) -> SafeString:
    """From when until when the resource is free; pressed, it is booked."""
    site, resource, free = page["site"], column.resource, item.period
    whose = f"&amp;provider={resource.pk}" if resource.kind == ResourceKind.PROVIDER else ""
    at = escape(drafts.free_time(free.starts_at, resource.pk))
    when_free = {"when": _clock(free.starts_at, site), "when_2": _clock(free.ends_at, site)}
    words = escape(gettext("Free %(when)s–%(when_2)s · book") % when_free)
    return SafeString(
        f'<a class="gap" href="{reverse("book-series")}?from={column.day}{whose}&amp;at={at}">'
        f"{words}</a>"
    )


def _start(page: dict[Any, Any], item: Item) -> SafeString:
    """A start to which the picked visit may be put; the nearest one is at hand."""
    visit, place = page["pick"].visit, item.owner
    is_nearest = place.written == page["nearest_start"] and not page["request"].htmx
    return format_html(
        _START,
        at=reverse("visit-place", args=[visit.pk]),
        token=page["csrf_token"],
        version=visit.version,
        here=page["here"],
        place=place.written,
        focus=SafeString(" autofocus") if is_nearest else "",
        time=when(place.place.starts_at, page["site"], "time"),
    )


def _held(page: dict[Any, Any], item: Item) -> SafeString:
    taken = item.owner
    until = when(taken.until, page["site"], "time")
    return format_html(
        _HELD,
        icon=icon("hourglass"),
        whose=gettext("Held") if page["asked"].initials else taken.words,
        detail=taken.detail,
        until=SafeString(gettext("until %(when)s") % {"when": until}),
    )


def _blocked(item: Item) -> SafeString:
    return format_html(_BLOCKED, icon("barred"), item.owner.words, item.owner.detail)


def _clock(at: datetime, site: Site) -> str:
    return f"{local(at, site.zone):%H:%M}"


def _of_series(visit: Appointment) -> str:
    """Nothing of a visit that stands alone: there is little room."""
    sessions = visit.series.sessions
    return f"{visit.session}/{sessions} " if max(visit.session, sessions) > 1 else ""


def _said(card: Card, word: str) -> str:
    """The word of its state, and what goes with it."""
    locked = f", {gettext('locked')}" if card.visit.is_locked else ""
    return f"{word}{locked}" if card.waiting is None else f"{word}{locked} {_waits(card)}"


def _waits(card: Card) -> str:
    return gettext("%(waiting)s min") % {"waiting": card.waiting}


def _flag(card: Card) -> SafeString | str:
    """How long they wait, if that is too long; else the first of what stands out, and how many
    more there are."""
    if card.is_long:
        mild = "" if card.is_too_long else " mild"
        return format_html('<span class="flag{}">{}</span>', mild, _waits(card))
    if not card.flags:
        return ""
    first, *others = card.flags
    return format_html(
        '<span class="flag{}" title="{}">! {}{}</span>',
        " mild" if first.is_mild else "",
        ", ".join(map(str, card.flags)),
        first,
        f" +{len(others)}" if others else "",
    )
