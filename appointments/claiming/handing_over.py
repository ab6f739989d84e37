"""Giving the times of one patient to another: two records of one person become one, or part again.

The caller holds the resources of both (`allocating.lock`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appointments.models import Allocation, Appointment


@dataclass(frozen=True, slots=True)
class Clash:
    """Two visits at one time; `one` is of the resource named first."""

    one: Appointment
    other: Appointment


def clashes(one: int, other: int, *, now: datetime) -> list[Clash]:
    """The visits that are not over and for which these two resources are held at one time."""
    mine = Allocation.objects.filter(
        resource=one, active=True, appointment__isnull=False, ends_at__gt=now
    ).select_related("appointment__site", "appointment__protocol_version")
    return [
        Clash(each.appointment, theirs.appointment)
        for each in mine
        if each.appointment is not None
        for theirs in Allocation.objects.filter(
            resource=other, active=True, appointment__isnull=False, during__overlap=each.during
        ).select_related("appointment__site", "appointment__protocol_version")
        if theirs.appointment is not None
    ]


def hand_over(former: int, later: int) -> list[int]:
    """Give what visits hold of the resource `former` to `later`; the ids of what had to be let go
    for that, because `later` was held at the same time in the past."""
    held = Allocation.objects.filter(resource=former, appointment__isnull=False)
    given_up = [
        each.pk
        for each in held.filter(active=True)
        if Allocation.objects.filter(
            resource=later, active=True, during__overlap=each.during
        ).exists()
    ]
    Allocation.objects.filter(pk__in=given_up).update(active=False)
    held.update(resource=later)
    return given_up


def hand_back(former: int, later: int, *, patient_id: int, given_up: list[int]) -> None:
    """Give what the visits of a patient hold of `later` back to `former`, as it was held before."""
    theirs = Allocation.objects.filter(
        resource=later, appointment__series__patient=patient_id
    ).values_list("pk", flat=True)
    Allocation.objects.filter(pk__in=list(theirs)).update(resource=former)
    Allocation.objects.filter(pk__in=given_up, resource=former).update(active=True)
