"""What the pages of /resources/ share: whose they are, what there is, and the way back."""

from __future__ import annotations

from typing import cast

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from clinic import access, equipping
from clinic.access import Capability
from clinic.equipping import ResourceRefused
from clinic.models import Resource, Site, Staff
from clinic.staffing import StaffRefused
from clinic.views.current_site import current_site


def managed(request: HttpRequest) -> tuple[Site, Staff]:
    """The site of the page and who manages it. Raises Forbidden."""
    site, by = current_site(request), cast(Staff, request.user)
    access.require(by, Capability.MANAGE_SITE, site)
    return site, by


def of(site: Site) -> QuerySet[Resource]:
    """Those of the site, the retired ones last of their kind."""
    here = equipping.at(Site.objects.filter(pk=site.pk))
    return here.order_by("kind", "-is_active", "name", "pk")


def to(site: Site, shown: Resource) -> HttpResponseRedirect:
    address = reverse("resource", args=[shown.pk])
    return HttpResponseRedirect(f"{address}?site={site.slug}", status=303)


def told(form: forms.Form, refused: ResourceRefused | StaffRefused) -> None:
    """Put the refusal beside the field it is about, or above the form when that is not shown."""
    form.add_error(refused.field if refused.field in form.fields else None, refused.sentence)
