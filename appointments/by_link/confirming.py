"""A patient says that they come."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from appointments import links
from appointments.by_link import times
from appointments.lifecycle import State
from appointments.models import Appointment, PatientLink
from appointments.visits import attendance


@transaction.atomic
def confirm(*, link: PatientLink, visit: Appointment, now: datetime) -> None:
    """Confirm the visit; confirming twice is confirming once.

    Raises:
        NotByLink: when it is cancelled, has begun or is over.
        Refused: StaleVersion when it changed at this moment.
    """
    times.require_to_come(visit, now=now)
    if visit.state == State.CONFIRMED:
        return
    attendance.confirm(appointment=visit, by=None, now=now, expected_version=visit.version)
    links.acted(link, visit)
