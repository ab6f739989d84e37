"""The row of a visit in the list of a day, written without a template: a day has a hundred."""

from __future__ import annotations

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from clinic.templatetags.ui import dialled, icon, status_chip, status_class, when
from reminders.views.day_list import Row

register = template.Library()

_ROW = (
    '<tr class="{state}" id="visit-{visit}">\n'
    '    <td class="time"><b>{time}</b><small>{minutes}{lock}</small></td>\n'
    '    <th scope="row"><a class="cover" href="{at}">{patient}</a>{flags}{phone}</th>\n'
    '    <td><span class="nowrap">{session}/{sessions}</span>'
    ' <abbr class="code" title="{modality}">{code}</abbr> {areas}</td>\n'
    '    <td>{provider}<small><span class="unit">{room}</span>{device}</small></td>\n'
    '    <td class="state">{chip}</td>\n'
    '    <td class="act">{acts}</td>\n'
    "  </tr>"
)
_FLAG = '<span class="flag{}">{}{}</span>'
_ACT = (
    '<form method="post" action="{at}" hx-post="{at}" hx-target="#day" hx-swap="outerHTML">'
    '<input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
    '<input type="hidden" name="version" value="{version}">'
    '<input type="hidden" name="next" value="{here}">'
    '<button class="btn small{quiet}" aria-label="{label}: {patient}">{label}</button></form>'
)


@register.simple_tag(takes_context=True)
def day_row(context: RequestContext, row: Row) -> SafeString:
    """{% day_row row %}: who comes when for what with whom, what stands out, what is to be done."""
    visit, held = row.visit, row.held
    series, modality = visit.series, visit.protocol_version.modality
    return format_html(
        _ROW,
        state=status_class(visit.state),
        visit=visit.pk,
        time=when(visit.starts_at, context["site"], "time"),
        minutes=gettext("%(minutes)s min") % {"minutes": row.minutes},
        lock=_lock() if visit.is_locked else "",
        at=reverse("visit", args=[visit.pk]),
        patient=series.patient.display_name,
        flags=_flags(row),
        phone=_phone(row.phone) if context["is_call_list"] else "",
        session=visit.session,
        sessions=series.sessions,
        modality=modality.called,
        code=modality.code,
        areas=row.areas,
        provider=held.get("provider", ""),
        room=held.get("room", ""),
        device=_device(held["device"]) if held.get("device") else "",
        chip=status_chip(visit.state),
        acts=_acts(context, row),
    )


def _lock() -> SafeString:
    return format_html(" {}", icon("lock", gettext("Locked to its time")))


def _flags(row: Row) -> SafeString | str:
    """What stands out, and how long they wait, if that is too long."""
    flags = [(" mild" if each.is_mild else "", icon("warning"), each) for each in row.flags]
    drawn = format_html_join("", _FLAG, flags)
    if row.is_long:
        mild = "" if row.is_too_long else " mild"
        words = gettext("waiting %(waiting)s min") % {"waiting": row.waiting}
        drawn += format_html(_FLAG, mild, icon("clock"), words)
    return format_html('<span class="row flags">{}</span>', drawn) if drawn else ""


def _phone(number: str) -> SafeString:
    if not number:
        return format_html("<small>{}</small>", gettext("no number"))
    link = '<small><a class="tel" href="tel:{}">{}{}</a></small>'
    return format_html(link, number, icon("phone"), dialled(number))


def _device(name: str) -> SafeString:
    return format_html(' · <span class="unit">{}</span>', name)


def _acts(context: RequestContext, row: Row) -> SafeString:
    """A button for each act that may be done, the first of them before the others."""
    visit = row.visit
    buttons = (
        {
            "at": reverse("visit-act", args=[visit.pk, act.slug]),
            "token": context["csrf_token"],
            "version": visit.version,
            "here": context["here"],
            "quiet": " quiet" if place else "",
            "label": act.label,
            "patient": visit.series.patient.display_name,
        }
        for place, act in enumerate(row.acts)
    )
    return format_html_join("", _ACT, buttons)
