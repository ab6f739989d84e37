"""What time alone brings: claims of dead workers, holds and offers that ran out and entries of the
wait-list that were overtaken are cleared away, providers are asked what became of what is unknown,
canaries are sent out, reports that could not be dealt with are looked at again, on call is paged
again, and staff are told of what does not leave.

Started every few seconds. Refuses to be needed: what waits to be cleared is already in nobody's
way.
"""

from __future__ import annotations

from datetime import datetime

from appointments.claiming import holding
from appointments.waitlist import offering, overtaken
from reminders.inbound import paging, taking_in
from reminders.ledger import reconciling
from reminders.records import ending
from reminders.sending import canary, dispatch
from reminders.sending.watching import Watch


def tidy(*, now: datetime, watch: Watch | None = None) -> None:
    """Clear away what ended before `now`, the database's clock, and send out canaries. `watch` is
    what this process has seen before."""
    canary.send_out(now=now)
    dispatch.tidy(now=now)
    reconciling.reconcile(now=now)
    offering.expire(now=now)
    holding.expire(now=now)
    overtaken.tidy(now=now)
    taking_in.work(now=now)
    paging.page_again(now=now)
    paging.page_for_events(now=now)
    ending.finish(now=now)
    if watch is not None:
        watch.look(now=now)
