"""/recall/: patients who are due back, most urgent first, and what came of asking them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from appointments.models import OF_A_CALL, RecallOutcome, TreatmentSeries
from appointments.proposing.places import Place
from appointments.recalling import asking, calling, listing
from appointments.recalling.best_places import best_places
from appointments.recalling.listing import Due
from appointments.recalling.windows import Cause
from appointments.refusals import Refused
from appointments.views import waitlist_rows
from appointments.waitlist import overtaken
from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.saying_days import format_day
from clinic.saying_times import format_when
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.wall_time import local
from patients.models import ContactPoint
from reminders.views.book_series import draft as drafts

PER_PAGE = 50
TABS = {
    "": _("Everybody"),
    Cause.MISSED: _("Missed"),
    Cause.NEXT_SESSION: _("Next session"),
    Cause.TOUCH_UP: _("Touch-up"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """`book` leads to the screen that books what is due, `place` is the first free one,
    `written` the same as a parameter, `at` its time in words. The next session of a series is
    booked by one press, a touch-up on its own screen (`book_place`). `may_call` says whether one
    may call, as a touch-up is an offer; `is_first` is the first who may be booked;
    `wishes` are those with which the patient waits for this session, if they wait."""

    due: Due
    areas: str
    days_left: int | None
    book: str
    phone: str
    may_call: bool
    place: Place | None
    at: str
    is_first: bool
    wishes: str

    @property
    def books_at_once(self) -> bool:
        return self.due.cause != Cause.TOUCH_UP

    @property
    def written(self) -> str:
        return drafts.written(self.place.wish) if self.place else ""

    @property
    def book_place(self) -> str:
        return f"{self.book}&{urlencode({'visit': self.written})}"


@require_safe
def recall(request: HttpRequest) -> HttpResponse:
    """`cause` is a tab."""
    return _page(request)


@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what came of a call."""
    staff = cast(Staff, request.user)
    series = get_object_or_404(
        TreatmentSeries.objects.seen_by(staff).select_related("site", "patient"), pk=pk
    )
    access.require(staff, Capability.BOOK, series.site)
    outcome = request.POST.get("outcome", "")
    day, unread = drafts.asked_day(request.POST.get("again_on") or None, date.max)
    if outcome not in OF_A_CALL or unread:
        return _page(request, {"pk": pk, "sentence": unread or gettext("Choose what came of it.")})
    try:
        attempt = asking.ask(
            series=series,
            outcome=RecallOutcome(outcome),
            again_on=None if day == date.max else day,
            note=request.POST.get("note", ""),
            by=staff,
            now=timezone.now(),
        )
    except Refused as refusal:
        return _page(request, {"pk": pk, "sentence": refusal.sentence})
    when = (
        gettext("asked again %(again_on)s")
        % {"again_on": format_day(attempt.again_on, reader_language())}
        if attempt.again_on
        else gettext("not asked again")
    )
    messages.success(request, f"{series.patient.display_name}: {when}.")
    cause = request.POST.get("cause", "")
    query = f"?{urlencode({'cause': cause})}" if cause in TABS and cause else ""
    return HttpResponseRedirect(reverse("recall") + query, status=303)


def _page(request: HttpRequest, refused: dict[str, Any] | None = None) -> HttpResponse:
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.SEE_PATIENTS, site)
    today = local(now, site.zone).date()
    every = listing.due_at(site, staff, now=now)
    cause = (request.POST or request.GET).get("cause", "")
    cause = cause if cause in TABS else ""
    chosen = [each for each in every if not cause or each.cause == cause]
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    rows = _rows(list(page), site, now)
    lists(request, (row.due.series.patient_id for row in rows), site_id=site.pk)
    counts = Counter(each.cause for each in every)
    context = {
        "site": site,
        "today": today,
        "page": page,
        "rows": rows,
        "cause": cause,
        "tabs": [(slug, word, counts[slug] if slug else len(every)) for slug, word in TABS.items()],  # type: ignore[index]
        "outcomes": [(each.value, each.label) for each in OF_A_CALL],
        "may_book": access.can(staff, Capability.BOOK, site),
        "may_write": access.can(staff, Capability.BOOK, site)
        and access.can(staff, Capability.MANAGE_MESSAGES, site),
        "refused": refused,
    }
    return render(request, "reminders/recall/recall.html", context, status=422 if refused else 200)


def _rows(page: list[Due], site: Site, now: datetime) -> list[Row]:
    today = local(now, site.zone).date()
    places = best_places(page, site=site, now=now)
    first = next((due for due in page if not due.has_open_event), None)
    patients = {due.series.patient_id for due in page}
    called = calling.may_be_called(page)
    phones = ContactPoint.objects.numbers(patients)
    wishes = _wishes(page, site, now)
    return [
        Row(
            due,
            _areas(due.series),
            due.window.days_left(today) if due.window else None,
            _book(due, site, today),
            phones.get(due.series.patient_id, ""),
            due.series.pk in called,
            places.get(due.series.pk),
            _when(places.get(due.series.pk), site, now),
            due is first,
            wishes.get(due.series.pk, ""),
        )
        for due in page
    ]


def _wishes(page: list[Due], site: Site, now: datetime) -> dict[int, str]:
    """By series what the patient wishes for the session that they wait for."""
    waiting = overtaken.still_waiting(site=site, now=now)
    of_page = waiting.filter(series__in=[due.series for due in page], appointment=None)
    return {
        each.series_id: waitlist_rows.wishes(each)
        for each in of_page.select_related("provider")
        if each.series_id
    }


def _when(place: Place | None, site: Site, now: datetime) -> str:
    if place is None:
        return ""
    return format_when(place.starts_at, site.zone, reader_language(), seen_at=now)


def _areas(series: TreatmentSeries) -> str:
    protocol = protocols.get(series.protocol_version)
    return protocol.areas_in_words(series.areas, reader_language())


def _book(due: Due, site: Site, today: date) -> str:
    """The next session of an open series, or a single one of the treatment from the day it is due
    on; with who treated them last."""
    if due.cause != Cause.TOUCH_UP:
        return reverse("series-next", args=[due.series.pk])
    opens = due.window.opens if due.window else today
    query = [
        ("site", site.slug),
        ("patient", due.series.patient_id),
        ("protocol", due.series.protocol_version_id),
        *(("area", area) for area in due.series.areas),
        ("sessions", 1),
        ("from", max(opens, today).isoformat()),
        *([("provider", due.provider.pk)] if due.provider else []),
    ]
    return f"{reverse('book-series-dates')}?{urlencode(query)}"
