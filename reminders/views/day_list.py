"""The day of a site: every visit in order of time, with what is to be done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from appointments.absences import affected
from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.visits import holdings
from clinic import access
from clinic.access import Capability
from clinic.models import Resource, ResourceKind, Site, Staff
from clinic.periods import Period
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.views.row_id import row_id
from clinic.wall_time import instant, local
from patients.models import ContactPoint
from reminders.views import day_flags, visit_acts
from reminders.views.book_series import draft as drafts
from reminders.views.day_flags import Flag
from reminders.views.day_holds import HeldRow, held_rows
from reminders.views.visit_acts import Act
from reminders.views.visits_shown import with_patients

ONE_DAY = timedelta(days=1)


@require_GET
def day_list(request: HttpRequest) -> HttpResponse:
    """`date` (local, default today), `provider` (resource id), `cancelled` and `unconfirmed`
    choose the rows; the unconfirmed come with their numbers, to be called."""
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.SEE_PATIENTS, site)
    today = local(now, site.zone).date()
    day = _date(request.GET.get("date"), today)
    provider = request.GET.get("provider", "")
    with_cancelled = request.GET.get("cancelled") == "1"
    is_call_list = request.GET.get("unconfirmed") == "1"
    visits = list(_visits(staff, site, day, provider))
    if is_call_list:
        shown = [each for each in visits if each.state == State.BOOKED]
    else:
        shown = [each for each in visits if with_cancelled or each.state != State.CANCELLED]
    numbers = (
        ContactPoint.objects.numbers({each.series.patient_id for each in shown})
        if is_call_list
        else {}
    )
    rows = _rows(shown, site, access.capabilities(staff, site), now, numbers)
    whole = Period(instant(day, 0, site.zone), instant(day + ONE_DAY, 0, site.zone))
    holds = [] if is_call_list else held_rows(staff, site, whole, provider, now=now)
    lines: list[Row | HeldRow] = [*rows, *holds]
    lines.sort(key=lambda line: line.starts_at)
    lists(request, (each.series.patient_id for each in shown), site_id=site.pk)
    context = {
        "site": site,
        "here": request.get_full_path(),
        "day": day,
        "today": today,
        "before": day - ONE_DAY,
        "after": day + ONE_DAY,
        "rows": lines,
        "counts": Counter(visit.state for visit in visits),
        "total": sum(visit.state != State.CANCELLED for visit in visits),
        "failed": sum(day_flags.has_failed(row.flags) for row in rows),
        "to_move": affected.count_at(site, now=now),
        "provider": provider,
        "providers": _providers(site),
        "with_cancelled": with_cancelled,
        "is_call_list": is_call_list,
        "now": now,
        "now_before": _now_before(lines, now) if day == today else None,
        "next_busy": None if lines else next_busy(staff, site, day),
    }
    page = "_day" if request.headers.get("HX-Request") else "day_list"
    return render(request, f"reminders/day_list/{page}.html", context)


@dataclass(frozen=True, slots=True)
class Row:
    """One visit of the day. `held` are the names of who and what it holds; `waiting` the minutes
    since check-in; `flags` what needs somebody's hand; `phone` the number to call, on the call list
    alone."""

    visit: Appointment
    areas: str
    minutes: int
    held: dict[str, str]
    acts: list[Act]
    flags: list[Flag]
    waiting: int | None
    phone: str

    @property
    def starts_at(self) -> datetime:
        return self.visit.starts_at

    @property
    def is_long(self) -> bool:
        return self.waiting is not None and self.waiting >= day_flags.LONG

    @property
    def is_too_long(self) -> bool:
        return self.waiting is not None and self.waiting >= day_flags.TOO_LONG


def _visits(staff: Staff, site: Site, day: date, provider: str) -> QuerySet[Appointment]:
    visits = Appointment.objects.seen_by(staff).filter(
        site=site,
        starts_at__gte=instant(day, 0, site.zone),
        starts_at__lt=instant(day + ONE_DAY, 0, site.zone),
    )
    if provider_id := row_id(provider):
        visits = visits.filter(holdings.holds(provider_id))
    return with_patients(visits)


def _rows(
    visits: Sequence[Appointment],
    site: Site,
    held: frozenset[Capability],
    now: datetime,
    numbers: Mapping[int, str],
) -> list[Row]:
    """The rows of a day in a constant number of queries."""
    held_by, waiting = holdings.of(visits), day_flags.waiting(visits, now)
    flags = day_flags.flags(visits, held_by, site, now)
    rows = []
    for visit in visits:
        protocol = protocols.get(visit.protocol_version)
        rows.append(
            Row(
                visit,
                protocol.areas_in_words(visit.series.areas, reader_language()),
                int((visit.ends_at - visit.starts_at).total_seconds()) // 60,
                holdings.names(held_by[visit.pk]),
                visit_acts.offered(visit, site.zone, held, now),
                flags[visit.pk],
                waiting.get(visit.pk),
                numbers.get(visit.series.patient_id, ""),
            )
        )
    return rows


def _providers(site: Site) -> QuerySet[Resource]:
    here = Resource.objects.filter(kind=ResourceKind.PROVIDER, is_active=True, hours__site=site)
    return here.distinct().order_by("name")


def _now_before(lines: Sequence[Row | HeldRow], now: datetime) -> int:
    """The line, from 1, before which the present is drawn; one more than there are at the end."""
    begun = [line for line in lines if line.starts_at <= now]
    return len(begun) + 1


def next_busy(staff: Staff, site: Site, day: date) -> date | None:
    """The first day after `day` with a visit that `staff` may see."""
    later = Appointment.objects.seen_by(staff).standing().filter(site=site)
    first = later.filter(starts_at__gte=instant(day + ONE_DAY, 0, site.zone)).first()
    return local(first.starts_at, site.zone).date() if first else None


def _date(text: str | None, default: date) -> date:
    try:
        return drafts.day_of(text) if text else default
    except ValueError:
        return default
