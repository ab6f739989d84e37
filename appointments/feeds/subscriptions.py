"""Calendar feeds: made for a provider or a site, read by whoever holds the address, revoked.

Only the SHA-256 of a token is stored, so nobody who reads the database can subscribe. A feed is
open as long as who made it may have it: it ends with their role. Refuses to know what stands in
a calendar (`feed_entries`) and how it is written (`feed_calendar`).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from appointments.feeds import entries, ical
from appointments.feeds.ical import FeedCalendar
from appointments.models import CalendarFeed, FeedDetail
from appointments.refusals import WrongResource
from clinic import access, audit
from clinic.access import Capability, Forbidden
from clinic.models import Resource, ResourceKind, Site, Staff
from clinic.saying import gettext

TOKEN_BYTES = 24
# Programs ask every few minutes; when exactly is not worth a write each time.
NOTED_EVERY = timedelta(minutes=5)
ONE_SECOND = timedelta(seconds=1)


class FeedClosed(Exception):
    """There is no such feed, or not any more: which of both is nobody's business."""

    code = "feed_closed"
    field = "token"

    @property
    def sentence(self) -> str:
        return gettext("This calendar is not one of ours, or its address was revoked.")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a subscriber gets. `etag` is another one whenever the content is, and `changed_at`
    (UTC, whole seconds) a later one."""

    calendar: FeedCalendar
    etag: str
    changed_at: datetime


def address(token: str) -> str:
    """The address of the feed with this token; whoever knows it can read the calendar."""
    return f"{settings.PUBLIC_URL}/feeds/{token}.ics"


def may_have(staff: Staff, site: Site, provider: Resource | None) -> bool:
    """Providers may have their own calendar, managers of the site everybody's and the site's."""
    own = provider is not None and provider.staff_id == staff.pk
    return access.can(staff, Capability.SEE_PATIENTS if own else Capability.MANAGE_SITE, site)


def on_offer(*, site: Site, by: Staff) -> list[Resource | None]:
    """Whose calendars `by` may make at `site`, by name; None is the whole site."""
    working = Resource.objects.filter(kind=ResourceKind.PROVIDER, is_active=True, hours__site=site)
    own = working.distinct().order_by("name")
    if access.can(by, Capability.MANAGE_SITE, site):
        return [None, *own]
    return [each for each in own.filter(staff=by) if may_have(by, site, each)]


@transaction.atomic
def make(
    *, site: Site, provider: Resource | None, detail: FeedDetail, by: Staff, now: datetime
) -> tuple[str, CalendarFeed]:
    """A token, told this once, and its feed: the visits of `provider`, or of the whole site.

    Raises:
        Forbidden: when it is another's calendar and `by` does not manage the site.
        WrongResource: when `provider` is nobody who works at the site.
    """
    if provider is None:
        access.require(by, Capability.MANAGE_SITE, site)
    elif not may_have(by, site, provider):
        raise Forbidden(
            gettext(
                "Only %(provider)s or a manager of %(site)s may make this calendar. Ask one "
                "of them, or make your own."
            )
            % {"provider": provider.name, "site": site.name}
        )
    elif not provider.hours.filter(site=site).exists():
        raise WrongResource(
            gettext("%(provider)s has no hours at %(site)s. Choose somebody who works there.")
            % {"provider": provider.name, "site": site.name},
            field="provider",
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    feed = CalendarFeed.objects.create(
        token_digest=_digest(token),
        site=site,
        provider=provider,
        detail=detail,
        made_by=by,
        made_at=now,
    )
    after = {"provider": provider.pk if provider else None, "detail": str(detail)}
    audit.record(action="feed.make", subject=feed, by=by, now=now, site=site, after=after)
    return token, feed


@transaction.atomic
def revoke(*, feed: CalendarFeed, by: Staff, now: datetime) -> CalendarFeed:
    """Close the feed for good; its address never opens again. Nothing happens the second time.

    Raises:
        Forbidden: unless `by` made it, is the provider or manages the site.
    """
    stored = (
        CalendarFeed.objects.select_for_update(of=("self",))
        .select_related("site", "provider", "made_by")
        .get(pk=feed.pk)
    )
    if not may_revoke(stored, by):
        whose = stored.provider.name if stored.provider else stored.made_by.name
        raise Forbidden(
            gettext("Only %(whose)s or a manager of %(site)s may revoke this address.")
            % {"whose": whose, "site": stored.site.name}
        )
    if stored.revoked_at is None:
        stored.revoked_at, stored.revoked_by = now, by
        stored.save(update_fields=["revoked_at", "revoked_by"])
        audit.record(action="feed.revoke", subject=stored, by=by, now=now, site=stored.site)
    return stored


def may_revoke(feed: CalendarFeed, staff: Staff) -> bool:
    return feed.made_by_id == staff.pk or may_have(staff, feed.site, feed.provider)


def open(token: str) -> CalendarFeed:  # noqa: A001 - feeds.open
    """The feed of a token. Raises FeedClosed.

    It is looked for by its digest, so that the time this takes tells nothing about any token.
    """
    feed = (
        CalendarFeed.objects.select_related("site", "provider", "made_by")
        .filter(token_digest=_digest(token), revoked_at=None)
        .first()
    )
    if feed is None or not may_have(feed.made_by, feed.site, feed.provider):
        raise FeedClosed
    return feed


def read(token: str, *, now: datetime) -> Reading:
    """The calendar behind a token as it is now; notes every few minutes that it was read.

    Raises:
        FeedClosed: for an unknown token as for a revoked one.
    """
    feed = open(token)
    calendar = entries.load(feed, now=now)
    etag = ical.fingerprint(calendar)
    return Reading(calendar, etag, _noted(feed, etag, now))


def _noted(feed: CalendarFeed, etag: str, now: datetime) -> datetime:
    """Since when the content is what it is; writes only what is news."""
    changed_at = feed.changed_at
    if changed_at is None or feed.etag != etag:
        changed_at = now.replace(microsecond=0)
        if feed.changed_at is not None:
            # HTTP counts whole seconds: two contents of one second must not share theirs.
            changed_at = max(changed_at, feed.changed_at + ONE_SECOND)
    elif feed.read_at is not None and now - feed.read_at < NOTED_EVERY:
        return changed_at
    CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now, etag=etag, changed_at=changed_at)
    return changed_at


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
