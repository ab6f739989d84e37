"""/sites/: opening another site, and what a site still needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from appointments.views.hours_form import WHOLE_SITE
from appointments.views.week import WeekForm
from clinic import opening_sites, weekly_hours
from clinic.models import Site, Staff
from clinic.readiness import Step
from clinic.site_settings import SiteRefused
from clinic.views.current_site import current_site

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

NAMES = {
    Step.HOURS: gettext_lazy("Opening hours"),
    Step.ROOMS: gettext_lazy("Rooms"),
    Step.DEVICES: gettext_lazy("Devices"),
    Step.PROVIDERS: gettext_lazy("Who treats"),
    Step.TREATMENTS: gettext_lazy("Treatments"),
    Step.SENDER: gettext_lazy("Sender of texts"),
    Step.ON_CALL: gettext_lazy("On call"),
    Step.GO_LIVE: gettext_lazy("Sends from"),
}
# The page at which a step is done; the hours have an address of their own.
PAGES = {
    Step.ROOMS: "resources",
    Step.DEVICES: "resources",
    Step.PROVIDERS: "resources",
    Step.TREATMENTS: "protocols",
    Step.SENDER: "site-settings",
    Step.ON_CALL: "on-call",
    Step.GO_LIVE: "site-settings",
}


def _said(
    most: int, label: StrPromise, hint: StrPromise | str = "", kind: str = "text"
) -> forms.CharField:
    return forms.CharField(
        max_length=most,
        label=label,
        help_text=hint,
        widget=forms.TextInput(attrs={"type": kind}),
        error_messages={"required": gettext_lazy("Write something here.")},
    )


class SiteForm(WeekForm):
    """All that a site needs from its first day on; `clinic.opening_sites` checks it."""

    name = _said(80, gettext_lazy("Name"), gettext_lazy("In e-mails and every page of a patient."))
    slug = _said(
        50,
        gettext_lazy("Word in addresses"),
        gettext_lazy("Small letters, digits and hyphens, such as harbour-west. It stays."),
    )
    zone = _said(
        64,
        gettext_lazy("Time zone"),
        gettext_lazy("Such as America/New_York. It stays: every time of a visit hangs on it."),
    )
    address = _said(200, gettext_lazy("Address"))
    phone = _said(
        30,
        gettext_lazy("Phone"),
        gettext_lazy("Which patients are asked to call, like +1 212 555 0123."),
        "tel",
    )
    sms_name = _said(
        24, gettext_lazy("Name in texts"), gettext_lazy("Every text begins with it; plain letters.")
    )
    sms_number = _said(
        20,
        gettext_lazy("Sender of texts"),
        gettext_lazy("A number, a short code or letters, as the provider knows it."),
    )
    email_address = _said(
        254,
        gettext_lazy("Sender of e-mails"),
        gettext_lazy("The address that patients see."),
        "email",
    )
    reply_to = _said(
        254,
        gettext_lazy("Where answers to e-mails go"),
        gettext_lazy("A mailbox that staff read."),
        "email",
    )

    def __init__(self, data: QueryDict | None, *, like: Site) -> None:
        super().__init__(data, stands=weekly_hours.week_of(like))
        self.fields["zone"].initial = like.zone
        self.fields["zone"].widget.attrs |= {"list": "zones", "spellcheck": "false"}

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [
            (_("The site"), [self[each] for each in ("name", "slug", "zone", "address", "phone")]),
            (
                _("Where messages come from"),
                [self[each] for each in ("sms_name", "sms_number", "email_address", "reply_to")],
            ),
        ]


@require_http_methods(["GET", "HEAD", "POST"])
def new_site(request: HttpRequest) -> HttpResponse:
    """The form begins with the zone and the hours of the site that is looked at."""
    site, by = current_site(request), cast(Staff, request.user)
    opening_sites.require(by)
    form = SiteForm(request.POST or None, like=site)
    if form.is_valid():
        given = form.cleaned_data
        try:
            made = opening_sites.open_site(
                slug=given["slug"],
                zone=given["zone"],
                said={name: given[name] for name in opening_sites.SAID},
                week=form.week,
                by=by,
                now=timezone.now(),
            )
        except SiteRefused as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("%(name)s is there. You manage it.") % {"name": made.name})
            address = f"{reverse('site-readiness')}?site={made.slug}"
            return HttpResponseRedirect(address, status=303)
    context = {"site": site, "form": form, "zones": sorted(available_timezones())}
    return render(
        request, "appointments/sites/new.html", context, status=422 if form.errors else 200
    )


@require_safe
def readiness(request: HttpRequest) -> HttpResponse:
    """What the site has and what it still needs, each with where it is done."""
    site, by = current_site(request), cast(Staff, request.user)
    found = opening_sites.readiness(site, by=by, now=timezone.now())
    context = {
        "site": site,
        "lines": [(NAMES[each.step], each, _page_of(each.step, site)) for each in found],
        "missing": sum(1 for each in found if not each.is_done),
        "may_open": opening_sites.may_open(by),
    }
    return render(request, "appointments/sites/readiness.html", context)


def _page_of(step: Step, site: Site) -> str:
    if step is Step.HOURS:
        return reverse("hours-week", args=[site.slug, WHOLE_SITE])
    return f"{reverse(PAGES[step])}?site={site.slug}"
