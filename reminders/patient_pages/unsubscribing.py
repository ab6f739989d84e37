"""Ending marketing e-mail by the link that each such mail carries."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from appointments import links
from appointments.models import PatientLink
from patients.models import ContactKind
from reminders.catalogue import Channel
from reminders.ledger import opting_out
from reminders.models import SuppressionSource


def opened(token: str, *, now: datetime) -> PatientLink:
    """The link of a marketing mail: to this alone, or to a touch-up besides. Raises LinkClosed."""
    only, touch_up = PatientLink.Purpose.UNSUBSCRIBE, PatientLink.Purpose.TOUCH_UP
    purpose = touch_up if links.purpose_of(token) == touch_up else only
    return links.open(token, now=now, purpose=purpose)


@transaction.atomic
def unsubscribe(*, token: str, source: SuppressionSource, now: datetime) -> None:
    """End what the opt-out policy says that the link ends, for everybody who shares the patient's
    mail address; again and again is the same.

    Raises:
        LinkClosed: when the token opens nothing.
    """
    link = opened(token, now=now)
    addresses = link.patient.contact_points.filter(kind=ContactKind.EMAIL, retired_at=None)
    for point in addresses.order_by("id"):
        opting_out.opt_out(
            channel=Channel.EMAIL, address=point.value, source=source, by=None, now=now
        )
