"""Writing to several patients who are due back: who would get what, doing it, taking it back."""

from __future__ import annotations

from math import ceil
from typing import cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.views.row_id import row_id
from reminders import recall_writing
from reminders.recall_writing import MOST


@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """`series` are the ids of those to write to; GET shows what would come of it."""
    site, by, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(by, Capability.BOOK, site)
    access.require(by, Capability.MANAGE_MESSAGES, site)
    data = request.POST or request.GET
    series = {row_id(text) for text in data.getlist("series")} - {0, None}
    back = reverse("recall")
    if not series:
        messages.error(request, gettext("Tick the patients to write to first."))
        return HttpResponseRedirect(back, status=303)
    if request.method == "POST":
        made = recall_writing.write(site=site, series=series, by=by, now=now)
        if made:
            said = ngettext(
                "%(count)s patient is written to.", "%(count)s patients are written to.", len(made)
            ) % {"count": len(made)}
            undo = urlencode([("attempt", attempt.pk) for attempt in made])
            messages.success(request, said, extra_tags=f"{reverse('recall-take-back')}?{undo}")
        else:
            messages.error(request, gettext("Nobody of them would get anything."))
        return HttpResponseRedirect(back, status=303)
    found = recall_writing.foresee(site=site, series=series, by=by, now=now)
    lists(request, (each.due.series.patient_id for each in found), site_id=site.pk)
    context = {
        "site": site,
        "sent": [each for each in found if each.is_sent],
        "left": [each for each in found if not each.is_sent],
        "at_once": sum(each.is_sent and not each.held_by for each in found),
        "held_back": recall_writing.held_back(found),
        "gone": max(min(len(series), MOST) - len(found), 0),
        "over": max(len(series) - MOST, 0),
        "most": MOST,
        "minutes": ceil(site.notice_hold_seconds / 60),
    }
    return render(request, "reminders/recall/write.html", context)


@require_POST
def take_back(request: HttpRequest) -> HttpResponse:
    """`attempt` are the ids of those who shall not have been written to."""
    attempts = {row_id(text) for text in request.GET.getlist("attempt")[:MOST]}
    rows, told = recall_writing.take_back(
        attempts={each for each in attempts if each},
        by=cast(Staff, request.user),
        now=timezone.now(),
    )
    said = ngettext(
        "%(count)s patient is not written to.", "%(count)s patients are not written to.", len(rows)
    ) % {"count": len(rows)}
    if told:
        more = ngettext(
            "%(count)s has the message already.", "%(count)s have the message already.", told
        ) % {"count": told}
        said = f"{said} {more}"
    messages.success(request, said)
    return HttpResponseRedirect(reverse("recall"), status=303)
