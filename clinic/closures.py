"""Days on which a site is closed: making and taking back a closure.

Refuses to know what is booked on those days.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from clinic import access, audit
from clinic.access import Capability
from clinic.models import Closure, Site, Staff
from clinic.saying import gettext, language
from clinic.saying_days import format_day
from clinic.stretches import HoursRefused
from clinic.wall_time import local

MOST_DAYS = 366


def close(
    *, site: Site, first_day: date, last_day: date, reason: str, by: Staff, now: datetime
) -> Closure:
    """Close `site` from `first_day` up to and with `last_day`, its local dates.

    Raises:
        HoursRefused: for past days, days out of order, and days that are closed already.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    _may_be(site, first_day, last_day, reason, now)
    with transaction.atomic():
        # Of two who close the same days, the second one is told.
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        standing = site.closures.filter(first_day__lte=last_day, last_day__gte=first_day).first()
        if standing is not None:
            raise HoursRefused(
                gettext(
                    "%(site)s is closed already from %(first_day)s to %(last_day)s: %(reason)s. "
                    "Choose other days, or take that closure back first."
                )
                % {
                    "site": site.name,
                    "first_day": format_day(standing.first_day, language()),
                    "last_day": format_day(standing.last_day, language()),
                    "reason": standing.reason,
                },
                "first_day",
            )
        made = Closure.objects.create(
            site=site, first_day=first_day, last_day=last_day, reason=reason
        )
        audit.record(
            action="closure.make",
            subject=made,
            by=by,
            now=now,
            site=site,
            after={"first_day": first_day.isoformat(), "last_day": last_day.isoformat()},
            reason=reason,
        )
        return made


def take_back(*, closure: Closure, by: Staff, now: datetime) -> None:
    """Open the site again on the days of `closure`, by its usual hours. Twice is once.

    Raises Forbidden when `by` does not manage the site.
    """
    site = closure.site
    access.require(by, Capability.MANAGE_SITE, site)
    with transaction.atomic():
        if not Closure.objects.select_for_update().filter(pk=closure.pk).exists():
            return
        audit.record(
            action="closure.take_back",
            subject=closure,
            by=by,
            now=now,
            site=site,
            before={
                "first_day": closure.first_day.isoformat(),
                "last_day": closure.last_day.isoformat(),
            },
            reason=closure.reason,
        )
        closure.delete()


def _may_be(site: Site, first: date, last: date, reason: str, now: datetime) -> None:
    if first < local(now, site.zone).date():
        raise HoursRefused(
            gettext("%(first)s is past. Choose a day to come.")
            % {"first": format_day(first, language())},
            "first_day",
        )
    if last < first:
        raise HoursRefused(
            gettext("The last day comes after the first. Choose a later one."), "last_day"
        )
    if (last - first).days >= MOST_DAYS:
        raise HoursRefused(
            gettext("A closure lasts a year at most. Choose an earlier day."), "last_day"
        )
    if not reason.strip():
        raise HoursRefused(gettext("Say why, such as: public holiday. Staff read it."), "reason")
