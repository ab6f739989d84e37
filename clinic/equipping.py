"""What a site treats with: its rooms and devices, to add and to name.

Nothing is deleted: visits of the past hold it. Refuses to know what is booked.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from clinic import access, audit
from clinic.access import Capability
from clinic.models import Modality, Resource, ResourceKind, Site, Staff
from clinic.saying import gettext


class ResourceRefused(Exception):
    """It cannot be like that; `field` is the input to mend. Nothing was changed."""

    code = "resource_refused"

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


def at(sites: QuerySet[Site]) -> QuerySet[Resource]:
    """Rooms and devices of these sites, in use or not, and who has hours or treats at one, or was
    added there without a login."""
    owned = Resource.objects.filter(site__in=sites).exclude(kind=ResourceKind.PROVIDER)
    people = Resource.objects.filter(kind=ResourceKind.PROVIDER)
    treat = people.filter(staff__site_roles__site__in=sites, staff__is_active=True)
    alone = people.filter(staff=None, site__in=sites)
    return (owned | people.filter(hours__site__in=sites) | treat | alone).distinct()


@transaction.atomic
def add_room(*, site: Site, name: str, room_kind: str, by: Staff, now: datetime) -> Resource:
    """A room of `site`; `room_kind` is what protocols ask for, such as `treatment`.

    Raises ResourceRefused when the site has one of the name, Forbidden when `by` does not manage.
    """
    made = Resource(kind=ResourceKind.ROOM, site=site, name=name.strip(), room_kind=room_kind)
    return add(made, site=site, by=by, now=now)


@transaction.atomic
def add_device(
    *, site: Site, name: str, modality: Modality, by: Staff, now: datetime, serial: str = ""
) -> Resource:
    """A device of `site`. Raises as `add_room`."""
    made = Resource(
        kind=ResourceKind.DEVICE,
        site=site,
        name=name.strip(),
        modality=modality,
        serial=serial.strip(),
    )
    return add(made, site=site, by=by, now=now)


@transaction.atomic
def rename(
    *, resource: Resource, site: Site, name: str, serial: str, by: Staff, now: datetime
) -> None:
    """Give a room or device of `site`, or a provider there, this name; `serial` of a device.

    Raises ResourceRefused when the site has another of the name, Forbidden as above.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    stored = Resource.objects.select_for_update(no_key=True).get(pk=resource.pk)
    before = {"name": stored.name, "serial": stored.serial}
    after = {"name": name.strip(), "serial": serial.strip()}
    if before == after:
        return
    stored.name, stored.serial = after["name"], after["serial"]
    _only_one(stored)
    stored.save(update_fields=["name", "serial"])
    audit.record(
        action="resource.rename",
        subject=stored,
        by=by,
        now=now,
        site=site,
        before=before,
        after=after,
    )


def add(made: Resource, *, site: Site, by: Staff, now: datetime) -> Resource:
    """Store a new one at `site`, within a transaction. Raises as `add_room`."""
    access.require(by, Capability.MANAGE_SITE, site)
    # Of two who add the same name at once, the later one sees the first.
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    _only_one(made)
    made.save(force_insert=True)
    audit.record(
        action="resource.add",
        subject=made,
        by=by,
        now=now,
        site=site,
        after={"kind": str(made.kind), "name": made.name},
    )
    return made


def _only_one(resource: Resource) -> None:
    """Two rooms of one name cannot be told apart on the board. Providers may share theirs."""
    if not resource.name:
        raise ResourceRefused(gettext("Enter a name."), "name")
    others = Resource.objects.filter(
        site=resource.site, kind=resource.kind, name__iexact=resource.name, is_active=True
    ).exclude(pk=resource.pk)
    if resource.kind != ResourceKind.PROVIDER and others.exists():
        raise ResourceRefused(
            gettext("There is a %(name)s here already. Choose another.") % {"name": resource.name},
            "name",
        )
