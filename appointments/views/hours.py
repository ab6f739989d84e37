"""/hours/: days on which a site, or a provider there, has other hours than every week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from appointments.absences import affected
from appointments.finding.working_time import hours_in_words
from appointments.views.hours_day import address_of, explain
from appointments.views.hours_form import OTHER, HoursForm
from clinic import access, closures, exceptional_hours
from clinic.access import Capability
from clinic.exceptional_hours import HoursChanged
from clinic.models import HoursException, Site, Staff
from clinic.stretches import HoursRefused
from clinic.views.current_site import current_site
from clinic.wall_time import local

# More exceptional days ahead than that are not looked at.
MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class Day:
    """A day with other hours as the list shows it; `outside` is how many visits are work."""

    day: date
    last_day: date
    whose: str
    hours: str
    reason: str
    outside: int
    address: str


@require_http_methods(["GET", "HEAD", "POST"])
def hours_list(request: HttpRequest) -> HttpResponse:
    """The days to come with other hours, and a form for one more."""
    site, by, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(by, Capability.SEE_PATIENTS, site)
    today = local(now, site.zone).date()
    form = HoursForm(request.POST or None, site=site, initial={"day": today, "hours": OTHER})
    other: str | None = None
    if request.method == "POST" and form.is_valid():
        try:
            address = _made(request, form, site, by, now)
        except HoursRefused as refused:
            explain(form, refused)
            if isinstance(refused, HoursChanged):
                other = address_of(site, refused.day, form.provider)
        else:
            return HttpResponseRedirect(address, status=303)
    rows = sorted([*_days(site, now), *_closed(site, now)], key=lambda row: (row.day, row.whose))
    context = {
        "site": site,
        "form": form,
        "rows": rows,
        "other": other,
        "may_change": access.can(by, Capability.MANAGE_SITE, site),
    }
    status = 422 if form.errors else 200
    return render(request, "appointments/hours/hours_list.html", context, status=status)


# --- One more -------------------------------------------------------------------------------------


def _made(request: HttpRequest, form: HoursForm, site: Site, by: Staff, now: datetime) -> str:
    """Write what the form asks for; the address that shows it."""
    asked = form.cleaned_data
    first, last = asked["day"], asked["last_day"] or asked["day"]
    if form.is_closure:
        made = closures.close(
            site=site, first_day=first, last_day=last, reason=asked["reason"], by=by, now=now
        )
        undo = reverse("closure-take-back", args=[made.pk])
        messages.success(
            request, gettext("%(site)s is closed then.") % {"site": site.name}, extra_tags=undo
        )
        return reverse("closure", args=[made.pk])
    exceptional_hours.set_day(
        site=site,
        day=first,
        last_day=last,
        provider=form.provider,
        stretches=form.stretches,
        reason=asked["reason"],
        seen=(),
        by=by,
        now=now,
    )
    if first != last:
        messages.success(request, gettext("Those days have other hours."))
        return f"{reverse('hours')}?site={site.slug}"
    address = address_of(site, first, form.provider)
    messages.success(request, gettext("That day has other hours."), extra_tags=f"{address}clear/")
    return address


# --- The list -------------------------------------------------------------------------------------


def _days(site: Site, now: datetime) -> list[Day]:
    rows = HoursException.objects.filter(site=site, day__gte=local(now, site.zone).date())
    days: dict[tuple[date, int | None], list[HoursException]] = {}
    for row in rows.select_related("site", "provider").order_by("day", "provider", "starts"):
        days.setdefault((row.day, row.provider_id), []).append(row)
    shown = list(days.items())[:MOST_DAYS]
    cut_off = affected.by_days(site, {on for (on, _), _ in shown}, now=now)
    found = []
    for (on, _), stretches in shown:
        first = stretches[0]
        spans = [(row.starts, row.ends) for row in stretches]
        found.append(
            Day(
                on,
                on,
                first.provider.name if first.provider else site.name,
                hours_in_words(tuple((a, b) for a, b in spans if a is not None and b is not None)),
                first.reason,
                len(affected.holding(first.provider, cut_off[on])),
                address_of(site, on, first.provider),
            )
        )
    return found


def _closed(site: Site, now: datetime) -> list[Day]:
    today = local(now, site.zone).date()
    rows = list(site.closures.filter(last_day__gte=today).select_related("site")[:MOST_DAYS])
    return [
        Day(
            row.first_day,
            row.last_day,
            site.name,
            "",
            row.reason,
            outside,
            reverse("closure", args=[row.pk]),
        )
        for row, outside in zip(rows, affected.counts_on_closed_days(rows, now=now), strict=True)
    ]
