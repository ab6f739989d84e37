"""Steps 2 and 3: the dates of the series, what booking it will send, and the booking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from appointments import proposing
from appointments.clearance import Bar, Barred
from appointments.finding.intervals import Spaced
from appointments.models import Hold
from appointments.proposing.places import DayStarts, Proposal
from appointments.refusals import Refused, SlotTaken
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.reader_language import reader_language
from clinic.views.looking import shows
from clinic.views.row_id import row_id
from reminders import series_booking
from reminders.views.book_series import draft as drafts
from reminders.views.book_series import plan_rows, screening, sends, ways_out
from reminders.views.book_series.choose import choose_page
from reminders.views.book_series.draft import Draft
from reminders.views.book_series.order import Order, booking_at, order, to_dates
from reminders.views.book_series.plan_rows import Row

ONE_DAY = timedelta(days=1)


@require_GET
def dates(request: HttpRequest) -> HttpResponse:
    """The plan: proposed at first, then as the address says. `look` opens one session's day."""
    site, by = booking_at(request)
    draft = drafts.read(request.GET)
    if drafts.is_raw(request.GET):
        return screening.next_step(site, by, draft)
    found = order(draft, site, by)
    if isinstance(found, list):
        return choose_page(request, site, by, draft, found)
    return _plan_page(request, found, look=request.GET.get("look", ""))


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Take another plan, put another place into it, or look at another day, keeping what was
    ticked."""
    site, _ = booking_at(request)
    draft = drafts.read(request.POST)
    if plan := request.POST.get("plan", ""):
        try:
            draft = replace(draft, wishes=tuple(drafts.wish(text) for text in plan.split()))
        except ValueError:
            raise Http404 from None
    session, _, value = request.POST.get("choose", "").partition("@")
    number = row_id(session)
    if value and 1 <= number <= len(draft.wishes):
        try:
            draft = draft.with_visit(number, drafts.wish(value))
        except ValueError:
            raise Http404 from None
    look = request.POST.get("look", "")
    if session := request.POST.get("look_at", ""):
        look = f"{session}@{request.POST.get(f'day_{session}', '')}"
    return to_dates(site, draft, look=look)


@require_POST
def book(request: HttpRequest) -> HttpResponse:
    """Book what the plan shows; a refusal shows the same plan with its reason."""
    site, by = booking_at(request)
    found = order(drafts.read(request.POST), site, by)
    if isinstance(found, list):
        return choose_page(request, site, by, drafts.read(request.POST), found)
    draft = found.draft
    if not draft.wishes:
        return to_dates(site, draft)
    try:
        series = series_booking.book(
            patient=found.patient,
            site=site,
            version=found.version,
            areas=draft.areas,
            visits=draft.wishes,
            skips=draft.skips,
            by=by,
            now=timezone.now(),
            override_reason=draft.reason,
            overlap=request.POST.get("overlap") == "1",
        )
    except Refused as refusal:
        answer = _plan_page(request, found, refusal=refusal)
        # What was pressed has no page to load again: the plan has.
        answer["HX-Push-Url"] = to_dates(site, draft)["Location"]
        return answer
    return redirect("series-booked", series.pk)


def _proposal(order: Order, by: Staff, now: datetime, kept_free: Sequence[Spaced]) -> Proposal:
    draft = order.draft
    return proposing.propose_series(
        patient=order.patient,
        site=order.site,
        version=order.version,
        areas=draft.areas,
        sessions=draft.sessions or 1,
        now=now,
        first_from=draft.first_from,
        provider=order.provider,
        preference=order.preference,
        free_time=draft.free_time,
        holding=Hold.objects.plan_of(by, order.patient),
        kept_free=kept_free,
    )


def _plan_page(
    request: HttpRequest, order: Order, *, look: str = "", refusal: Refused | None = None
) -> HttpResponse:
    shows(request, order.patient, patient_id=order.patient.pk)
    now, draft, by = timezone.now(), order.draft, cast(Staff, request.user)
    try:
        kept_free = screening.kept_free(order)
    except Barred as barred:
        return _stopped(request, order, barred.bars)
    proposal = _proposal(order, by, now, kept_free)
    is_chosen = len(draft.wishes) == draft.sessions
    if not is_chosen and proposal.visits:
        draft = replace(draft, wishes=tuple(visit.wish for visit in proposal.visits))
    plans = plan_rows.ranked(proposal.plans, draft.wishes)
    rows: list[Row] = []
    if is_chosen or proposal.visits:
        rows = plan_rows.laid_out(
            draft.wishes,
            site=order.site,
            version=order.version,
            areas=draft.areas,
            proposed=next((plan.visits for plan in plans if plan.is_shown), ()),
        )
    context = {
        "site": order.site,
        "patient": order.patient,
        "version": order.version,
        "area_names": _area_names(order),
        "draft": draft,
        "free_of": order.free_of,
        "unmet": proposal.unmet,
        "differences": screening.differences_of(order),
        "shifted": () if is_chosen else proposal.shifted,
        "back": draft.wishes_query,
        "rows": rows,
        "plans": plans,
        "problem": None if is_chosen else proposal.problem,
        "ways_out": [] if is_chosen else ways_out.of(proposal.problem, draft, order.site),
        **sends.of(order, draft, rows, now),
        "looked": _looked(order, draft, rows, look, by, now, kept_free),
        "may_override": access.can(by, Capability.OVERRIDE_INTERVAL, order.site),
        "may_overlap": access.can(by, Capability.OVERLAP, order.site),
        "overlap_tried": "overlap" in request.POST,
        "who_may": access.roles_with(Capability.OVERRIDE_INTERVAL),
        "breached": any(row.breach for row in rows),
        **_refused(refusal, draft),
    }
    page = "_plan" if request.headers.get("HX-Request") else "dates"
    status = 409 if refusal else 200
    return render(request, f"reminders/book_series/{page}.html", context, status=status)


def _stopped(request: HttpRequest, order: Order, stops: Sequence[Bar]) -> HttpResponse:
    """No place is offered for what may not be booked on any day."""
    context = {
        "site": order.site,
        "patient": order.patient,
        "version": order.version,
        "area_names": _area_names(order),
        "draft": order.draft,
        "back": order.draft.wishes_query,
        "stops": stops,
    }
    page = "_plan" if request.headers.get("HX-Request") else "dates"
    return render(request, f"reminders/book_series/{page}.html", context, status=409)


def _area_names(order: Order) -> list[str]:
    known = order.protocol.applicability.areas
    return [known[area].name.get(reader_language()) for area in order.draft.areas]


def _refused(refusal: Refused | None, draft: Draft) -> dict[str, Any]:
    """The refusal, the session it is about, and the places that may take its place."""
    start = getattr(refusal, "start", None)
    nearest = refusal.nearest if isinstance(refusal, SlotTaken) else ()
    return {
        "refusal": refusal,
        "lost": plan_rows.session_at(draft.wishes, start) if start else None,
        "nearest": plan_rows.choices(nearest),
    }


@dataclass(frozen=True, slots=True)
class Looked:
    """One session's day that is being looked at, with the days around it."""

    session: int
    starts: DayStarts
    choices: list[plan_rows.Choice]
    days: list[date]
    unread: str


def _looked(
    order: Order,
    draft: Draft,
    rows: Sequence[Row],
    look: str,
    by: Staff,
    now: datetime,
    kept_free: Sequence[Spaced],
) -> Looked | None:
    which, asked, text = look.partition("@")
    session = row_id(which)
    if not 1 <= session <= len(rows):
        return None
    day, unread = drafts.asked_day(text if asked else None, rows[session - 1].day)
    starts = proposing.free_starts(
        patient=order.patient,
        site=order.site,
        version=order.version,
        areas=draft.areas,
        day=day,
        now=now,
        provider=order.provider,
        holding=Hold.objects.plan_of(by, order.patient),
        kept_free=kept_free,
    )
    monday = day - day.weekday() * ONE_DAY
    return Looked(
        session,
        starts,
        plan_rows.choices(starts.places),
        [monday + number * ONE_DAY for number in range(7)],
        unread,
    )
