"""Whom one may call of those who are due: a touch-up is an offer, also by telephone."""

from __future__ import annotations

from collections.abc import Collection

from appointments.recalling.listing import Due
from appointments.recalling.windows import Cause
from patients import consent
from patients.models import Purpose


def may_be_called(dues: Collection[Due]) -> frozenset[int]:
    """The series (ids) of these about which one may call. Who agreed to offers on any channel may
    be called about one; one query."""
    agreed = consent.standing({due.series.patient_id for due in dues})
    return frozenset(
        due.series.pk
        for due in dues
        if due.cause != Cause.TOUCH_UP
        or any(purpose == Purpose.MARKETING for purpose, _ in agreed[due.series.patient_id])
    )
