"""/resources/: the rooms and devices of a site and who treats there, to add, name and retire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments.absences import retiring
from appointments.refusals import Refused
from appointments.views.providers import provider
from appointments.views.resources_form import (
    DeviceForm,
    NameForm,
    ProviderForm,
    RoomForm,
)
from appointments.views.resources_frame import managed, of, to, told
from clinic import equipping, treating
from clinic.equipping import ResourceRefused
from clinic.models import ProviderHours, Resource, ResourceKind

ADD: dict[str, Callable[..., Resource]] = {
    ResourceKind.ROOM: equipping.add_room,
    ResourceKind.DEVICE: equipping.add_device,
    ResourceKind.PROVIDER: treating.add_provider,
}


@require_http_methods(["GET", "HEAD", "POST"])
def resource_list(request: HttpRequest) -> HttpResponse:
    """Everything of the site by kind, with a form for one more of each; `add` says which."""
    site, by = managed(request)
    adding, people = request.POST.get("add", ""), treating.unbooked(site)
    wanted: dict[str, forms.Form] = {
        "room": RoomForm(request.POST if adding == "room" else None, prefix="room"),
        "device": DeviceForm(request.POST if adding == "device" else None, prefix="device"),
        "provider": ProviderForm(
            request.POST if adding == "provider" else None,
            prefix="provider",
            people=people,
        ),
    }
    form = wanted.get(adding)
    if form is not None and form.is_valid():
        try:
            made = ADD[adding](site=site, by=by, now=timezone.now(), **form.cleaned_data)
        except ResourceRefused as refused:
            told(form, refused)
        else:
            messages.success(request, _("%(name)s is added.") % {"name": made.name})
            return to(site, made)
    works_here = Exists(ProviderHours.objects.filter(provider=OuterRef("pk"), site=site))
    rows = list(of(site).select_related("modality").annotate(works_here=works_here))
    context = {
        "site": site,
        "kinds": [
            (kind, [row for row in rows if row.kind == kind], wanted[kind])
            for kind in (ResourceKind.PROVIDER, ResourceKind.ROOM, ResourceKind.DEVICE)
        ],
    }
    status = 422 if form is not None else 200
    return render(request, "appointments/resources/resource_list.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def resource(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: its name; who treats has more to say."""
    site, by = managed(request)
    shown = get_object_or_404(of(site).select_related("modality", "staff"), pk=pk)
    if shown.kind == ResourceKind.PROVIDER:
        return provider(request, site, shown, by)
    form = NameForm(request.POST or None, initial={"name": shown.name, "serial": shown.serial})
    if shown.kind == ResourceKind.ROOM:
        del form.fields["serial"]
    if form.is_valid():
        asked = {"serial": "", **form.cleaned_data}
        try:
            equipping.rename(resource=shown, site=site, by=by, now=timezone.now(), **asked)
        except ResourceRefused as refused:
            told(form, refused)
        else:
            messages.success(request, _("Saved."))
            return to(site, shown)
    context = {"site": site, "shown": shown, "form": form}
    status = 422 if form.errors else 200
    return render(request, "appointments/resources/thing.html", context, status=status)


@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    return _switched(request, pk, retiring.retire, _("%(name)s is out of use."))


@require_POST
def bring_back(request: HttpRequest, pk: int) -> HttpResponse:
    return _switched(request, pk, retiring.bring_back, _("%(name)s can be booked again."))


def _switched(request: HttpRequest, pk: int, act: Any, said: str) -> HttpResponse:
    site, by = managed(request)
    shown = get_object_or_404(of(site), pk=pk)
    try:
        act(resource=shown, by=by, now=timezone.now())
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, said % {"name": shown.name})
    return to(site, shown)
