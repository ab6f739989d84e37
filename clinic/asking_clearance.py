"""From when on treatment waits for what is lacking: screening answers, consents."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from clinic import access, audit
from clinic.access import Capability
from clinic.models import Site, Staff


def ask_clearance(*, site: Site, begins_on: date | None, by: Staff, now: datetime) -> Site:
    """Let treatment at `site` wait for what is lacking from the local day `begins_on` on; None:
    what is lacking is shown, and stops nobody.

    Raises Forbidden when `by` does not manage the site.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    with transaction.atomic():
        stored = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        before = stored.clearance_from
        if before == begins_on:
            return stored
        # Patients are asked for what is lacking from that day on.
        Site.objects.filter(pk=site.pk).update(clearance_from=begins_on, revision=F("revision") + 1)
        stored.clearance_from = begins_on
        audit.record(
            action="site.ask_clearance",
            subject=stored,
            by=by,
            now=now,
            site=stored,
            before={"clearance_from": before.isoformat() if before else None},
            after={"clearance_from": begins_on.isoformat() if begins_on else None},
        )
    return stored
