"""When a site begins to send: nothing that falls due before is ever sent."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from clinic import access, audit
from clinic.access import Capability
from clinic.models import Site, Staff


def go_live(*, site: Site, live_from: datetime | None, by: Staff, now: datetime) -> Site:
    """Let `site` send what falls due from `live_from` (UTC) on; None is not at all.

    Raises Forbidden when `by` does not manage the site.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    with transaction.atomic():
        stored = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        before = stored.live_from
        if before == live_from:
            return stored
        # What is planned depends on it.
        Site.objects.filter(pk=site.pk).update(live_from=live_from, revision=F("revision") + 1)
        stored.live_from = live_from
        audit.record(
            action="site.go_live",
            subject=stored,
            by=by,
            now=now,
            site=stored,
            before={"live_from": before.isoformat() if before else None},
            after={"live_from": live_from.isoformat() if live_from else None},
        )
    return stored
