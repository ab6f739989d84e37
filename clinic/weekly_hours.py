"""The hours of every week, of a site or of a provider there: the whole week at once.

Refuses to know what is booked: visits outside of them stay, and are work where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from clinic import access, audit
from clinic.access import Capability
from clinic.models import OpeningHours, ProviderHours, Resource, ResourceKind, Site, Staff
from clinic.saying import gettext
from clinic.stretches import HoursRefused, Stretch, in_order, written

# Hours by weekday, 0 is Monday; a day that is left out has none.
Week = Mapping[int, Sequence[Stretch]]
WEEKDAYS = range(7)


class WeekChanged(HoursRefused):
    """Somebody else wrote other hours meanwhile; `stands` are those."""

    code = "week_changed"

    def __init__(self, stands: Week) -> None:
        super().__init__(
            gettext("Somebody else changed these hours meanwhile. Nothing of yours is saved yet."),
            "week",
        )
        self.stands = stands


def week_of(site: Site, provider: Resource | None = None) -> dict[int, list[Stretch]]:
    """The hours of every week, for all seven days."""
    week: dict[int, list[Stretch]] = {day: [] for day in WEEKDAYS}
    for weekday, starts, ends in _rows(site, provider):
        week[weekday].append((starts, ends))
    return week


def set_week(
    *,
    site: Site,
    week: Week,
    by: Staff,
    now: datetime,
    provider: Resource | None = None,
    seen: Week | None = None,
) -> None:
    """Let `week` be the opening hours of `site`, or with `provider` that person's hours there.

    A provider without any cannot be booked at the site. `seen` are the hours in whose place these
    are meant; without them, whatever stands is changed.

    Raises:
        WeekChanged: when what stands is not what was seen.
        HoursRefused: for stretches that overlap, and a provider who does not treat at the site.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    wanted = {day: in_order(week.get(day, ()), f"day_{day}") for day in WEEKDAYS}
    with transaction.atomic():
        # Of two who write at once, the later one sees what the first one wrote.
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        stands = week_of(site, provider)
        if stands == wanted:
            return
        if seen is not None and stands != {day: list(seen.get(day, ())) for day in WEEKDAYS}:
            raise WeekChanged(stands)
        if provider is not None:
            _treats_here(provider, site)
        _write(site, provider, wanted)
        audit.record(
            action="hours.set_week",
            subject=provider or site,
            by=by,
            now=now,
            site=site,
            before=_said(stands),
            after=_said(wanted),
        )


def _rows(site: Site, provider: Resource | None) -> Sequence[tuple[int, int, int]]:
    if provider is None:
        own = OpeningHours.objects.filter(site=site).order_by("weekday", "opens")
        return list(own.values_list("weekday", "opens", "closes"))
    theirs = ProviderHours.objects.filter(site=site, provider=provider)
    return list(theirs.order_by("weekday", "starts").values_list("weekday", "starts", "ends"))


def _write(site: Site, provider: Resource | None, week: Week) -> None:
    spans = [(day, starts, ends) for day, hours in week.items() for starts, ends in hours]
    if provider is None:
        OpeningHours.objects.filter(site=site).delete()
        OpeningHours.objects.bulk_create(
            OpeningHours(site=site, weekday=day, opens=starts, closes=ends)
            for day, starts, ends in spans
        )
        return
    ProviderHours.objects.filter(site=site, provider=provider).delete()
    ProviderHours.objects.bulk_create(
        ProviderHours(site=site, provider=provider, weekday=day, starts=starts, ends=ends)
        for day, starts, ends in spans
    )


def _treats_here(provider: Resource, site: Site) -> None:
    """Who has hours may keep and change them, and who was added here without a login; else they
    must have a role that treats."""
    if provider.kind == ResourceKind.PROVIDER:
        was_added_here = provider.staff is None and provider.site == site
        if was_added_here or provider.hours.filter(site=site).exists():
            return
        treating = access.roles_holding(Capability.CHART)
        held = provider.staff and provider.staff.site_roles.filter(site=site, role__in=treating)
        if held and held.exists():
            return
    raise HoursRefused(
        gettext(
            "%(name)s does not treat at %(site)s. Give them the role of a provider there first."
        )
        % {"name": provider.name, "site": site.name},
        "provider",
    )


def _said(week: Week) -> dict[str, str]:
    return {str(day): written(hours) for day, hours in week.items() if hours}
