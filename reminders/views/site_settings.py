"""/settings/: what a site says of itself and how it sends, to change by who manages it; what stands
and would be otherwise is shown before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from clinic import site_settings
from clinic.models import Site, Staff
from clinic.site_settings import SiteChanged, SiteRefused
from clinic.views.current_site import current_site
from reminders.journeys import resetting
from reminders.journeys.resetting import Resetting
from reminders.views.site_settings_form import GROUPS, SiteSettingsForm, written


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that somebody else changed meanwhile."""

    label: str
    stored: str
    mine: str


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """The settings of the site; a stale form shows both values of what differs."""
    site, by, now = current_site(request), cast(Staff, request.user), timezone.now()
    stands = site_settings.settings_of(site, by=by)
    form = SiteSettingsForm(request.POST or None, stands=stands, zone=site.zone)
    differences: list[Difference] = []
    effect: Resetting | None = None
    if form.is_valid():
        try:
            effect = _effect(site, form, now)
            if effect is None:
                site_settings.change(
                    site=site, changes=form.changes, seen=form.seen, by=by, now=now
                )
                return _saved(request, site, form)
            form = SiteSettingsForm(form.once_more(), stands=stands, zone=site.zone)
        except SiteChanged as changed:
            differences = _differences(form, changed.stands, site.zone)
            data = form.upon(changed.stands)
            form = SiteSettingsForm(data, stands=stands, zone=site.zone)
        except SiteRefused as refused:
            form.add_error(refused.field, refused.sentence)
    context = {
        "site": site,
        "form": form,
        "groups": [(title, hint, [form[name] for name in names]) for title, hint, names in GROUPS],
        "differences": differences,
        "effect": effect,
    }
    status = 409 if differences else 422 if form.errors else 200
    return render(request, "reminders/site_settings.html", context, status=status)


def _effect(site: Site, form: SiteSettingsForm, now: datetime) -> Resetting | None:
    """What is to be shown before it is saved. Raises SiteRefused."""
    wanted = site_settings.checked(site, form.changes)
    if form.was_looked_at:
        return None
    found = resetting.foresee(site=site, changes=wanted, now=now)
    return found if found.touches else None


def _saved(request: HttpRequest, site: Site, form: SiteSettingsForm) -> HttpResponse:
    said = gettext("Saved.") if form.changes else gettext("Nothing changed.")
    messages.success(request, said)
    return HttpResponseRedirect(f"{reverse('site-settings')}?site={site.slug}", status=303)


def _differences(form: SiteSettingsForm, stands: Mapping[str, Any], zone: str) -> list[Difference]:
    return [
        Difference(
            str(form[name].label), written(value, zone), written(form.cleaned_data[name], zone)
        )
        for name, value in stands.items()
    ]
