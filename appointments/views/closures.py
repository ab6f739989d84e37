"""/hours/closures/<id>/: the days on which a site is closed, and the visits on them."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from appointments.absences import affected
from appointments.views import relocating
from clinic import access, closures
from clinic.access import Capability
from clinic.models import Closure, Staff
from clinic.retelling import kept, text


@require_safe
def closure(request: HttpRequest, pk: int) -> HttpResponse:
    shown, by, now = _closure(request, pk), cast(Staff, request.user), timezone.now()
    context = {
        "shown": shown,
        "address": reverse("closure-move", args=[pk]),
        "may_change": access.can(by, Capability.MANAGE_SITE, shown.site),
        **relocating.work(request, shown.site, affected.by_closure(shown, now=now)),
    }
    return render(request, "appointments/hours/closure.html", context)


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _closure(request, pk)
    closures.take_back(closure=shown, by=cast(Staff, request.user), now=timezone.now())
    messages.success(
        request, gettext("%(site)s is open again on those days.") % {"site": shown.site.name}
    )
    return HttpResponseRedirect(f"{reverse('hours')}?site={shown.site.slug}", status=303)


@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _closure(request, pk)
    return relocating.move(
        request,
        site=shown.site,
        visits=affected.by_closure(shown, now=timezone.now()),
        back=reverse("closure", args=[pk]),
        address=reverse("closure-move", args=[pk]),
        reason=kept("Closed: %(reason)s", reason=text(shown.reason)),
    )


def _closure(request: HttpRequest, pk: int) -> Closure:
    here = access.sites_of(cast(Staff, request.user))
    return get_object_or_404(Closure.objects.filter(site__in=here).select_related("site"), pk=pk)
