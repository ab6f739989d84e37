"""Allocations: a resource held for a time. The database refuses two at once."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    BigIntegerRangeField,
    DateTimeRangeField,
    RangeOperators,
)
from django.db import models
from django.db.models import F, Func, Q, Value

from appointments.models.appointment import Appointment
from clinic.models import Resource, Site, Staff


class BlockKind(models.TextChoices):
    MAINTENANCE = "maintenance", "Maintenance"
    TIME_OFF = "time_off", "Time off"
    BLOCKED = "blocked", "Blocked"


class Block(models.Model):
    """A time in which a resource is not to be had: maintenance, time off, a meeting."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="blocks")
    kind = models.CharField(max_length=11, choices=BlockKind.choices)
    reason = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Allocation(models.Model):
    """One resource for one period (UTC, half-open), set-up and clean-up included.

    Active allocations of a resource never overlap: the exclusion constraint holds it against
    every writer. The resource is written as a one-element int8range because the embedded
    PostgreSQL has no btree_gist; it is NOT NULL, since a NULL would mean "every resource".
    """

    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="allocations")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, related_name="allocations"
    )
    block = models.ForeignKey(
        Block, on_delete=models.PROTECT, null=True, related_name="allocations"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    during = models.GeneratedField(
        expression=Func(
            F("starts_at"),
            F("ends_at"),
            Value("[)"),
            function="tstzrange",
            output_field=DateTimeRangeField(),
        ),
        output_field=DateTimeRangeField(),
        db_persist=True,
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ("starts_at", "resource")
        constraints = [
            ExclusionConstraint(
                name="allocation_no_overlap",
                expressions=[
                    (
                        Func(
                            F("resource"),
                            F("resource"),
                            Value("[]"),
                            function="int8range",
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=Q(active=True),
            ),
            models.CheckConstraint(
                name="allocation_in_order", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="allocation_one_owner",
                condition=Q(appointment=None, block__isnull=False)
                | Q(appointment__isnull=False, block=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=("resource", "starts_at"),
                include=("ends_at",),
                condition=Q(active=True),
                name="allocation_busy",
            ),
        ]

    def __str__(self) -> str:
        return f"resource {self.resource_id} {self.starts_at}–{self.ends_at}"
