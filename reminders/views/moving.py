"""Giving a visit another time: a free start of a chosen day, or a typed date and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from appointments import proposing
from appointments.finding.intervals import Bounds, bounds
from appointments.lifecycle import MoveRefused, State
from appointments.models import Appointment
from appointments.proposing.places import VisitWish
from appointments.refusals import Refused, SlotTaken, StaleVersion, WrongStart
from appointments.visits import moving
from clinic import access
from clinic.access import Capability, Forbidden
from clinic.models import Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.saying_times import format_when
from clinic.wall_time import WallTimeMissing, WallTimeRepeats, local, resolve
from reminders.views import rippling
from reminders.views.book_series import draft as drafts
from reminders.views.book_series import plan_rows
from reminders.views.visit_acts import both_values, expected_version, seen_visit, undo_address

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Typed:
    """What the form holds: a local day and wall time of the site, and the reasons. `unread` says
    so when the day cannot be read."""

    day: date
    unread: str = ""
    time: str = ""
    fold: int | None = None
    reason: str = ""
    override_reason: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose another start and move there; a refusal keeps what was typed."""
    shown = seen_visit(request, pk)
    by = cast(Staff, request.user)
    access.require(by, Capability.BOOK, shown.site)
    typed = _typed(request, shown)
    if request.method != "POST":
        return _page(request, shown, typed)
    version = expected_version(request)
    try:
        wish = _wish(request, shown, typed)
    except (WallTimeMissing, WallTimeRepeats, NotATime) as refusal:
        return _page(request, shown, typed, _told(refusal))
    try:
        done = moving.move(
            appointment=shown,
            starts_at=wish.starts_at,
            provider_id=wish.provider_id or None,
            room_id=wish.room_id or None,
            device_id=wish.device_id,
            by=by,
            now=timezone.now(),
            reason=typed.reason,
            expected_version=version,
            override_reason=typed.override_reason,
            overlap="over" in request.POST,
        )
    except StaleVersion:
        fresh = seen_visit(request, pk)
        return _page(request, fresh, typed, {"sentence": both_values(shown, version)})
    except rippling.FOLLOWABLE as refusal:
        follow = [] if typed.override_reason else rippling.proposed(shown, wish, refusal)
        if follow:
            return rippling.diff_page(request, shown, follow, reason=typed.reason)
        return _page(request, shown, typed, _told(refusal))
    except (Refused, MoveRefused) as refusal:
        return _page(request, shown, typed, _told(refusal))
    at = format_when(done.starts_at, shown.site.zone, reader_language(), seen_at=timezone.now())
    back = reverse("visit", args=[pk])
    messages.success(
        request,
        gettext("%(patient)s: session %(session)s moved to %(at)s.")
        % {"patient": shown.series.patient.display_name, "session": shown.session, "at": at},
        extra_tags=undo_address(done, back),
    )
    return HttpResponseRedirect(back, status=303)


class NotATime(ValueError):
    """The date or time cannot be read."""

    sentence = _("Choose a free start, or write a date and a time such as 14:30.")


def _typed(request: HttpRequest, shown: Appointment) -> Typed:
    data = request.POST or request.GET
    own = local(shown.starts_at, shown.site.zone).date()
    day, unread = drafts.asked_day(data.get("day"), own)
    fold = data.get("fold", "")
    return Typed(
        day,
        unread,
        data.get("time", ""),
        int(fold) if fold in ("0", "1") else None,
        data.get("reason", "").strip()[:200],
        data.get("override_reason", "").strip()[:200],
    )


def _wish(request: HttpRequest, shown: Appointment, typed: Typed) -> VisitWish:
    """The chosen free start, or an offered or typed time of the site; 0 keeps a resource.

    Raises WallTimeMissing, WallTimeRepeats and NotATime.
    """
    try:
        if place := request.POST.get("place"):
            return drafts.wish(place)
        if start := request.POST.get("start") or request.POST.get("over"):
            return VisitWish(drafts.instant(start), 0, 0)
        if typed.unread:
            raise ValueError(typed.unread)
        at = time.fromisoformat(typed.time).replace(tzinfo=None)
    except ValueError:
        raise NotATime(NotATime.sentence) from None
    wall = datetime.combine(typed.day, at)
    return VisitWish(resolve(wall, shown.site.zone, fold=typed.fold), 0, 0)


def _told(refusal: Any) -> dict[str, Any]:
    """The sentence of a refusal, and what the page may offer instead."""
    return {
        "sentence": refusal.sentence,
        "overridable": getattr(refusal, "overridable", False),
        "over": drafts.moment(refusal.start) if getattr(refusal, "overlappable", False) else "",
        "nearest": plan_rows.choices(refusal.nearest) if isinstance(refusal, SlotTaken) else (),
        "day": getattr(refusal, "earliest", None) or getattr(refusal, "latest", None),
        "repeats": refusal if isinstance(refusal, WallTimeRepeats) else None,
        "instead": [(drafts.moment(start), start) for start in _instead(refusal)],
    }


def _instead(refusal: Any) -> tuple[datetime, ...]:
    """Starts that are right where the typed one is not."""
    if isinstance(refusal, WallTimeMissing):
        return (refusal.next,)
    return refusal.instead if isinstance(refusal, WrongStart) else ()


def _page(
    request: HttpRequest, shown: Appointment, typed: Typed, refused: dict[str, Any] | None = None
) -> HttpResponse:
    by, series, site = cast(Staff, request.user), shown.series, shown.site
    try:
        moving.may_move(shown, by)
    except Refused as refusal:
        raise Forbidden(refusal.sentence) from None
    starts = proposing.free_starts(
        patient=series.patient,
        site=site,
        version=shown.protocol_version,
        areas=series.areas,
        day=typed.day,
        now=timezone.now(),
        moving=shown,
    )
    monday = typed.day - typed.day.weekday() * ONE_DAY
    context = {
        "visit": shown,
        "patient": series.patient,
        "site": site,
        "series": series,
        "version": shown.protocol_version,
        "typed": typed,
        "starts": starts,
        "choices": plan_rows.choices(starts.places),
        "days": [monday + number * ONE_DAY for number in range(7)],
        "bounds": _bounds(shown),
        "refused": refused,
        "overlap_tried": "over" in request.POST,
        "may_override": access.can(by, Capability.OVERRIDE_INTERVAL, site),
        "may_overlap": access.can(by, Capability.OVERLAP, site),
        "who_may": access.roles_with(Capability.OVERRIDE_INTERVAL),
    }
    page = "_choose" if request.headers.get("HX-Request") else "move"
    status = 409 if refused else 200
    return render(request, f"reminders/visit/{page}.html", context, status=status)


def _bounds(shown: Appointment) -> Bounds | None:
    """The dates that the protocol allows after the session before, if that one stands."""
    interval = protocols.get(shown.protocol_version).series.interval
    before = (
        shown.series.appointments.exclude(state__in=(State.CANCELLED, State.NO_SHOW))
        .filter(session=shown.session - 1)
        .first()
    )
    if interval is None or before is None:
        return None
    return bounds(local(before.starts_at, shown.site.zone).date(), interval)
