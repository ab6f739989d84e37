"""Taking a room or device out of use for good, and back: never under a visit that needs it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from appointments.claiming import allocating
from appointments.models import Allocation
from appointments.refusals import NotBlockable, VisitsInTheWay
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Resource, ResourceKind, Site, Staff
from clinic.saying import gettext, ngettext

# A refusal names the nearest of them.
MOST_NAMED = 50


def retire(*, resource: Resource, by: Staff, now: datetime) -> None:
    """Let nobody book `resource` from now on. Twice is once.

    Raises:
        VisitsInTheWay: when visits to come hold it; a block of it moves them in one go.
        NotBlockable: for a provider, who leaves by having no hours, and a patient.
        Forbidden: when `by` does not manage its site.
    """
    site = site_of(resource)
    access.require(by, Capability.MANAGE_SITE, site)
    with transaction.atomic():
        # Who books takes the same lock first, so no visit comes in between.
        allocating.lock([resource.pk])
        held = Allocation.objects.filter(
            resource=resource, active=True, appointment__isnull=False, ends_at__gt=now
        )
        visits = list(held.order_by("starts_at").values_list("appointment_id", flat=True))
        if visits:
            raise VisitsInTheWay(
                ngettext(
                    "%(name)s is needed for %(count)s visit to come. Block it first and move the"
                    " visit, then retire it.",
                    "%(name)s is needed for %(count)s visits to come. Block it first and move them"
                    " in one go, then retire it.",
                    len(visits),
                )
                % {"name": resource.name, "count": len(visits)},
                appointments=visits[:MOST_NAMED],
            )
        _set(resource, site, False, "resource.retire", by, now)


def bring_back(*, resource: Resource, by: Staff, now: datetime) -> None:
    """Let it be booked again. Raises NotBlockable and Forbidden as `retire`."""
    site = site_of(resource)
    access.require(by, Capability.MANAGE_SITE, site)
    with transaction.atomic():
        allocating.lock([resource.pk])
        _set(resource, site, True, "resource.bring_back", by, now)


def site_of(resource: Resource) -> Site:
    """The one it belongs to. Raises NotBlockable for a provider, who belongs to none."""
    if resource.kind not in (ResourceKind.ROOM, ResourceKind.DEVICE) or resource.site is None:
        raise NotBlockable(
            gettext("Only rooms and devices retire. A provider leaves by having no hours.")
        )
    return resource.site


def _set(
    resource: Resource, site: Site, is_active: bool, action: str, by: Staff, now: datetime
) -> None:
    if Resource.objects.filter(pk=resource.pk, is_active=not is_active).update(is_active=is_active):
        audit.record(action=action, subject=resource, by=by, now=now, site=site)
