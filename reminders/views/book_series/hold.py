"""Keeping the places of the plan that is looked at: a line of the page that asks for it itself.

Without script nothing is held, and booking works all the same.
"""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from appointments.claiming import holding
from appointments.models import Hold
from appointments.refusals import Refused
from clinic.models import Site, Staff
from reminders.views.book_series import draft as drafts
from reminders.views.book_series.order import booking_at, order


@require_POST
def hold(request: HttpRequest) -> HttpResponse:
    """Hold the places of the plan in the form, in place of those that were held before."""
    site, by = booking_at(request)
    found = order(drafts.read(request.POST), site, by)
    if isinstance(found, list) or not found.draft.wishes:
        return HttpResponse(status=204)
    now = timezone.now()
    try:
        made = holding.hold_plan(
            patient=found.patient,
            site=site,
            version=found.version,
            areas=found.draft.areas,
            visits=found.draft.wishes,
            by=by,
            now=now,
        )
    except Refused as refusal:
        return _line(request, site, refusal=refusal)
    return _line(request, site, hold=made)


@require_GET
def held(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether it is still held: asked by the line itself when the time has run out."""
    found = _seen(request, pk)
    return _line(request, found.site, hold=found)


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it go: the page is being left."""
    holding.release(hold=_seen(request, pk), by=cast(Staff, request.user), now=timezone.now())
    return HttpResponse(status=204)


def _seen(request: HttpRequest, pk: int) -> Hold:
    seen = Hold.objects.seen_by(cast(Staff, request.user)).select_related("site")
    return get_object_or_404(seen, pk=pk)


def _line(
    request: HttpRequest, site: Site, *, hold: Hold | None = None, refusal: Refused | None = None
) -> HttpResponse:
    now = timezone.now()
    stands = hold is not None and hold.released_at is None and hold.expires_at > now
    context = {
        "site": site,
        "hold": hold,
        "stands": stands,
        # One second later, so that it has surely run out when the line asks.
        "seconds": int((hold.expires_at - now).total_seconds()) + 1 if hold and stands else 0,
        "refusal": refusal,
    }
    return render(request, "reminders/book_series/_hold.html", context)
