"""What a mail provider reports: about a mail of ours, and about an address that wants no more.

Refuses to take a delay for a failure: only a bounce that is final, or a complaint, closes an
address.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reminders.catalogue import Channel
from reminders.ledger import opting_out, receipts
from reminders.models import SuppressionReason, SuppressionSource


@dataclass(frozen=True, slots=True)
class MailReport:
    """One event: `status` is Anymail's event type, `reference` our id of the mail, empty if it did
    not come back, `address` the recipient."""

    reference: str
    event_key: str
    status: str
    code: str
    address: str


def take(reports: Iterable[MailReport], *, now: datetime) -> None:
    """Store each report once and let it act, whatever their order.

    A report whose recipient is not that of the mail moves nothing.
    """
    for report in reports:
        if report.status == "complained" and report.address:
            _close(report.address, now=now)
        if report.status == "unsubscribed" and report.address:
            opting_out.opt_out(
                channel=Channel.EMAIL,
                address=report.address,
                source=SuppressionSource.PROVIDER,
                by=None,
                now=now,
            )
        if report.reference:
            _record(report, now=now)


def _record(report: MailReport, *, now: datetime) -> None:
    try:
        receipts.record(
            provider="mail",
            reference=report.reference,
            event_key=report.event_key,
            status=report.status,
            code=report.code,
            to=report.address,
            now=now,
        )
    except receipts.Misdirected:
        return


def _close(address: str, *, now: datetime) -> None:
    opting_out.suppress(
        channel=Channel.EMAIL,
        address=address,
        reason=SuppressionReason.COMPLAINED,
        source=SuppressionSource.PROVIDER,
        by=None,
        now=now,
    )
