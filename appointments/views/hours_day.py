"""/hours/<site>/<day>/<whose>/: one day's hours, the visits outside of them, and changing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from appointments.absences import affected
from appointments.finding.working_time import hours_in_words
from appointments.proposing import house_hours
from appointments.views import relocating
from appointments.views.hours_form import NONE, OTHER, WHOLE_SITE, ChangeForm, DayForm, wall
from clinic import access, exceptional_hours
from clinic.access import Capability
from clinic.api_fields import FIRST_YEAR, LAST_YEAR
from clinic.exceptional_hours import HoursChanged
from clinic.models import HoursException, Resource, ResourceKind, Site, Staff
from clinic.retelling import kept, text
from clinic.saying import noop
from clinic.stretches import HoursRefused
from clinic.views.row_id import row_id
from clinic.wall_time import local


@require_http_methods(["GET", "HEAD", "POST"])
def day(request: HttpRequest, site: str, on: str, whose: str) -> HttpResponse:
    """One day: its hours, the visits outside of them, and a form to change it."""
    shown = _seen(request, site, on, whose)
    form: ChangeForm | None = None
    changed = False
    if request.method == "POST":
        form = ChangeForm(request.POST)
        if form.is_valid():
            try:
                exceptional_hours.set_day(
                    site=shown.site,
                    day=shown.day,
                    provider=shown.provider,
                    stretches=form.stretches,
                    reason=form.cleaned_data["reason"],
                    seen=form.cleaned_data["seen"],
                    by=cast(Staff, request.user),
                    now=timezone.now(),
                )
            except HoursChanged:
                changed = True
                data = request.POST.copy()
                data["seen"] = shown.seen
                form = ChangeForm(data)
            except HoursRefused as refused:
                explain(form, refused)
            else:
                messages.success(request, gettext("The hours are changed."))
                return HttpResponseRedirect(shown.address, status=303)
    visits = affected.by_hours(shown.site, shown.day, now=timezone.now(), provider=shown.provider)
    context = {
        "shown": shown,
        "form": form or ChangeForm(initial=shown.as_form),
        "changed": changed,
        "address": f"{shown.address}move/",
        "is_past": shown.day < local(timezone.now(), shown.site.zone).date(),
        "may_change": access.can(cast(Staff, request.user), Capability.MANAGE_SITE, shown.site),
        **relocating.work(request, shown.site, visits),
    }
    status = 409 if changed else 422 if form is not None else 200
    return render(request, "appointments/hours/day.html", context, status=status)


@require_POST
def clear(request: HttpRequest, site: str, on: str, whose: str) -> HttpResponse:
    """Back to the hours of every week."""
    shown = _seen(request, site, on, whose)
    if shown.rows:
        exceptional_hours.clear_day(
            exception=shown.rows[0], by=cast(Staff, request.user), now=timezone.now()
        )
    messages.success(request, gettext("The day has the hours of every week again."))
    return HttpResponseRedirect(f"{reverse('hours')}?site={shown.site.slug}", status=303)


@require_POST
def move(request: HttpRequest, site: str, on: str, whose: str) -> HttpResponse:
    """Move the visits outside of a day's hours to the places that were shown."""
    shown = _seen(request, site, on, whose)
    return relocating.move(
        request,
        site=shown.site,
        visits=affected.by_hours(
            shown.site, shown.day, now=timezone.now(), provider=shown.provider
        ),
        back=shown.address,
        address=f"{shown.address}move/",
        reason=kept("Other hours: %(reason)s", reason=text(shown.reason))
        if shown.reason
        else noop("Other hours"),
    )


# --- A day as it stands ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """The hours of one day of a site, or of a provider there; without `rows` those of the week."""

    site: Site
    provider: Resource | None
    day: date
    rows: list[HoursException]
    now_open: str

    @property
    def whose(self) -> str:
        return self.provider.name if self.provider else self.site.name

    @property
    def address(self) -> str:
        return address_of(self.site, self.day, self.provider)

    @property
    def seen(self) -> str:
        return ",".join(str(row.pk) for row in self.rows)

    @property
    def reason(self) -> str:
        return self.rows[0].reason if self.rows else ""

    @property
    def stretches(self) -> list[tuple[int, int]]:
        return [
            (row.starts, row.ends)
            for row in self.rows
            if row.starts is not None and row.ends is not None
        ]

    @property
    def hours(self) -> str:
        """In words; empty when there are none that day."""
        return hours_in_words(tuple(self.stretches)) if self.rows else self.now_open

    @property
    def as_form(self) -> dict[str, Any]:
        kind = NONE if self.rows and not self.stretches else OTHER
        data: dict[str, Any] = {"hours": kind, "reason": self.reason, "seen": self.seen}
        for name, (starts, ends) in zip(("first", "second"), self.stretches, strict=False):
            data |= {f"{name}_from": wall(starts), f"{name}_until": wall(ends)}
        return data


def _seen(request: HttpRequest, slug: str, on: str, whose: str) -> Shown:
    site = get_object_or_404(access.sites_of(cast(Staff, request.user)), slug=slug)
    try:
        at = date.fromisoformat(on)
    except ValueError:
        raise Http404 from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Http404
    provider = None
    if whose != WHOLE_SITE:
        people = Resource.objects.filter(kind=ResourceKind.PROVIDER, hours__site=site).distinct()
        provider = get_object_or_404(people, pk=row_id(whose))
    rows = HoursException.objects.filter(site=site, provider=provider, day=at).order_by("starts")
    house = house_hours.load(site, at)
    spans = [
        (local(each.starts_at, site.zone), local(each.ends_at, site.zone))
        for each in house.of(provider)
    ]
    words = gettext(" and ").join(f"{a:%H:%M}-{b:%H:%M}" for a, b in spans)
    return Shown(site, provider, at, list(rows.select_related("site", "provider")), words)


def address_of(site: Site, on: date, provider: Resource | None) -> str:
    whose = str(provider.pk) if provider else WHOLE_SITE
    return reverse("hours-day", args=[site.slug, on.isoformat(), whose])


def explain(form: DayForm, refused: HoursRefused) -> None:
    fields = {"stretches": "first_from", "first_day": "day"}
    field = fields.get(refused.field, refused.field)
    form.add_error(field if field in form.fields else None, refused.sentence)
