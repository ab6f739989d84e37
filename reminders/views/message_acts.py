"""What staff do about one message: each act is one press, and says what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages as toasts
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from clinic import access, saying_times, wall_time
from clinic.access import Capability
from clinic.models import Staff
from clinic.reader_language import reader_language
from clinic.wall_time import WallTimeMissing
from clinic.when_fields import WallField
from reminders.catalogue import Channel
from reminders.ledger import retrying, skipping
from reminders.ledger.retrying import MayRepeat, RetryRefused
from reminders.ledger.skipping import SkipRefused
from reminders.models import Message
from reminders.sending import retiming, switching
from reminders.sending.retiming import OutOfHours, TimeRefused
from reminders.sending.switching import SwitchRefused
from reminders.templatetags.kinds import kind_word
from reminders.views import message_rows


class UntilForm(forms.Form):
    """Until when a message is put off, on the wall clock of its site."""

    until = WallField()


@require_POST
def skip(request: HttpRequest, message_id: int) -> HttpResponse:
    shown = message_rows.seen(request, message_id)
    try:
        skipping.skip(message=shown, by=cast(Staff, request.user), now=timezone.now())
    except SkipRefused as refused:
        toasts.error(request, refused.sentence)
    else:
        said = gettext("%(kind)s will not be sent.") % {"kind": kind_word(shown.kind)}
        toasts.success(request, said, extra_tags=_undo(request, "put-back-message", shown))
    return _back(request, shown)


@require_POST
def put_back(request: HttpRequest, message_id: int) -> HttpResponse:
    shown = message_rows.seen(request, message_id)
    try:
        skipping.unskip(message=shown, by=cast(Staff, request.user), now=timezone.now())
    except SkipRefused as refused:
        toasts.error(request, refused.sentence)
    else:
        toasts.success(
            request, gettext("%(kind)s will be sent at its time.") % {"kind": kind_word(shown.kind)}
        )
    return _back(request, shown)


@require_POST
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send again; what may have arrived already is asked about first on the message's page."""
    shown = message_rows.seen(request, message_id)
    try:
        retrying.retry(
            message=shown,
            by=cast(Staff, request.user),
            now=timezone.now(),
            may_repeat="may_repeat" in request.POST,
        )
    except MayRepeat:
        return redirect(f"{reverse('message', args=[shown.pk])}?ask=repeat")
    except RetryRefused as refused:
        toasts.error(request, refused.sentence)
    else:
        toasts.success(
            request, gettext("%(kind)s goes out again now.") % {"kind": kind_word(shown.kind)}
        )
    return _back(request, shown)


@require_POST
def put_off(request: HttpRequest, message_id: int) -> HttpResponse:
    """Let it leave later, at a time on the clock of its site."""
    shown = message_rows.seen(request, message_id)
    had_its_own = shown.chosen_at is None
    try:
        until = _wall_time(request, shown)
        retiming.put_off(
            message=shown, until=until, by=cast(Staff, request.user), now=timezone.now()
        )
    except (TimeRefused, WallTimeMissing) as refused:
        toasts.error(request, refused.sentence)
    else:
        when = saying_times.format_when(until, shown.site.zone, reader_language(), year=False)
        said = gettext("%(kind)s leaves on %(when)s.") % {
            "kind": kind_word(shown.kind),
            "when": when,
        }
        undo = _undo(request, "planned-time-message", shown) if had_its_own else ""
        toasts.success(request, said, extra_tags=undo)
    return _back(request, shown)


@require_POST
def send_now(request: HttpRequest, message_id: int) -> HttpResponse:
    """Let it leave now. Who may send at any hour is asked for the reason on the message's page."""
    shown, staff = message_rows.seen(request, message_id), cast(Staff, request.user)
    at_any_hour = "at_any_hour" in request.POST
    try:
        retiming.send_now(
            message=shown,
            by=staff,
            now=timezone.now(),
            at_any_hour=at_any_hour,
            reason=request.POST.get("reason", "")[: message_rows.REASON_LENGTH],
        )
    except OutOfHours as refused:
        if access.can(staff, Capability.SEND_AT_ANY_HOUR, shown.site):
            return redirect(f"{reverse('message', args=[shown.pk])}?ask=hours")
        toasts.error(request, refused.sentence)
    except TimeRefused as refused:
        toasts.error(request, refused.sentence)
        if at_any_hour:
            return redirect(f"{reverse('message', args=[shown.pk])}?ask=hours")
    else:
        toasts.success(request, gettext("%(kind)s leaves now.") % {"kind": kind_word(shown.kind)})
    return _back(request, shown)


@require_POST
def planned_time(request: HttpRequest, message_id: int) -> HttpResponse:
    shown = message_rows.seen(request, message_id)
    try:
        retiming.at_planned_time(message=shown, by=cast(Staff, request.user), now=timezone.now())
    except TimeRefused as refused:
        toasts.error(request, refused.sentence)
    else:
        said = gettext("%(kind)s leaves at its own time again.") % {"kind": kind_word(shown.kind)}
        toasts.success(request, said)
    return _back(request, shown)


@require_POST
def switch(request: HttpRequest, message_id: int) -> HttpResponse:
    shown = message_rows.seen(request, message_id)
    try:
        switching.switch(message=shown, by=cast(Staff, request.user), now=timezone.now())
    except SwitchRefused as refused:
        toasts.error(request, refused.sentence)
    else:
        by_text = gettext("%(kind)s goes by e-mail and not by text.")
        by_mail = gettext("%(kind)s goes by text and not by e-mail.")
        said = (by_text if shown.channel == Channel.SMS else by_mail) % {
            "kind": kind_word(shown.kind)
        }
        toasts.success(request, said, extra_tags=_undo(request, "switch-message-back", shown))
    return _back(request, shown)


@require_POST
def switch_back(request: HttpRequest, message_id: int) -> HttpResponse:
    shown = message_rows.seen(request, message_id)
    try:
        switching.switch_back(message=shown, by=cast(Staff, request.user), now=timezone.now())
    except SwitchRefused as refused:
        toasts.error(request, refused.sentence)
    else:
        said = (
            gettext("%(kind)s does not go by the other channel. Retry it to send it again.")
            if shown.state in retrying.CERTAINLY_NOT_RECEIVED
            else gettext("%(kind)s goes by its own channel again.")
        )
        toasts.success(request, said % {"kind": kind_word(shown.kind)})
    return _back(request, shown)


def _wall_time(request: HttpRequest, shown: Message) -> datetime:
    """The instant that was typed. Raises TimeRefused when it is none, WallTimeMissing in a gap."""
    form = UntilForm(request.POST)
    if not form.is_valid():
        raise TimeRefused(gettext("Choose a day and a time."))
    wall = form.cleaned_data["until"].replace(tzinfo=None)
    return wall_time.resolve(wall, shown.site.zone, fold=0)


def _undo(request: HttpRequest, act: str, shown: Message) -> str:
    """Where the act is taken back, and then on to where it was done."""
    back = request.POST.get("next", "")
    return f"{reverse(act, args=[shown.pk])}?{urlencode({'next': back})}"


def _back(request: HttpRequest, shown: Message) -> HttpResponseRedirect:
    """The page of ours that asked, else the message's own."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        wanted = reverse("message", args=[shown.pk])
    return HttpResponseRedirect(wanted)
