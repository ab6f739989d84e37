"""The conversation that an address names: whoever opens it, or acts on it, is written down."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from clinic.models import Staff
from clinic.views.looking import shows
from reminders.inbound import conversing
from reminders.models import Conversation


def seen(request: HttpRequest, pk: int) -> Conversation:
    """A conversation that who asks may read, looked at from now on; else 404."""
    rows = conversing.of(cast(Staff, request.user))
    found = get_object_or_404(rows.select_related("site", "patient", "owner", "closed_by"), pk=pk)
    shows(request, found, patient_id=found.patient_id)
    return found
