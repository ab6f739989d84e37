"""When a message of a site failed last, whatever became of it since."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from clinic.models import Site
from reminders.catalogue import Tray
from reminders.channels.base import Outcome
from reminders.ledger.provider_statuses import FAILURES, STATUSES
from reminders.models import Attempt, Message, Receipt

_FAILED = {
    status for words in STATUSES.values() for status, state in words.items() if state in FAILURES
}


def last_failure(site: Site, *, since: datetime) -> datetime | None:
    """The last refusal by a provider, or report that it did not arrive, of a message that was due
    from `since` (UTC) on; None when none failed."""
    # Each tray by name, or the index of site, tray and due time could not be used.
    recent = Message.objects.filter(site=site, tray__in=list(Tray), due_at__gte=since).order_by()
    refused = Attempt.objects.filter(message__in=recent, outcome=Outcome.REFUSED)
    reported = Receipt.objects.filter(message__in=recent, status__in=_FAILED, applied=True)
    times = (
        refused.aggregate(last=Max("started_at"))["last"],
        reported.aggregate(last=Max("received_at"))["last"],
    )
    return max((at for at in times if at is not None), default=None)
