"""/staff/: who works at the site and as what; managers employ, change roles and let go."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import access, staffing, treating
from clinic.access import Capability
from clinic.equipping import ResourceRefused
from clinic.models import Resource, Role, Site, Staff
from clinic.staffing import AccountChanged, RolesChanged, StaffRefused
from clinic.views.current_site import current_site
from clinic.views.staffing_form import AccountForm, NewStaffForm, RolesForm, TreatsForm


@require_http_methods(["GET", "HEAD", "POST"])
def staff_list(request: HttpRequest) -> HttpResponse:
    """Everybody of the site with their roles; the form for one more below."""
    site, by = current_site(request), cast(Staff, request.user)
    people = staffing.people_of(site, by=by).prefetch_related("site_roles")
    form = NewStaffForm(request.POST or None)
    if form.is_valid():
        try:
            staff = staffing.employ(site=site, by=by, now=timezone.now(), **form.cleaned_data)
        except StaffRefused as refused:
            form.add_error(refused.field or None, refused.sentence)
        else:
            messages.success(request, _("%(name)s works here now.") % {"name": staff.name})
            return _back("staff-member", site, staff.pk)
    context = {
        "site": site,
        "people": [(each, _labels(each, site)) for each in people],
        "form": form,
    }
    return render(
        request, "clinic/staff/staff_list.html", context, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
def staff_member(request: HttpRequest, pk: int) -> HttpResponse:
    """The roles of one person at the site, to change; a stale form shows both."""
    site, by = current_site(request), cast(Staff, request.user)
    staff = get_object_or_404(staffing.people_of(site, by=by), pk=pk)
    stands = staffing.roles_at(site, staff)
    form = RolesForm(request.POST or None, stands=stands)
    changed: RolesChanged | None = None
    if form.is_valid():
        try:
            staffing.change_roles(
                staff=staff,
                site=site,
                roles=form.cleaned_data["roles"],
                seen=form.seen,
                by=by,
                now=timezone.now(),
            )
        except RolesChanged as refused:
            changed, form = refused, RolesForm(form.upon(refused.stands), stands=refused.stands)
        except StaffRefused as refused:
            form.add_error("roles", refused.sentence)
        else:
            return _saved(request, site, staff, form)
    return _page(request, site, staff, form, AccountForm(None, staff=staff), roles=changed)


@require_POST
def change_account(request: HttpRequest, pk: int) -> HttpResponse:
    """Another name, or another address to sign in with; a stale form shows both."""
    site, by = current_site(request), cast(Staff, request.user)
    staff = get_object_or_404(staffing.people_of(site, by=by), pk=pk)
    form = AccountForm(request.POST, staff=staff)
    changed: AccountChanged | None = None
    if form.is_valid():
        asked = {each: form.cleaned_data[each] for each in ("name", "email")}
        try:
            staffing.change_account(staff=staff, seen=form.seen, by=by, now=timezone.now(), **asked)
        except AccountChanged as refused:
            changed, form = refused, AccountForm(form.upon(refused.stands), staff=staff)
        except StaffRefused as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(request, _("Saved."))
            if asked["email"].lower() != staff.email:
                said = _("A link to choose a password that was made before is no longer good.")
                messages.info(request, said)
            return _back("staff-member", site, staff.pk)
    roles = RolesForm(None, stands=staffing.roles_at(site, staff))
    return _page(request, site, staff, roles, form, account=changed)


@require_POST
def treat(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the person be booked, with leave to treat; then to their hours."""
    site, by = current_site(request), cast(Staff, request.user)
    staff = get_object_or_404(staffing.people_of(site, by=by), pk=pk)
    form = TreatsForm(request.POST, prefix="treats")
    if form.is_valid():
        try:
            made = treating.add_provider(
                site=site, staff=staff, by=by, now=timezone.now(), **form.cleaned_data
            )
        except ResourceRefused as refused:
            field = refused.field if refused.field in form.fields else None
            form.add_error(field, refused.sentence)
        else:
            said = _("%(name)s can be booked once they have hours here.")
            messages.success(request, said % {"name": made.name})
            return _back("resource", site, made.pk)
    roles = RolesForm(None, stands=staffing.roles_at(site, staff))
    return _page(request, site, staff, roles, AccountForm(None, staff=staff), treats=form)


@require_POST
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Show, this once, the link by which the person chooses a password."""
    site, by = current_site(request), cast(Staff, request.user)
    staff = get_object_or_404(staffing.people_of(site, by=by), pk=pk)
    path = staffing.invite(staff=staff, by=by, now=timezone.now())
    context = {"site": site, "person": staff, "link": request.build_absolute_uri(path)}
    response = render(request, "clinic/staff/invited.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _page(
    request: HttpRequest,
    site: Site,
    staff: Staff,
    form: RolesForm,
    account_form: AccountForm,
    *,
    roles: RolesChanged | None = None,
    account: AccountChanged | None = None,
    treats: TreatsForm | None = None,
) -> HttpResponse:
    by = cast(Staff, request.user)
    provider = Resource.objects.filter(staff=staff).first()
    context = {
        "site": site,
        "person": staff,
        "form": form,
        "account_form": account_form,
        "stands": [Role(role).label for role in sorted(roles.stands)] if roles else None,
        "account_stands": ", ".join(account.stands.values()) if account else "",
        "may_invite": staffing.may_invite(staff=staff, by=by),
        "has_password": staff.has_usable_password(),
        "provider": provider,
        "leaves": provider and provider.credentials.select_related("modality"),
        "may_treat": access.can(staff, Capability.CHART, site),
        "treats_form": treats or TreatsForm(prefix="treats"),
        "kept_leave": treating.kept_leave(staff, by),
    }
    is_wrong = form.errors or account_form.errors or (treats and treats.errors)
    status = 409 if roles or account else 422 if is_wrong else 200
    return render(request, "clinic/staff/staff_member.html", context, status=status)


def _saved(request: HttpRequest, site: Site, staff: Staff, form: RolesForm) -> HttpResponse:
    if form.cleaned_data["roles"]:
        messages.success(request, _("The roles of %(name)s are saved.") % {"name": staff.name})
        return _back("staff-member", site, staff.pk)
    said = _("%(name)s no longer works at %(site)s.") % {"name": staff.name, "site": site.name}
    messages.success(request, said)
    return _back("staff", site)


def _back(name: str, site: Site, *args: int) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse(name, args=args)}?site={site.slug}", status=303)


def _labels(staff: Staff, site: Site) -> list[str]:
    held = {each.role for each in staff.site_roles.all() if each.site_id == site.pk}
    return [str(role.label) for role in Role if role in held]
