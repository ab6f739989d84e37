"""/retention/: how long the site keeps treatment records, from when on, and why."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import access, retention
from clinic.access import Capability
from clinic.forms import RetentionForm
from clinic.models import RecordRetention, Staff
from clinic.retention import RetentionRefused
from clinic.views.current_site import current_site
from clinic.wall_time import local


@require_http_methods(["GET", "HEAD", "POST"])
def decisions(request: HttpRequest) -> HttpResponse:
    """What was decided, the latest first, and the form for another decision."""
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.MANAGE_SITE, site)
    form = RetentionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            retention.decide(site=site, by=staff, now=now, **form.cleaned_data)
        except RetentionRefused as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("The decision is kept."))
            return redirect("retention")
    today = local(now, site.zone).date()
    decided = RecordRetention.objects.filter(site=site).select_related("decided_by")
    context = {
        "site": site,
        "form": form,
        "decided": decided,
        "current": decided.filter(begins_on__lte=today).first(),
        "years": retention.years_at([site.pk], on=today)[site.pk],
        "default_years": retention.DEFAULT_YEARS,
    }
    return render(request, "clinic/retention.html", context, status=422 if form.errors else 200)
