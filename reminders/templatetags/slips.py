"""What stands in the columns of the board by the hundred, written without a template: the slips of
visits, and free times to book."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from appointments.models import Appointment
from clinic.models import ResourceKind, Site
from clinic.templatetags.ui import VISIT_STATES, icon, when
from clinic.wall_time import local
from reminders.views.board.cards import Card
from reminders.views.board.columns import Column
from reminders.views.board.layout import Item
from reminders.views.book_series import draft as drafts

register = template.Library()

_SLIP = (
    '<a class="slip {state}" href="{at}{visit}" hx-get="{at}{visit}" data-visit="{visit}"'
    ' data-version="{version}"{movable}{resizable}{current}>{icon}<b>{name}</b>{time}'
    '<span class="what" title="{modality}">{what}</span><span class="word">{word}</span>{flag}</a>'
)
_GAP = '<a class="gap" href="{booking}?from={day}{provider}&amp;at={free}">{words}</a>'
_MOVABLE, _CURRENT = SafeString(" data-movable"), SafeString(' aria-current="true"')


@register.simple_tag(takes_context=True)
def slip(context: RequestContext, card: Card) -> SafeString:
    """{% slip card %}: who comes when for what, how far the visit is, and what stands out."""
    visit, asked, may_book = card.visit, context["asked"], context["may_book"]
    state, image, word = VISIT_STATES[visit.state]
    modality = visit.protocol_version.modality
    return format_html(
        _SLIP,
        state=state,
        at=context["panel_at"],
        visit=visit.pk,
        version=visit.version,
        movable=_MOVABLE if may_book and card.is_movable else "",
        resizable=_resizable(card) if may_book and card.is_resizable else "",
        current=_CURRENT if asked.visit == visit.pk else "",
        icon=icon(image),
        name=card.initials if asked.initials else card.name,
        time=when(visit.starts_at, context["site"], "time"),
        modality=modality.called,
        what=f"{_of_series(visit)}{modality.code} {card.areas}",
        word=_said(card, str(word)),
        flag=_flag(card),
    )


@register.simple_tag(takes_context=True)
def gap(context: RequestContext, column: Column, item: Item) -> SafeString:
    """{% gap column item %}: from when until when the resource is free; pressed, it is booked."""
    site, resource, free = context["site"], column.resource, item.period
    is_provider = resource.kind == ResourceKind.PROVIDER
    return format_html(
        _GAP,
        booking=reverse("book-series"),
        day=column.day.isoformat(),
        provider=format_html("&amp;provider={}", resource.pk) if is_provider else "",
        free=drafts.free_time(free.starts_at, resource.pk),
        words=gettext("Free %(when)s–%(when_2)s · book")
        % {"when": _clock(free.starts_at, site), "when_2": _clock(free.ends_at, site)},
    )


def _clock(at: datetime, site: Site) -> str:
    return f"{local(at, site.zone):%H:%M}"


def _of_series(visit: Appointment) -> str:
    """Nothing of a visit that stands alone: there is little room."""
    sessions = visit.series.sessions
    return f"{visit.session}/{sessions} " if max(visit.session, sessions) > 1 else ""


def _resizable(card: Card) -> SafeString:
    starts = int(card.visit.starts_at.timestamp())
    return format_html(' data-resizable data-starts="{}"', starts)


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
