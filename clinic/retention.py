"""How long treatment records are kept at each site: every decision on it, and which is in force."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from django.db import IntegrityError, transaction

from clinic import access, audit
from clinic.access import Capability
from clinic.models import RecordRetention, Site, Staff
from clinic.models.retention import FEWEST_YEARS, MOST_YEARS
from clinic.saying import gettext
from clinic.wall_time import local

# Where nobody has decided: the longest of the laws read for the product.
DEFAULT_YEARS = 10
BASIS_LENGTH = 200


class RetentionRefused(Exception):
    """Nothing was decided; `sentence` says why."""

    code = "retention_refused"

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


@transaction.atomic
def decide(
    *, site: Site, begins_on: date, years: int, basis: str, by: Staff, now: datetime
) -> RecordRetention:
    """Keep the treatment records of `site` for `years` after the last treatment, from the local
    date `begins_on` on.

    Raises:
        RetentionRefused: for a day that is past or taken, other years, or no basis.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    basis = " ".join(basis.split())[:BASIS_LENGTH]
    if begins_on < local(now, site.zone).date():
        raise RetentionRefused(gettext("Choose today or a later day."), "begins_on")
    if not FEWEST_YEARS <= years <= MOST_YEARS:
        said = gettext("Write %(fewest)s to %(most)s years.")
        raise RetentionRefused(said % {"fewest": FEWEST_YEARS, "most": MOST_YEARS}, "years")
    if not basis:
        raise RetentionRefused(gettext("Write the law or rule that asks for it."), "basis")
    try:
        with transaction.atomic():
            made = RecordRetention.objects.create(
                site=site,
                begins_on=begins_on,
                years=years,
                basis=basis,
                decided_by=by,
                decided_at=now,
            )
    except IntegrityError:
        said = gettext("Another decision begins on this day.")
        raise RetentionRefused(said, "begins_on") from None
    audit.record(
        action="retention.decide",
        subject=made,
        by=by,
        now=now,
        site=site,
        after={"years": years, "begins_on": begins_on.isoformat()},
        reason=basis,
    )
    return made


def years_at(sites: Collection[int], *, on: date) -> dict[int, int]:
    """By site, for how many years records are kept by what is in force on a day."""
    begun = RecordRetention.objects.filter(site__in=sites, begins_on__lte=on)
    latest = begun.order_by("site_id", "-begins_on").distinct("site_id")
    return dict.fromkeys(sites, DEFAULT_YEARS) | dict(latest.values_list("site_id", "years"))
