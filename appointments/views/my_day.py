"""/my-day/: a provider's own day. Who is next, which logs are open, which can be signed at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from appointments import clearance
from appointments.charting import listing, signing
from appointments.clearance import due_questions
from appointments.lifecycle import TO_COME, UNDER_WAY, Move, State
from appointments.models import Appointment, StatusChange, TreatmentRecord
from clinic import access
from clinic.access import Capability
from clinic.models import ResourceKind, Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.wall_time import local

NOTHING: Mapping[int, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Row:
    """One visit: `areas` and `held` in words, how its log stands (none, draft or signed), since
    when the patient is here, in a few words each what is lacking before treatment, and whether the
    reader may begin it."""

    visit: Appointment
    areas: str
    held: str
    record: TreatmentRecord | None
    here_since: datetime | None = None
    lacking: tuple[str, ...] = ()
    may_start: bool = False

    @property
    def log(self) -> str:
        if self.record is None:
            return ""
        return "signed" if self.record.is_signed else "draft"


@require_GET
def my_day(request: HttpRequest) -> HttpResponse:
    """`all=1` lists the unsigned logs of everybody at the site."""
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.CHART, site)
    everybody = request.GET.get("all") == "1"
    visits = listing.day_of(site, staff, now)
    rows = _rows(
        visits,
        here_since=_here_since(visits),
        lacking=_lacking(visits, now),
        may_start=access.can(staff, Capability.RUN_VISIT, site),
    )
    unsigned = _rows(list(listing.unsigned(site, staff=None if everybody else staff)[:100]))
    shown = {row.visit.series.patient_id for row in (*rows, *unsigned)}
    lists(request, shown, site_id=site.pk)
    context = {
        "site": site,
        "now": now,
        "day": local(now, site.zone).date(),
        "rows": rows,
        "here": [row for row in rows if row.visit.state in UNDER_WAY],
        "next": _next(rows, now),
        "unsigned": unsigned,
        "mine": [row for row in unsigned if row.record and row.record.drafted_by_id == staff.pk],
        "everybody": everybody,
    }
    return render(request, "appointments/log/my_day.html", context)


@require_POST
def sign_all(request: HttpRequest) -> HttpResponse:
    """Sign every log that is complete and that this person wrote."""
    site, staff = current_site(request), cast(Staff, request.user)
    done = signing.sign_all(
        appointments=list(listing.unsigned(site, staff=staff).filter(record__drafted_by=staff)),
        by=staff,
        now=timezone.now(),
    )
    count, left = len(done.signed), len(done.left)
    if count:
        messages.success(
            request,
            ngettext("%(count)s log signed.", "%(count)s logs signed.", count) % {"count": count},
        )
    if left:
        name = done.left[0][0].series.patient.display_name
        more = gettext(" And %(left)s more.") % {"left": left - 1} if left > 1 else ""
        messages.error(request, f"{name}: {done.left[0][1]}{more}")
    if not count and not left:
        messages.error(request, gettext("You have no draft of a visit that is done."))
    return HttpResponseRedirect(f"{reverse('my-day')}?site={site.slug}", status=303)


def _next(rows: list[Row], now: datetime) -> Row | None:
    to_come = [row for row in rows if row.visit.state in (State.BOOKED, State.CONFIRMED)]
    return next((row for row in to_come if row.visit.ends_at > now), None)


def _rows(
    visits: list[Appointment],
    *,
    here_since: Mapping[int, datetime] = NOTHING,
    lacking: Mapping[int, tuple[str, ...]] = NOTHING,
    may_start: bool = False,
) -> list[Row]:
    held = _held(visits)
    records = {
        each.appointment_id: each
        for each in TreatmentRecord.objects.filter(appointment__in=visits).select_related(
            "drafted_by"
        )
    }
    rows = []
    for visit in visits:
        protocol = protocols.get(visit.protocol_version)
        names = protocol.areas_in_words(visit.series.areas, reader_language())
        rows.append(
            Row(
                visit,
                names,
                held.get(visit.pk, ""),
                records.get(visit.pk),
                here_since.get(visit.pk),
                lacking.get(visit.pk, ()),
                may_start and visit.state == State.ARRIVED,
            )
        )
    return rows


def _here_since(visits: list[Appointment]) -> Mapping[int, datetime]:
    """When those who wait were checked in."""
    waiting = [visit.pk for visit in visits if visit.state == State.ARRIVED]
    arrived = StatusChange.objects.filter(appointment__in=waiting, move=Move.CHECK_IN)
    return dict(arrived.order_by("id").values_list("appointment", "at"))


def _lacking(visits: list[Appointment], now: datetime) -> Mapping[int, tuple[str, ...]]:
    """What stands between the patients and treatment today, of visits that have not begun."""
    expected = [visit for visit in visits if visit.state in (*TO_COME, State.ARRIVED)]
    standing = clearance.standing([clearance.treatment_of(visit) for visit in expected], now=now)
    questions = due_questions.of_visits(expected, now=now) if expected else {}
    found = {}
    for visit, bars in zip(expected, standing, strict=True):
        today = local(now, visit.site.zone).date()
        words = [bar.flag for bar in bars if bar.stands_out(today)]
        if questions.get(visit.pk):
            words.append(gettext("questions to ask"))
        found[visit.pk] = tuple(dict.fromkeys(words))
    return found


def _held(visits: list[Appointment]) -> Mapping[int, str]:
    """Room and device of each visit, in words."""
    names: dict[int, list[str]] = {}
    rows = Appointment.objects.filter(
        pk__in=[visit.pk for visit in visits],
        allocations__active=True,
        allocations__resource__kind__in=(ResourceKind.ROOM, ResourceKind.DEVICE),
    ).order_by("-allocations__resource__kind")
    for pk, name in rows.values_list("pk", "allocations__resource__name"):
        names.setdefault(pk, []).append(name)
    return {pk: " · ".join(each) for pk, each in names.items()}
