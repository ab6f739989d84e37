"""Deleting canaries that have told what they had to: of nobody, said to a telephone of the clinic.

Every quarter of an hour one more of each site would otherwise stay for ever. Whatever stands about
one goes with it. Small batches, each for itself; the next process goes on where one died.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from reminders.catalogue import Kind, MessageState
from reminders.models import Message, Receipt

# Long enough to look into an incident with them.
KEPT = timedelta(days=30)
AT_ONCE = 500
SECONDS = 5.0
_UNDER_WAY = (MessageState.SCHEDULED, MessageState.SUBMITTING, MessageState.UNKNOWN)


def remove(*, now: datetime, seconds: float = SECONDS, most: int = AT_ONCE) -> int:
    """Delete those at rest that came to be before the last 30 days, for some seconds at most; how
    many. Any number of processes may do it at once."""
    ends, removed = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        found = _remove(now=now, most=most)
        removed += found
        if found < most:
            break
    return removed


def _remove(*, now: datetime, most: int) -> int:
    over = Message.objects.filter(kind=Kind.CANARY, patient=None, created_at__lt=now - KEPT)
    ids = list(
        over.exclude(state__in=_UNDER_WAY).order_by("pk").values_list("pk", flat=True)[:most]
    )
    Receipt.objects.filter(message__in=ids).delete()
    Message.objects.filter(pk__in=ids).delete()
    return len(ids)
