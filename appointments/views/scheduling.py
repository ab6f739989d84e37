"""/scheduling/: how a site plans, to read and to change by who manages it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from appointments.proposing import tuning
from appointments.proposing.tuning import SettingsChanged
from appointments.views.scheduling_form import GROUPS, SettingsForm, TravelForm, plain
from clinic import travel
from clinic.models import Site, Staff
from clinic.views.current_site import current_site


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that somebody else changed meanwhile."""

    label: str
    stored: str
    mine: str


@require_http_methods(["GET", "HEAD", "POST"])
def scheduling(request: HttpRequest) -> HttpResponse:
    """The settings of the site; a stale form shows both values of what differs."""
    site, by = current_site(request), cast(Staff, request.user)
    stands = tuning.settings_of(site=site, by=by)
    form = SettingsForm(request.POST or None, settings=stands)
    differences: list[Difference] = []
    if form.is_valid():
        try:
            tuning.tune(site=site, changes=form.changes, seen=form.seen, by=by, now=timezone.now())
        except SettingsChanged as changed:
            differences = _differences(form, changed.stands)
            form = SettingsForm(form.upon(changed.stands), settings=stands)
        else:
            said = (
                gettext("Saved. Plans from now on follow it.")
                if form.changes
                else gettext("Nothing changed.")
            )
            messages.success(request, said)
            return HttpResponseRedirect(f"{reverse('scheduling')}?site={site.slug}", status=303)
    return _page(request, site, form, TravelForm(None, site=site), differences)


@require_POST
def set_travel(request: HttpRequest) -> HttpResponse:
    """The minutes to the other sites."""
    site, by = current_site(request), cast(Staff, request.user)
    form = TravelForm(request.POST, site=site)
    if form.is_valid():
        travel.set_minutes(site=site, minutes=form.changes, by=by, now=timezone.now())
        messages.success(request, gettext("Saved. Places from now on leave time for the way."))
        return HttpResponseRedirect(f"{reverse('scheduling')}?site={site.slug}", status=303)
    stands = tuning.settings_of(site=site, by=by)
    return _page(request, site, SettingsForm(None, settings=stands), form)


def _page(
    request: HttpRequest,
    site: Site,
    form: SettingsForm,
    ways: TravelForm,
    differences: Sequence[Difference] = (),
) -> HttpResponse:
    context = {
        "site": site,
        "form": form,
        "groups": [(title, hint, [form[name] for name in names]) for title, hint, names in GROUPS],
        "differences": differences,
        "is_default": form.is_default,
        "ways": ways,
    }
    status = 409 if differences else 422 if form.errors or ways.errors else 200
    return render(request, "appointments/scheduling.html", context, status=status)


def _differences(form: SettingsForm, stands: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(str(form[name].label), plain(value), plain(form.cleaned_data[name]))
        for name, value in stands.items()
    ]
