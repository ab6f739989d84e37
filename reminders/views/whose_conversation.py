"""Whose conversation it is, when its address tells not: who may be meant. Reads only."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest

from clinic.models import Staff
from clinic.views.looking import lists
from patients import registration
from patients.models import Patient
from reminders.inbound import conversing
from reminders.models import Conversation

FOUND = 8


def of_its_site(shown: Conversation, staff: Staff, find: str = "") -> QuerySet[Patient]:
    """The patients of its site, or those whom `find` may mean."""
    found = cast("QuerySet[Patient]", registration.search(staff=staff, query=find))
    return found.filter(sites=shown.site)


def asked(request: HttpRequest, shown: Conversation) -> dict[str, Any]:
    """Of a conversation of nobody those who share its address, and those whom `find` may mean; of
    any other whether the address is on its patient's page."""
    sharers = conversing.sharers(shown)
    if shown.patient is not None:
        return {"is_theirs": sharers.filter(pk=shown.patient.pk).exists()}
    staff, find = cast(Staff, request.user), request.GET.get("find", "").strip()
    found = list(of_its_site(shown, staff, find)[:FOUND]) if find else []
    lists(request, (each.pk for each in found), site_id=shown.site_id)
    return {"candidates": sharers.filter(sites=shown.site), "find": find, "found": found}
