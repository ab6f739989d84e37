"""Everything that failed at a site, sent again at once; and what would come of it, before.

What may have arrived is left: only a person can say of each whether twice is better than never.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from reminders import gate
from reminders.catalogue import Channel, Tray
from reminders.journeys import recipients
from reminders.ledger import retrying
from reminders.ledger.other_channel import NOWHERE, elsewhere
from reminders.models import Message
from reminders.sending import taking

MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a retry of all comes to. `held` are messages with the sentence why the gate would not
    let them go, or that staff let them go by the other channel; `later` is how many wait for the
    next time, `too_late` and `unknown` how many are left because they are of no use any more, or
    may have arrived."""

    goes: list[Message]
    held: list[tuple[Message, str]]
    later: int
    too_late: int
    unknown: int


def outlook(*, site: Site, by: Staff, now: datetime) -> Outlook:
    """The nearest to their expiry first, up to `MOST_AT_ONCE` that go. Raises Forbidden."""
    access.require(by, Capability.MANAGE_MESSAGES, site)
    here = Message.objects.filter(site=site)
    unseen = list(_failed(here, now).values_list("pk", flat=True))
    goes: list[Message] = []
    held: list[tuple[Message, str]] = []
    # What is held stays where it is, so that it must not take the place of what could go.
    while unseen and len(goes) < MOST_AT_ONCE:
        part, unseen = unseen[:MOST_AT_ONCE], unseen[MOST_AT_ONCE:]
        found = list(_failed(here, now).filter(pk__in=part).select_related("site", "patient"))
        readers, there = recipients.of(found), elsewhere(found)
        for message in found:
            if there.get(message.pk, NOWHERE).is_switched:
                held.append((message, retrying.WENT_BY_THE_OTHER[Channel(message.channel)]))
                continue
            decision = gate.decide(taking.envelope(message), readers[message.pk], now=now)
            if isinstance(decision, gate.Skip):
                held.append((message, decision.why))
            else:
                goes.append(message)
    return Outlook(
        goes[:MOST_AT_ONCE],
        held,
        later=len(goes[MOST_AT_ONCE:]) + len(unseen),
        too_late=here.filter(tray=Tray.FAILED, expires_at__lte=now).count(),
        unknown=here.filter(tray=Tray.UNKNOWN, expires_at__gt=now).count(),
    )


def retry_all(*, site: Site, by: Staff, now: datetime) -> int:
    """Schedule what failed, is still of use and may go as things stand; how many. Raises
    Forbidden."""
    going = outlook(site=site, by=by, now=now).goes
    # Of some of these somebody may have been faster.
    return retrying.retry_what_may(messages=going, site=site, by=by, now=now)


def _failed(here: QuerySet[Message], now: datetime) -> QuerySet[Message]:
    failed = here.filter(tray=Tray.FAILED, expires_at__gt=now).exclude(patient=None)
    return failed.order_by("expires_at", "id")
