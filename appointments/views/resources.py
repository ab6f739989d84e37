"""/resources/: the rooms and devices of a site and who treats there, to add, name and retire."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments.absences import affected, retiring
from appointments.refusals import Refused
from appointments.views.resources_form import (
    DeviceForm,
    LeaveForm,
    NameForm,
    ProviderForm,
    RoomForm,
)
from appointments.views.week import lines_of
from clinic import access, equipping
from clinic.access import Capability
from clinic.equipping import ResourceRefused
from clinic.models import ProviderHours, Resource, ResourceKind, Site, Staff
from clinic.views.current_site import current_site


@require_http_methods(["GET", "HEAD", "POST"])
def resource_list(request: HttpRequest) -> HttpResponse:
    """Everything of the site by kind, with a form for one more of each; `add` says which."""
    site, by = _managed(request)
    people = equipping.unbooked(site)
    adding = request.POST.get("add", "")
    wanted: dict[str, forms.Form] = {
        "room": RoomForm(request.POST if adding == "room" else None, prefix="room"),
        "device": DeviceForm(request.POST if adding == "device" else None, prefix="device"),
        "provider": ProviderForm(
            request.POST if adding == "provider" else None, prefix="provider", people=people
        ),
    }
    form = wanted.get(adding)
    if form is not None and form.is_valid():
        add = getattr(equipping, f"add_{adding}")
        try:
            made = add(site=site, by=by, now=timezone.now(), **form.cleaned_data)
        except ResourceRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, _("%(name)s is added.") % {"name": made.name})
            return _to(site, made)
    works_here = Exists(ProviderHours.objects.filter(provider=OuterRef("pk"), site=site))
    rows = list(_of(site).select_related("modality").annotate(works_here=works_here))
    context = {
        "site": site,
        "people": people,
        "kinds": [
            (kind, [row for row in rows if row.kind == kind], wanted[kind])
            for kind in (ResourceKind.PROVIDER, ResourceKind.ROOM, ResourceKind.DEVICE)
        ],
    }
    status = 422 if form is not None else 200
    return render(request, "appointments/resources/resource_list.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def resource(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: its name, or of a provider the weekly hours and the leave to treat."""
    site, by = _managed(request)
    shown = get_object_or_404(_of(site).select_related("modality", "staff"), pk=pk)
    if shown.kind == ResourceKind.PROVIDER:
        return _provider(request, site, shown, by)
    form = NameForm(request.POST or None, initial={"name": shown.name, "serial": shown.serial})
    if shown.kind == ResourceKind.ROOM:
        del form.fields["serial"]
    if form.is_valid():
        asked = {"serial": "", **form.cleaned_data}
        try:
            equipping.rename(resource=shown, site=site, by=by, now=timezone.now(), **asked)
        except ResourceRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, _("Saved."))
            return _to(site, shown)
    context = {"site": site, "shown": shown, "form": form}
    status = 422 if form.errors else 200
    return render(request, "appointments/resources/thing.html", context, status=status)


@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    return _switched(request, pk, retiring.retire, _("%(name)s is out of use."))


@require_POST
def bring_back(request: HttpRequest, pk: int) -> HttpResponse:
    return _switched(request, pk, retiring.bring_back, _("%(name)s can be booked again."))


def _provider(request: HttpRequest, site: Site, shown: Resource, by: Staff) -> HttpResponse:
    form = LeaveForm(request.POST or None)
    if form.is_valid():
        try:
            equipping.give_leave(
                provider=shown, site=site, by=by, now=timezone.now(), **form.cleaned_data
            )
        except ResourceRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, _("Saved."))
            return _to(site, shown)
    outside = affected.by_week(site, provider=shown, now=timezone.now())
    context: dict[str, Any] = {
        "site": site,
        "shown": shown,
        "form": form,
        "week": lines_of(site, shown),
        "leaves": shown.credentials.select_related("modality").order_by("modality", "valid_from"),
        "outside": [(day, len(visits)) for day, visits in outside.items()],
    }
    status = 422 if form.errors else 200
    return render(request, "appointments/resources/provider.html", context, status=status)


def _switched(request: HttpRequest, pk: int, act: Any, said: str) -> HttpResponse:
    site, by = _managed(request)
    shown = get_object_or_404(_of(site), pk=pk)
    try:
        act(resource=shown, by=by, now=timezone.now())
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, said % {"name": shown.name})
    return _to(site, shown)


def _managed(request: HttpRequest) -> tuple[Site, Staff]:
    site, by = current_site(request), cast(Staff, request.user)
    access.require(by, Capability.MANAGE_SITE, site)
    return site, by


def _of(site: Site) -> QuerySet[Resource]:
    """Those of the site, the retired ones last of their kind."""
    here = equipping.at(Site.objects.filter(pk=site.pk))
    return here.order_by("kind", "-is_active", "name", "pk")


def _to(site: Site, shown: Resource) -> HttpResponse:
    address = reverse("resource", args=[shown.pk])
    return HttpResponseRedirect(f"{address}?site={site.slug}", status=303)
