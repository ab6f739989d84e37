"""The conversation that an address names: whoever opens it, or acts on it, is written down, and
is told what came of the act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages as toasts
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from clinic.models import Staff
from clinic.views.looking import shows
from reminders.inbound import conversing
from reminders.inbound.conversing import ConversationRefused
from reminders.models import Conversation


def seen(request: HttpRequest, pk: int) -> Conversation:
    """A conversation that who asks may read, looked at from now on; else 404."""
    rows = conversing.of(cast(Staff, request.user))
    found = get_object_or_404(rows.select_related("site", "patient", "owner", "closed_by"), pk=pk)
    shows(request, found, patient_id=found.patient_id)
    return found


def attempt(
    request: HttpRequest,
    act: Callable[..., object],
    shown: Conversation,
    said: str,
    *,
    undo: str = "",
    **more: Any,
) -> None:
    """Let the reader `act` on the conversation now; the toast is `said`, or why it was refused."""
    try:
        act(conversation=shown, by=cast(Staff, request.user), now=timezone.now(), **more)
    except ConversationRefused as refused:
        toasts.error(request, refused.sentence)
    else:
        toasts.success(request, said, extra_tags=undo)
