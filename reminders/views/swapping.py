"""Swapping a visit with another one of the same site: whom to choose from, and the one press."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from appointments.lifecycle import TO_COME, MoveRefused
from appointments.models import Appointment
from appointments.refusals import Refused
from appointments.visits import swapping
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.reader_language import reader_language
from clinic.saying_times import format_when
from clinic.wall_time import MINUTES_A_DAY, instant, local
from reminders.views.book_series import draft as drafts
from reminders.views.visit_acts import seen_visit

ONE_DAY = timedelta(days=1)


@require_http_methods(["GET", "HEAD", "POST"])
def swap(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose a visit of a day and exchange the starts; a refusal says why on the same page."""
    shown, by = seen_visit(request, pk), cast(Staff, request.user)
    access.require(by, Capability.BOOK, shown.site)
    own = local(shown.starts_at, shown.site.zone).date()
    day, unread = drafts.asked_day((request.POST or request.GET).get("day"), own)
    if request.method != "POST":
        return _page(request, shown, day, unread=unread)
    # The toast's undo posts with an address alone: a second swap is the first one taken back.
    asked = {**request.GET.dict(), **request.POST.dict()}
    numbers = [str(asked.get(name, "")) for name in ("other", "version", "other_version")]
    if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in numbers):
        raise Http404
    other_id, version, other_version = map(int, numbers)
    seen = Appointment.objects.seen_by(by).select_related("site", "series__patient")
    other = get_object_or_404(seen, pk=other_id)
    try:
        one, two = swapping.swap(
            one=shown,
            other=other,
            by=by,
            now=timezone.now(),
            expected_versions=(version, other_version),
        )
    except (Refused, MoveRefused) as refusal:
        return _page(request, seen_visit(request, pk), day, refusal.sentence)
    at, names = (
        format_when(one.starts_at, one.site.zone, reader_language(), seen_at=timezone.now()),
        _names(shown, other),
    )
    back = urlencode({"other": other_id, "version": one.version, "other_version": two.version})
    messages.success(
        request,
        gettext("%(names)s swapped: %(patient)s comes %(at)s.")
        % {"names": names, "patient": shown.series.patient.display_name, "at": at},
        extra_tags=f"{reverse('visit-swap', args=[pk])}?{back}",
    )
    return HttpResponseRedirect(reverse("visit", args=[pk]), status=303)


def _names(one: Appointment, other: Appointment) -> str:
    return gettext("%(patient)s and %(patient_2)s") % {
        "patient": one.series.patient.display_name,
        "patient_2": other.series.patient.display_name,
    }


def _page(
    request: HttpRequest, shown: Appointment, day: date, refused: str = "", unread: str = ""
) -> HttpResponse:
    monday = day - day.weekday() * ONE_DAY
    context = {
        "visit": shown,
        "patient": shown.series.patient,
        "site": shown.site,
        "version": shown.protocol_version,
        "day": day,
        "days": [monday + number * ONE_DAY for number in range(7)],
        "others": _others(cast(Staff, request.user), shown, day),
        "refused": refused,
        "unread": unread,
    }
    status = 409 if refused else 200
    return render(request, "reminders/visit/swap.html", context, status=status)


def _others(staff: Staff, shown: Appointment, day: date) -> QuerySet[Appointment]:
    """The visits of a local day that may move, of other series."""
    zone = shown.site.zone
    return (
        Appointment.objects.seen_by(staff)
        .filter(
            site=shown.site,
            state__in=TO_COME,
            is_locked=False,
            starts_at__gte=instant(day, 0, zone),
            starts_at__lt=instant(day, MINUTES_A_DAY, zone),
        )
        .exclude(series=shown.series_id)
        .select_related("series__patient", "protocol_version__modality")
        .order_by("starts_at", "id")
    )
