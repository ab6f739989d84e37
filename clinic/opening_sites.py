"""Opening another site, and what it still needs then.

Refuses to know what is booked; the site sends nothing until somebody says from when on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from django.db.models import Q

from clinic import access, audit, on_call, weekly_hours
from clinic.access import Capability
from clinic.models import (
    Credential,
    OnCallShift,
    ProtocolVersion,
    ProviderHours,
    Resource,
    ResourceKind,
    Role,
    Site,
    SiteRole,
    Staff,
)
from clinic.protocols import loading
from clinic.readiness import SiteFacts, Standing, Treatment, standing
from clinic.saying import gettext
from clinic.site_settings import SETTINGS, SiteRefused
from clinic.wall_time import local
from clinic.weekly_hours import Week

# What a site says of itself from its first day on; all else has a default.
SAID = ("name", "address", "phone", "sms_name", "sms_number", "email_address", "reply_to")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,49}")


def may_open(staff: Staff) -> bool:
    """Whether `staff` manages every site of the company; the first one is made with the set-up."""
    return access.can_everywhere(staff, Capability.MANAGE_SITE)


def require(staff: Staff) -> None:
    """Raise Forbidden unless `may_open`."""
    if not may_open(staff):
        raise access.Forbidden(gettext("Only somebody who manages every site opens another one."))


@transaction.atomic
def open_site(
    *, slug: str, zone: str, said: Mapping[str, str], week: Week, by: Staff, now: datetime
) -> Site:
    """Another site, with what it says of itself (`SAID`, all of it) and its hours of every week;
    `by` manages it. It plans like any other, and sends nothing before its `live_from`.

    Its `slug` and its IANA `zone` stay: addresses hang on the one, times of visits on the other.

    Raises:
        SiteRefused: for a value that cannot be, or a slug that another site has.
        HoursRefused: for stretches that overlap.
        Forbidden: when `by` does not manage every site.
    """
    require(by)
    if not _SLUG.fullmatch(slug):
        raise SiteRefused(
            gettext("Write small letters, digits and hyphens, such as harbour-west."), "slug"
        )
    if zone not in available_timezones():
        raise SiteRefused(gettext("Write a time zone such as America/New_York."), "zone")
    values = {name: SETTINGS[name](name, said[name]) for name in SAID}
    try:
        with transaction.atomic():
            site = Site.objects.create(slug=slug, zone=zone, **values)
    except IntegrityError:
        refusal = gettext("Another site has this word in its addresses. Choose another.")
        raise SiteRefused(refusal, "slug") from None
    SiteRole.objects.create(staff=by, site=site, role=Role.MANAGER)
    audit.record(
        action="site.open",
        subject=site,
        by=by,
        now=now,
        site=site,
        after={"slug": slug, "zone": zone, **values, "manager": by.pk},
    )
    weekly_hours.set_week(site=site, week=week, by=by, now=now)
    return site


def readiness(site: Site, *, by: Staff, now: datetime) -> list[Standing]:
    """What `site` has and what it still needs. Raises Forbidden when `by` does not manage it."""
    access.require(by, Capability.MANAGE_SITE, site)
    owned = Resource.objects.filter(site=site, is_active=True)
    return standing(
        SiteFacts(
            has_hours=site.opening_hours.exists(),
            room_kinds=frozenset(
                owned.filter(kind=ResourceKind.ROOM).values_list("room_kind", flat=True)
            ),
            devices=frozenset(
                str(each)
                for each in owned.filter(kind=ResourceKind.DEVICE).values_list(
                    "modality_id", flat=True
                )
            ),
            providers=_providers(site, now),
            treatments=_treatments(),
            sharing=tuple(
                Site.objects.filter(sms_number=site.sms_number)
                .exclude(pk=site.pk)
                .values_list("name", flat=True)
            ),
            has_on_call=_has_on_call(site, now),
            is_live=site.live_from is not None,
        )
    )


def _has_on_call(site: Site, now: datetime) -> bool:
    """Whether somebody is from the moment on from which the site sends; as long as nobody said from
    when, at any time to come."""
    shifts = OnCallShift.objects.standing().filter(
        site=site, ends_at__gt=now, staff__is_active=True
    )
    if site.live_from is None:
        return shifts.exists()
    return bool(on_call.at(site, max(now, site.live_from)))


def _providers(site: Site, now: datetime) -> tuple[frozenset[str], ...]:
    """By provider with hours at the site, the modalities of leave that has not ended."""
    here = ProviderHours.objects.filter(site=site, provider__is_active=True)
    found: dict[int, set[str]] = {pk: set() for pk in here.values_list("provider_id", flat=True)}
    today = local(now, site.zone).date()
    lasts = Q(valid_until=None) | Q(valid_until__gte=today)
    leave = Credential.objects.filter(lasts, provider__in=found)
    for provider, modality in leave.values_list("provider_id", "modality_id"):
        found[provider].add(modality)
    return tuple(frozenset(each) for each in found.values())


def _treatments() -> tuple[Treatment, ...]:
    approved = ProtocolVersion.objects.filter(status=ProtocolVersion.Status.APPROVED)
    versions = dict(approved.order_by("name").values_list("digest", "pk"))
    protocols = loading.by_digest(versions).values()
    return tuple(
        Treatment(
            name=each.name.en,
            modality=each.modality,
            room_kind=each.resources.room_kind,
            device=each.resources.device is not None,
        )
        for each in protocols
    )
