"""The slip of a visit on the board, written without a template: a day has more than a hundred."""

from __future__ import annotations

from django import template
from django.template.context import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from clinic.templatetags.ui import VISIT_STATES, icon, when
from reminders.views.board.cards import Card

register = template.Library()

_SLIP = (
    '<a class="slip {state}" href="{at}{visit}" hx-get="{at}{visit}" data-visit="{visit}"'
    ' data-version="{version}"{movable}{resizable}{current}>{icon}<b>{name}</b>{time}'
    '<span class="what" title="{modality}">{what}</span><span class="word">{word}</span>{flag}</a>'
)
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
        what=f"{visit.session}/{visit.series.sessions} {modality.code} {card.areas}",
        word=_said(card, str(word)),
        flag=_flag(card),
    )


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
