"""Other hours on one local day, of a site or of a provider there: the whole day at once.

Owns the writing. Refuses to know what is booked on that day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from clinic import access, audit
from clinic.access import Capability
from clinic.models import HoursException, ProviderHours, Resource, ResourceKind, Site, Staff
from clinic.saying import gettext, language
from clinic.saying_days import format_day
from clinic.stretches import HoursRefused, Stretch, in_order
from clinic.wall_time import local

# More days than that are a block or a closure.
MOST_DAYS = 31


class HoursChanged(HoursRefused):
    """`day` has other hours than those that were seen: somebody else wrote them meanwhile."""

    code = "hours_changed"

    def __init__(self, sentence: str, *, day: date) -> None:
        super().__init__(sentence, "day")
        self.day = day


def set_day(
    *,
    site: Site,
    day: date,
    stretches: Sequence[Stretch],
    by: Staff,
    now: datetime,
    last_day: date | None = None,
    provider: Resource | None = None,
    reason: str = "",
    seen: Collection[int] | None = None,
) -> list[HoursException]:
    """Let `stretches` be the hours of `day` instead of the weekly ones; none of them: no hours.

    Without `provider` they are the opening hours of `site`, else the provider's hours there.
    With `last_day` they are those of each day up to and with it. What was exceptional on such a
    day before is replaced; with `seen`, the ids of its rows, only if it is still those.

    Raises:
        HoursChanged: when other rows stand on a day than those `seen`.
        HoursRefused: for a past day, stretches that overlap, or a provider of another site.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    ordered = in_order(stretches)
    days = _days(day, last_day or day)
    _may_be(site, provider, day, now)
    with transaction.atomic():
        # Of two who write the same day, the later one replaces what the first one wrote.
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        made: list[HoursException] = []
        for each in days:
            made += _write(site, provider, each, ordered, reason, by, now, seen)
        return made


def _write(
    site: Site,
    provider: Resource | None,
    day: date,
    stretches: Sequence[Stretch],
    reason: str,
    by: Staff,
    now: datetime,
    seen: Collection[int] | None,
) -> list[HoursException]:
    former = HoursException.objects.filter(site=site, provider=provider, day=day)
    if seen is not None and {row.pk for row in former} != set(seen):
        raise HoursChanged(
            gettext(
                "%(day)s has other hours already, or somebody changed them meanwhile. "
                "Nothing of yours is saved yet."
            )
            % {"day": format_day(day, language())},
            day=day,
        )
    before = _spans(former)
    former.delete()
    hours: Sequence[tuple[int | None, int | None]] = stretches or [(None, None)]
    rows = [
        HoursException(
            site=site, provider=provider, day=day, starts=starts, ends=ends, reason=reason
        )
        for starts, ends in hours
    ]
    made = HoursException.objects.bulk_create(rows)
    audit.record(
        action="hours.set_day",
        subject=made[0],
        by=by,
        now=now,
        site=site,
        before={"stretches": before} if before else {},
        after={
            "day": day.isoformat(),
            "provider": provider.pk if provider else None,
            "stretches": _spans(made),
        },
        reason=reason,
    )
    return made


def clear_day(*, exception: HoursException, by: Staff, now: datetime) -> None:
    """Go back to the weekly hours on the day of `exception`. Twice is once.

    Raises Forbidden when `by` does not manage the site.
    """
    site = exception.site
    access.require(by, Capability.MANAGE_SITE, site)
    with transaction.atomic():
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        rows = HoursException.objects.filter(
            site=site, provider=exception.provider, day=exception.day
        )
        before = _spans(rows)
        if not before:
            return
        rows.delete()
        audit.record(
            action="hours.clear_day",
            subject=exception,
            by=by,
            now=now,
            site=site,
            before={
                "day": exception.day.isoformat(),
                "provider": exception.provider_id,
                "stretches": before,
            },
        )


def _days(first: date, last: date) -> list[date]:
    if last < first:
        raise HoursRefused(
            gettext("The last day comes after the first. Choose a later one."), "last_day"
        )
    if (last - first).days >= MOST_DAYS:
        raise HoursRefused(
            gettext(
                "At most %(most_days)s days at once. Close the clinic for longer, or block a "
                "provider as time off."
            )
            % {"most_days": MOST_DAYS},
            "last_day",
        )
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _may_be(
    site: Site,
    provider: Resource | None,
    day: date,
    now: datetime,
) -> None:
    if day < local(now, site.zone).date():
        raise HoursRefused(
            gettext("%(day)s is past. Choose a day to come.")
            % {"day": format_day(day, language())},
            "day",
        )
    works_here = ProviderHours.objects.filter(provider=provider, site=site).exists()
    if provider is not None and (provider.kind != ResourceKind.PROVIDER or not works_here):
        raise HoursRefused(
            gettext("%(provider)s does not work at %(site)s.")
            % {"provider": provider, "site": site.name},
            "provider",
        )


def _spans(rows: Iterable[HoursException]) -> list[list[int | None]]:
    return [[row.starts, row.ends] for row in rows]
