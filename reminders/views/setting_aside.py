"""Acts on a conversation that is not for now, or not for me: given to a colleague, snoozed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.contrib import messages as toasts
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from clinic import saying_times, wall_time
from clinic.models import Staff
from clinic.reader_language import reader_language
from clinic.views.row_id import row_id
from clinic.wall_time import WallTimeMissing, local
from reminders.inbound import passing_on, snoozing
from reminders.inbound.conversing import ConversationRefused
from reminders.models import Conversation, ConversationState
from reminders.views.message_acts import UntilForm
from reminders.views.one_conversation import attempt, seen


@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    shown = seen(request, pk)
    to = get_object_or_404(passing_on.colleagues(shown), pk=row_id(request.POST.get("staff", "")))
    said = gettext("This conversation is %(name)s's.") % {"name": to.name}
    attempt(request, passing_on.assign, shown, said, to=to)
    return redirect("conversation", pk=pk)


@require_POST
def snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """Put it out of sight until a time on the clock of its site, or the instant of a button."""
    shown = seen(request, pk)
    try:
        until = _typed(request, shown)
        snoozing.snooze(
            conversation=shown, until=until, by=cast(Staff, request.user), now=timezone.now()
        )
    except (ConversationRefused, WallTimeMissing) as refused:
        toasts.error(request, refused.sentence)
        return redirect("conversation", pk=pk)
    when = saying_times.format_when(until, shown.site.zone, reader_language(), year=False)
    toasts.success(
        request,
        gettext("It comes back on %(when)s, or as soon as they write.") % {"when": when},
        extra_tags=reverse("conversation-wake", args=[pk]),
    )
    return redirect("inbox")


@require_POST
def wake(request: HttpRequest, pk: int) -> HttpResponse:
    said = gettext("The conversation is in sight again.")
    attempt(request, snoozing.wake, seen(request, pk), said)
    return redirect("conversation", pk=pk)


def offered(shown: Conversation, *, now: datetime) -> dict[str, Any]:
    """Whom the conversation could be given to, and until when it could be put out of sight."""
    if shown.state in (ConversationState.CLOSED, ConversationState.ESCALATED):
        return {}
    colleagues = passing_on.colleagues(shown)
    if shown.owner_id is not None:
        colleagues = colleagues.exclude(pk=shown.owner_id)
    if shown.has_symptom:
        return {"colleagues": colleagues}
    proposed = snoozing.proposed(shown.site, now)
    latest = local(proposed[-1], shown.site.zone).replace(tzinfo=None)
    return {
        "colleagues": colleagues,
        "snoozes": proposed,
        "until_form": UntilForm({"until": latest}),
    }


def _typed(request: HttpRequest, shown: Conversation) -> datetime:
    """The instant that was typed or pressed. Raises ConversationRefused, WallTimeMissing."""
    unread = ConversationRefused(gettext("Choose a day and a time."), field="until")
    if pressed := request.POST.get("at"):
        try:
            at = datetime.fromisoformat(pressed)
        except ValueError:
            raise unread from None
        if at.tzinfo is None:
            raise unread
        return at
    form = UntilForm(request.POST)
    if not form.is_valid():
        raise unread
    wall = form.cleaned_data["until"].replace(tzinfo=None)
    return wall_time.resolve(wall, shown.site.zone, fold=0)
