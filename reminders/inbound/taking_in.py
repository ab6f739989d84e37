"""What providers report is stored before anything is made of it, and dealt with at once.

Not every provider comes again when it got an error, and a STOP or a symptom must not be lost with a
process or to a fault of ours. So a report is committed first. What it means is done in the same
request and takes the row with it, in one transaction; what does not succeed is done again later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from reminders import failpoints
from reminders.catalogue import Channel
from reminders.failpoints import failpoint
from reminders.inbound import receiving
from reminders.ledger import alarms, mail_reports, receipts
from reminders.ledger.mail_reports import MailReport
from reminders.models import HeldReport
from reminders.models.held_report import Way

log = logging.getLogger(__name__)

# Whoever took it in is at it, or is dead.
FIRST_AGAIN = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
# From so many failures on somebody is told.
TELL_FROM = 3
AT_ONCE = 50


def take(way: Way, said: Mapping[str, Any], *, now: datetime) -> None:
    """Store one report and deal with it. What comes twice is harmless.

    Raises:
        Misdirected: the report names another recipient than its message has; it is not kept.
    """
    kept = {name: _storable(value) for name, value in said.items()}
    row = HeldReport.objects.create(way=way, said=kept, received_at=now, next_at=now + FIRST_AGAIN)
    failpoint(failpoints.AFTER_TAKING_IN)
    _deal_with(row.pk, now=now)


def work(*, now: datetime) -> int:
    """Deal with what is still held and due; how many there were. Any number of processes may."""
    due = HeldReport.objects.filter(next_at__lte=now).order_by("next_at", "pk")
    found = list(due.values_list("pk", flat=True)[:AT_ONCE])
    for pk in found:
        try:
            _deal_with(pk, now=now)
        except receipts.Misdirected:
            log.warning("report %s names another recipient than its message has", pk)
    return len(found)


def _deal_with(pk: int, *, now: datetime) -> None:
    try:
        with transaction.atomic():
            row = HeldReport.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
            if row is None:
                return  # somebody else is at it, or done with it
            _WAYS[Way(row.way)](row.said, row.received_at, now)
            row.delete()
    except receipts.Misdirected:
        HeldReport.objects.filter(pk=pk).delete()
        raise
    except SoftTimeLimitExceeded:
        raise
    except Exception as fault:  # noqa: BLE001 - one report must not hold up the others
        # The error's text may name the patient.
        log.error("report %s cannot be dealt with: %s", pk, type(fault).__name__)
        _put_off(pk, type(fault).__name__, now=now)


@transaction.atomic
def _put_off(pk: int, fault: str, *, now: datetime) -> None:
    row = HeldReport.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return
    row.tries += 1
    row.fault = fault[:80]
    row.next_at = now + min(FIRST_AGAIN * 2 ** min(row.tries - 1, 10), LONGEST_PAUSE)
    row.save(update_fields=["tries", "fault", "next_at"])
    if row.tries >= TELL_FROM and row.way == Way.REPLY:
        alarms.raise_for_held(receiving.site_of(row.said), now=now)


def _reply(said: Mapping[str, Any], received_at: datetime, now: datetime) -> None:
    channel = Channel(said["channel"])
    receiving.receive(**{**said, "channel": channel}, received_at=received_at, now=now)


def _receipt(said: Mapping[str, Any], _: datetime, now: datetime) -> None:
    receipts.record(**said, now=now)


def _mail(said: Mapping[str, Any], _: datetime, now: datetime) -> None:
    mail_reports.take([MailReport(**said)], now=now)


_WAYS: Mapping[Way, Callable[[Mapping[str, Any], datetime, datetime], None]] = {
    Way.REPLY: _reply,
    Way.RECEIPT: _receipt,
    Way.MAIL: _mail,
}


def _storable(value: Any) -> Any:
    """Text without what a JSON document of the database cannot hold."""
    if not isinstance(value, str):
        return value
    # A text that was cut between the halves of an emoji ends with one that is no character.
    whole = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "")
