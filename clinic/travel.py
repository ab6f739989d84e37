"""The way between two sites: how many minutes a patient needs, in either direction.

Refuses to know what is planned by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from clinic import access, audit
from clinic.access import Capability
from clinic.models import Site, Staff, TravelTime
from clinic.saying import gettext
from clinic.wall_time import MINUTES_A_DAY


class TravelRefused(Exception):
    """The way cannot be like that. Nothing was changed."""

    code = "travel_refused"

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


def others(site: Site) -> QuerySet[Site]:
    """Every other site of the company, by name."""
    return Site.objects.exclude(pk=site.pk).order_by("name", "pk")


def minutes_from(site: Site) -> dict[int, int]:
    """The minutes to each other site, by its id; one that is not there is no way off."""
    rows = TravelTime.objects.filter(Q(site=site) | Q(other=site))
    return {
        other if one == site.pk else one: minutes
        for one, other, minutes in rows.values_list("site", "other", "minutes")
    }


def set_minutes(*, site: Site, minutes: Mapping[Site, int], by: Staff, now: datetime) -> None:
    """Say how many minutes the ways from `site` to these others take, from 0 to 1440.

    Visits that are booked stay. The same again changes nothing.

    Raises:
        TravelRefused: for a way to the site itself, and for minutes that no day has.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    for other, needed in minutes.items():
        if other.pk == site.pk:
            raise TravelRefused(gettext("Choose another site."), "other")
        if not 0 <= needed <= MINUTES_A_DAY:
            raise TravelRefused(
                gettext("Give minutes from 0 to %(most)s.") % {"most": MINUTES_A_DAY}, "minutes"
            )
    both = Site.objects.filter(pk__in=[site.pk, *(other.pk for other in minutes)])
    with transaction.atomic():
        # Of two who say it at once, the later one changes what the first one wrote.
        list(both.order_by("pk").select_for_update(no_key=True))
        before = minutes_from(site)
        for other, needed in minutes.items():
            if before.get(other.pk) != needed:
                _write(site, other, needed, before.get(other.pk), by, now)


def _write(
    site: Site, other: Site, needed: int, before: int | None, by: Staff, now: datetime
) -> None:
    lower, higher = sorted((site.pk, other.pk))
    row, _ = TravelTime.objects.update_or_create(
        site_id=lower, other_id=higher, defaults={"minutes": needed}
    )
    audit.record(
        action="travel.set",
        subject=row,
        by=by,
        now=now,
        site=site,
        before={} if before is None else {"minutes": before},
        after={"minutes": needed, "other": other.pk},
    )
