"""The canary: a test text to a telephone of the clinic's own, whose delivery must be reported soon.

It takes the road of every message: ledger, claim, gate, words, provider and the provider's report.
What breaks on that road, without an error anywhere, shows here within minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from clinic.models import Site
from clinic.saying import noop
from reminders.catalogue import Channel, Kind, MessageState
from reminders.ledger import saying_now
from reminders.models import Message

EVERY = timedelta(minutes=15)
BACK_WITHIN = timedelta(minutes=5)
# Two hours of canaries.
_LOOKED_BACK = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Silence:
    """Of one site: `seconds` since the last canary that came back was sent out; if none of the
    last two hours did, since the first of them."""

    site: str
    seconds: float

    @property
    def is_too_long(self) -> bool:
        return self.seconds > (EVERY + BACK_WITHIN).total_seconds()


def send_out(*, now: datetime) -> None:
    """One canary for every live site that has a number, unless this quarter has one already."""
    for site in _with_canary(now):
        saying_now.say(
            site=site,
            kind=Kind.CANARY,
            channel=Channel.SMS,
            to_address=site.canary_number,
            key=_key(site, _quarter(now)),
            now=now,
            why=[noop("A test text every quarter of an hour shows that texts arrive.")],
        )


def silences(*, now: datetime) -> list[Silence]:
    """How long the canaries of each site have been silent; a site that never sent one is left out.

    They are found by their keys, so it costs the same however much is stored.
    """
    sites = list(_with_canary(now))
    last = _quarter(now)
    keys = {_key(site, last - back): site.slug for site in sites for back in range(_LOOKED_BACK)}
    rows = Message.objects.filter(key__in=keys).order_by("created_at")
    sent: dict[str, datetime] = {}
    back: dict[str, datetime] = {}
    for key, state, created_at in rows.values_list("key", "state", "created_at"):
        sent.setdefault(keys[key], created_at)
        if state == MessageState.DELIVERED:
            back[keys[key]] = created_at
    return [
        Silence(slug, (now - back.get(slug, first)).total_seconds())
        for slug, first in sorted(sent.items())
    ]


def _with_canary(now: datetime) -> QuerySet[Site]:
    return Site.objects.filter(live_from__lte=now).exclude(canary_number="").order_by("slug")


def _quarter(now: datetime) -> int:
    return (now - _EPOCH) // EVERY


def _key(site: Site, quarter: int) -> str:
    return f"canary:{site.pk}:{quarter}"
