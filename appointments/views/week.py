"""/hours/<site>/week/<whose>/: the hours of every week, to read and to change as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dates import WEEKDAYS as NAMES
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.absences import affected
from appointments.views.hours_form import WHOLE_SITE
from clinic import access, equipping, stretches, weekly_hours
from clinic.access import Capability
from clinic.models import Resource, ResourceKind, Site, Staff
from clinic.stretches import HoursRefused, Stretch
from clinic.views.row_id import row_id
from clinic.weekly_hours import WEEKDAYS, Week, WeekChanged


@dataclass(frozen=True, slots=True)
class Line:
    """One weekday in words; `hours` is empty where there are none."""

    weekday: str
    hours: str


class WeekForm(forms.Form):
    """The hours of each weekday as people write them, and unseen those that were shown."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, stands: Week) -> None:
        super().__init__(data)
        self.week: dict[int, list[Stretch]] = {}
        self.fields["seen"].initial = _written(stands)
        for day in WEEKDAYS:
            self.fields[f"day_{day}"] = forms.CharField(
                label=str(NAMES[day]),
                required=False,
                max_length=120,
                initial=stretches.written(stands[day]),
                widget=forms.TextInput(attrs={"placeholder": _("none"), "spellcheck": "false"}),
            )

    @property
    def days(self) -> list[forms.BoundField]:
        return [self[f"day_{day}"] for day in WEEKDAYS]

    def clean(self) -> None:
        for day in WEEKDAYS:
            name = f"day_{day}"
            try:
                self.week[day] = stretches.read(self.cleaned_data.get(name, ""), name)
            except HoursRefused as refused:
                self.add_error(name, refused.sentence)

    @property
    def shown(self) -> Week | None:
        """The hours that were shown; None when what was sent of them cannot be read."""
        parts = self.cleaned_data["seen"].split("|")
        if len(parts) != len(WEEKDAYS):
            return None
        try:
            return {day: stretches.read(part) for day, part in zip(WEEKDAYS, parts, strict=True)}
        except HoursRefused:
            return None

    def upon(self, stands: Week) -> QueryDict:
        """The same input as a change of what stands now, so that it can be saved."""
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        data["seen"] = _written(stands)
        return data


@require_http_methods(["GET", "HEAD", "POST"])
def week(request: HttpRequest, site: str, whose: str) -> HttpResponse:
    """The week as a form; the days to come that have visits outside of it beside it."""
    by = cast(Staff, request.user)
    place = get_object_or_404(access.sites_of(by), slug=site)
    access.require(by, Capability.MANAGE_SITE, place)
    provider = _provider(place, whose)
    stands = weekly_hours.week_of(place, provider)
    form = WeekForm(request.POST or None, stands=stands)
    changed: WeekChanged | None = None
    if form.is_valid():
        try:
            weekly_hours.set_week(
                site=place,
                provider=provider,
                week=form.week,
                seen=form.shown,
                by=by,
                now=timezone.now(),
            )
        except WeekChanged as refused:
            changed, form = refused, WeekForm(form.upon(refused.stands), stands=refused.stands)
        except HoursRefused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, _("The hours of every week are saved."))
            return HttpResponseRedirect(request.path, status=303)
    outside = affected.by_week(place, provider=provider, now=timezone.now())
    context = {
        "site": place,
        "provider": provider,
        "whose": str(provider.pk) if provider else WHOLE_SITE,
        "form": form,
        "stands": lines_of(place, provider) if changed else None,
        "outside": [(day, len(visits)) for day, visits in outside.items()],
    }
    status = 409 if changed else 422 if form.errors else 200
    return render(request, "appointments/hours/week.html", context, status=status)


def lines_of(site: Site, provider: Resource | None) -> list[Line]:
    """The seven weekdays with their hours."""
    stands = weekly_hours.week_of(site, provider)
    return [Line(str(NAMES[day]), stretches.written(stands[day])) for day in WEEKDAYS]


def _provider(site: Site, whose: str) -> Resource | None:
    if whose == WHOLE_SITE:
        return None
    people = equipping.at(Site.objects.filter(pk=site.pk)).filter(kind=ResourceKind.PROVIDER)
    return get_object_or_404(people, pk=row_id(whose))


def _written(week: Week) -> str:
    return "|".join(stretches.written(week[day]) for day in WEEKDAYS)
