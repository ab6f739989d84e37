"""One series at a time: its next visit, its early end, another version of its protocol."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from appointments import clearance, proposing
from appointments.clearance import Barred, Treatment
from appointments.finding.intervals import Spaced
from appointments.lifecycle import TO_COME, MoveRefused
from appointments.models import TreatmentSeries
from appointments.proposing import standing
from appointments.refusals import Refused, SlotTaken
from appointments.visits import booking, ending, migrating
from appointments.visits.moving import VisitMove
from clinic import access
from clinic.access import Capability, Forbidden
from clinic.models import Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.saying_times import format_when
from clinic.views.looking import shows
from clinic.wall_time import local
from reminders.views.book_series import draft as drafts
from reminders.views.book_series import plan_rows
from reminders.views.rippling import moves_in, rows_of

ONE_DAY = timedelta(days=1)


# --- The next visit -------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def next_visit(request: HttpRequest, pk: int) -> HttpResponse:
    """The proposed date, the free starts of a day, and booking one of them."""
    series, by = _seen(request, pk), cast(Staff, request.user)
    reason = request.POST.get("override_reason", "").strip()[:200]
    if request.method != "POST":
        return _next_page(request, series)
    try:
        wish = drafts.wish(request.POST.get("place", ""))
    except (ValueError, OverflowError):
        return _next_page(request, series, {"sentence": gettext("Choose one of the free starts.")})
    try:
        booked = booking.add_visit(
            series=series, visit=wish, by=by, now=timezone.now(), override_reason=reason
        )
    except Refused as refusal:
        told = {
            "sentence": refusal.sentence,
            "overridable": refusal.overridable,
            "nearest": plan_rows.choices(refusal.nearest) if isinstance(refusal, SlotTaken) else (),
        }
        return _next_page(request, series, told, day=local(wish.starts_at, series.site.zone).date())
    at = format_when(booked.starts_at, series.site.zone, reader_language(), seen_at=timezone.now())
    name = series.patient.display_name
    messages.success(
        request,
        gettext("%(name)s: session %(session)s booked for %(at)s.")
        % {"name": name, "session": booked.session, "at": at},
    )
    return HttpResponseRedirect(reverse("visit", args=[booked.pk]), status=303)


def _next_page(
    request: HttpRequest,
    series: TreatmentSeries,
    refused: dict[str, Any] | None = None,
    day: date | None = None,
) -> HttpResponse:
    now, by = timezone.now(), cast(Staff, request.user)
    kept_free, barred = _kept_free(series, now)
    proposal = proposing.propose_next(series=series, now=now, kept_free=kept_free, most=1)
    first = proposal.visits[0] if proposal.visits else None
    usual = local(first.starts_at if first else now, series.site.zone).date()
    day, unread = (day, "") if day else drafts.asked_day(request.GET.get("day"), usual)
    starts = proposing.free_starts(
        patient=series.patient,
        site=series.site,
        version=series.protocol_version,
        areas=series.areas,
        day=day,
        now=now,
        kept_free=kept_free,
    )
    monday = day - day.weekday() * ONE_DAY
    context = {
        **_about(series),
        "session": standing.free_session(series),
        "proposed": first,
        "proposed_place": drafts.written(first.wish) if first else "",
        "problem": proposal.problem,
        "barred": barred,
        "day": day,
        "unread": unread,
        "days": [monday + number * ONE_DAY for number in range(7)],
        "starts": starts,
        "choices": plan_rows.choices(starts.places),
        "refused": refused,
        "may_override": access.can(by, Capability.OVERRIDE_INTERVAL, series.site),
    }
    status = 409 if refused else 200
    return render(request, "reminders/series/next.html", context, status=status)


def _kept_free(series: TreatmentSeries, now: datetime) -> tuple[Sequence[Spaced], str]:
    """The dates that something bars; when that is every date, the sentence that says so."""
    treatment = Treatment(
        series.patient, series.site, series.protocol_version, series.areas, series
    )
    try:
        return clearance.kept_free(treatment, now=now), ""
    except Barred as barred:
        return (), barred.sentence


# --- The early end --------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a series with a reason; which visits that cancels is shown first."""
    series, by = _seen(request, pk), cast(Staff, request.user)
    if request.method != "POST":
        return _end_page(request, series)
    reason = request.POST.get("reason", "").strip()[:200]
    untold = request.POST.get("tell") == "no"
    try:
        ending.end_series(
            series=series, reason=reason, by=by, now=timezone.now(), tell_patient=not untold
        )
    except Refused as refusal:
        return _end_page(request, series, refusal.sentence, reason=reason, untold=untold)
    messages.success(
        request,
        gettext("%(patient)s: %(protocol_version)s ended.")
        % {
            "patient": series.patient.display_name,
            "protocol_version": protocols.called(series.protocol_version),
        },
        extra_tags=reverse("series-reopen", args=[pk]),
    )
    return HttpResponseRedirect(reverse("patient", args=[series.patient_id]), status=303)


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back an early end."""
    series = _seen(request, pk, must_be_open=False)
    try:
        ending.reopen(series=series, by=cast(Staff, request.user), now=timezone.now())
    except (Refused, MoveRefused) as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(
            request,
            gettext("%(patient)s: the series goes on.") % {"patient": series.patient.display_name},
        )
    return HttpResponseRedirect(reverse("patient", args=[series.patient_id]), status=303)


def _end_page(
    request: HttpRequest, series: TreatmentSeries, problem: str = "", **typed: Any
) -> HttpResponse:
    coming = series.appointments.filter(state__in=TO_COME).order_by("session")
    context = {**_about(series), "coming": coming, "problem": problem, **typed}
    status = 422 if problem else 200
    return render(request, "reminders/series/end.html", context, status=status)


# --- Another version of the protocol --------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def migrate(request: HttpRequest, pk: int) -> HttpResponse:
    """What the approved version changes, and going over to it as it was shown."""
    series, by = _seen(request, pk), cast(Staff, request.user)
    version = migrating.newer_version(series)
    if version is None:
        raise Forbidden(
            gettext("This series goes by the approved version of its protocol already.")
        )
    refused = ""
    if request.method == "POST":
        visits = series.appointments.select_related("site")
        seen: list[VisitMove] = moves_in(request, {visit.pk: visit for visit in visits})
        try:
            migrating.migrate(series=series, version=version, seen=seen, by=by, now=timezone.now())
        except (Refused, MoveRefused) as refusal:
            refused = refusal.sentence
        else:
            messages.success(
                request,
                gettext("%(patient)s: goes by version %(version)s from now on.")
                % {"patient": series.patient.display_name, "version": version.version},
            )
            return HttpResponseRedirect(reverse("patient", args=[series.patient_id]), status=303)
    try:
        found = migrating.preview(series=series, version=version, now=timezone.now())
    except Refused as refusal:
        raise Forbidden(refusal.sentence) from None
    context = {
        **_about(series),
        "version": version,
        "changes": found.changes,
        "rows": rows_of(found.lines, series.site.zone, every=True),
        "problem": found.replan.problem,
        "refused": refused,
    }
    status = 409 if refused else 200
    return render(request, "reminders/series/migrate.html", context, status=status)


# --- Both -----------------------------------------------------------------------------------------


def _seen(request: HttpRequest, pk: int, *, must_be_open: bool = True) -> TreatmentSeries:
    """The series, for who may book at its site; 404 unless they may see the patient."""
    by = cast(Staff, request.user)
    rows = TreatmentSeries.objects.seen_by(by)
    rows = rows.select_related("patient", "site", "protocol_version__modality")
    series = get_object_or_404(rows, pk=pk)
    shows(request, series, patient_id=series.patient_id)
    access.require(by, Capability.BOOK, series.site)
    if must_be_open and series.closed_at is not None:
        raise Forbidden(gettext("This series is closed. Book a new one."))
    return series


def _about(series: TreatmentSeries) -> dict[str, Any]:
    return {"series": series, "patient": series.patient, "site": series.site}
