"""Who treats: their weekly hours, their leave to treat, and the login that is theirs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from appointments.absences import affected
from appointments.views.resources_form import LeaveForm, LoginForm
from appointments.views.resources_frame import managed, of, to, told
from appointments.views.week import lines_of
from clinic import treating
from clinic.equipping import ResourceRefused
from clinic.models import Resource, ResourceKind, Site, Staff
from clinic.staffing import StaffRefused


def provider(request: HttpRequest, site: Site, shown: Resource, by: Staff) -> HttpResponse:
    """The page of one; POST gives leave to treat."""
    form = LeaveForm(request.POST or None)
    if form.is_valid():
        try:
            treating.give_leave(
                provider=shown, site=site, by=by, now=timezone.now(), **form.cleaned_data
            )
        except ResourceRefused as refused:
            told(form, refused)
        else:
            messages.success(request, _("Saved."))
            return to(site, shown)
    return _page(request, site, shown, by, form, _login_form(None, site))


@require_POST
def give_login(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody who works here signs in as the provider, or a new account of an address."""
    site, by = managed(request)
    shown = get_object_or_404(of(site).filter(kind=ResourceKind.PROVIDER), pk=pk)
    form = _login_form(request, site)
    if form.is_valid():
        try:
            staff = treating.give_login(
                provider=shown, site=site, by=by, now=timezone.now(), **form.cleaned_data
            )
        except (ResourceRefused, StaffRefused) as refused:
            told(form, refused)
        else:
            said = _("%(name)s signs in as %(email)s now.")
            messages.success(request, said % {"name": shown.name, "email": staff.email})
            return to(site, shown)
    return _page(request, site, shown, by, LeaveForm(), form)


@require_POST
def take_login(request: HttpRequest, pk: int) -> HttpResponse:
    site, by = managed(request)
    shown = get_object_or_404(of(site).filter(kind=ResourceKind.PROVIDER), pk=pk)
    treating.take_login(provider=shown, site=site, by=by, now=timezone.now())
    messages.success(request, _("Nobody signs in as %(name)s now.") % {"name": shown.name})
    return to(site, shown)


def _login_form(request: HttpRequest | None, site: Site) -> LoginForm:
    posted = request.POST if request else None
    return LoginForm(posted, prefix="login", people=treating.unbooked(site))


def _page(
    request: HttpRequest,
    site: Site,
    shown: Resource,
    by: Staff,
    form: LeaveForm,
    login: LoginForm,
) -> HttpResponse:
    outside = affected.by_week(site, provider=shown, now=timezone.now())
    context = {
        "site": site,
        "shown": shown,
        "form": form,
        "login": login,
        "elsewhere": ", ".join(each.name for each in treating.not_managed(shown, by)),
        "week": lines_of(site, shown),
        "leaves": shown.credentials.select_related("modality").order_by("modality", "valid_from"),
        "outside": [(day, len(visits)) for day, visits in outside.items()],
    }
    status = 422 if form.errors or login.errors else 200
    return render(request, "appointments/resources/provider.html", context, status=status)
