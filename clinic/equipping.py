"""What a site treats with and who treats: rooms, devices, providers and their credentials.

Nothing is deleted: visits of the past hold it. Refuses to know what is booked.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from clinic import access, audit
from clinic.access import CAPABILITIES, Capability
from clinic.models import Credential, Modality, Resource, ResourceKind, Site, Staff
from clinic.saying import gettext


class ResourceRefused(Exception):
    """It cannot be like that; `field` is the input to mend. Nothing was changed."""

    code = "resource_refused"

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


def at(sites: QuerySet[Site]) -> QuerySet[Resource]:
    """Rooms and devices of these sites, in use or not, and who has hours or treats at one."""
    owned = Resource.objects.filter(site__in=sites).exclude(kind=ResourceKind.PROVIDER)
    people = Resource.objects.filter(kind=ResourceKind.PROVIDER)
    treat = people.filter(staff__site_roles__site__in=sites, staff__is_active=True)
    return (owned | people.filter(hours__site__in=sites) | treat).distinct()


@transaction.atomic
def add_room(*, site: Site, name: str, room_kind: str, by: Staff, now: datetime) -> Resource:
    """A room of `site`; `room_kind` is what protocols ask for, such as `treatment`.

    Raises ResourceRefused when the site has one of the name, Forbidden when `by` does not manage.
    """
    made = Resource(kind=ResourceKind.ROOM, site=site, name=name.strip(), room_kind=room_kind)
    return _added(made, site, by, now)


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
    return _added(made, site, by, now)


@transaction.atomic
def add_provider(*, site: Site, staff: Staff, by: Staff, now: datetime) -> Resource:
    """Somebody who treats at `site`, to be booked once they have hours there. Twice is once.

    Raises ResourceRefused when they have no role that treats there, Forbidden as above.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
    found = Resource.objects.filter(staff=staff).first()
    if found is not None:
        return found
    if not access.can(staff, Capability.CHART, site):
        raise ResourceRefused(
            gettext("%(name)s has no role that treats at %(site)s.")
            % {"name": staff.name, "site": site.name},
            "staff",
        )
    made = Resource(kind=ResourceKind.PROVIDER, staff=staff, name=staff.name[:60])
    return _added(made, site, by, now)


def unbooked(site: Site) -> list[Staff]:
    """Those with a role that treats at `site` who cannot be booked anywhere yet, by name."""
    treating = [role for role, held in CAPABILITIES.items() if Capability.CHART in held]
    here = Staff.objects.filter(
        site_roles__site=site, site_roles__role__in=treating, is_active=True, resource=None
    )
    return list(here.distinct())


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


@transaction.atomic
def give_leave(
    *,
    provider: Resource,
    site: Site,
    modality: Modality,
    valid_from: date,
    by: Staff,
    now: datetime,
    valid_until: date | None = None,
) -> Credential:
    """Leave to treat with a modality from `valid_from` up to and with `valid_until`, local dates;
    leave that begins on the same day gets the new end.

    Raises ResourceRefused when it would end before it begins, Forbidden as above.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    if valid_until is not None and valid_until < valid_from:
        raise ResourceRefused(
            gettext("It ends before it begins. Choose a later end."), "valid_until"
        )
    Resource.objects.select_for_update(no_key=True).get(pk=provider.pk)
    former = provider.credentials.filter(modality=modality, valid_from=valid_from).first()
    before = {"valid_until": _iso(former.valid_until)} if former else {}
    made, _ = Credential.objects.update_or_create(
        provider=provider,
        modality=modality,
        valid_from=valid_from,
        defaults={"valid_until": valid_until},
    )
    audit.record(
        action="resource.credential",
        subject=provider,
        by=by,
        now=now,
        site=site,
        before=before,
        after={
            "modality": modality.pk,
            "valid_from": valid_from.isoformat(),
            "valid_until": _iso(valid_until),
        },
    )
    return made


def _added(made: Resource, site: Site, by: Staff, now: datetime) -> Resource:
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


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
