"""/on-call/: who is on call at a site, and for how long; managers add and remove shifts."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic import access, on_call
from clinic.access import Capability
from clinic.forms import ShiftForm
from clinic.models import OnCallShift, Staff
from clinic.on_call import ShiftRefused
from clinic.views.current_site import current_site
from clinic.wall_time import WallTimeMissing, WallTimeRepeats, resolve


@require_http_methods(["GET", "HEAD", "POST"])
def rota(request: HttpRequest) -> HttpResponse:
    """The shifts that are not over, the present one first; the form for another below."""
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.SEE_PATIENTS, site)
    form = ShiftForm(request.POST or None, site=site)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            on_call.add(
                site=site,
                staff=asked["staff"],
                starts_at=resolve(asked["starts_at"], site.zone, fold=0),
                ends_at=resolve(asked["ends_at"], site.zone, fold=0),
                phone=asked["phone"],
                email=asked["email"],
                by=staff,
                now=now,
            )
        except ShiftRefused as refused:
            form.add_error(refused.field, refused.sentence)
        except (WallTimeMissing, WallTimeRepeats):
            form.add_error(None, gettext("The clocks change at this time. Choose another hour."))
        else:
            messages.success(
                request, gettext("%(staff)s is on call then.") % {"staff": asked["staff"]}
            )
            return redirect("on-call")
    rows = OnCallShift.objects.standing().filter(site=site, ends_at__gt=now)
    shifts = list(rows.select_related("staff", "site"))
    gaps = on_call.uncovered(shifts, now)
    # The present one and the next: a rota of nights alone has one on every day.
    told = gaps[: 2 if gaps and gaps[0].starts_at == now else 1]
    context = {
        "site": site,
        "shifts": shifts,
        "uncovered": told,
        "later": len(gaps) - len(told),
        "now": now,
        "form": form,
        "may_change": access.can(staff, Capability.MANAGE_SITE, site),
    }
    return render(request, "clinic/on_call.html", context, status=422 if form.errors else 200)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    staff, shift = cast(Staff, request.user), _seen(request, pk)
    on_call.remove(shift=shift, by=staff, now=timezone.now())
    undo = reverse("on-call-put-back", args=[pk])
    messages.success(request, gettext("The shift is removed."), extra_tags=undo)
    return redirect("on-call")


@require_POST
def put_back(request: HttpRequest, pk: int) -> HttpResponse:
    staff, shift = cast(Staff, request.user), _seen(request, pk)
    try:
        on_call.put_back(shift=shift, by=staff, now=timezone.now())
    except ShiftRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("%(staff)s is on call then.") % {"staff": shift.staff})
    return redirect("on-call")


def _seen(request: HttpRequest, pk: int) -> OnCallShift:
    """A shift of the reader's sites, also one that was taken out; else 404."""
    here = OnCallShift.objects.filter(site__in=access.sites_of(cast(Staff, request.user)))
    return get_object_or_404(here.select_related("site", "staff"), pk=pk)
