"""Allocations: a resource held for a time. The database refuses two at once."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    BigIntegerRangeField,
    DateTimeRangeField,
    RangeOperators,
)
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from appointments.models.appointment import Appointment
from appointments.models.hold import Hold
from clinic.models import Resource, Site, Staff


class BlockKind(models.TextChoices):
    MAINTENANCE = "maintenance", _("Maintenance")
    TIME_OFF = "time_off", _("Time off")
    BLOCKED = "blocked", _("Blocked")


class BlockQuerySet(models.QuerySet["Block"]):
    def seen_by(self, staff: Staff) -> BlockQuerySet:
        """The blocks of the sites at which `staff` holds a role."""
        return self.filter(site__site_roles__staff=staff).distinct()

    def standing(self) -> BlockQuerySet:
        return self.filter(released_at=None)


class Block(models.Model):
    """A time [starts_at, ends_at), UTC, in which resources are not to be had: maintenance, time
    off, a meeting.

    What is free of it is held at once. Visits that were there already are work: each one's time
    is held as it leaves.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="blocks")
    kind = models.CharField(max_length=11, choices=BlockKind.choices)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    resources = models.ManyToManyField(Resource, related_name="blocks")
    reason = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)

    objects = BlockQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "id")
        constraints = [
            models.CheckConstraint(name="block_in_order", condition=Q(ends_at__gt=F("starts_at"))),
        ]
        indexes = [
            models.Index(
                fields=("site", "ends_at"), condition=Q(released_at=None), name="block_standing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Allocation(models.Model):
    """One resource for one period (UTC, half-open), set-up and clean-up included.

    Active allocations of a resource never overlap: the exclusion constraint holds it against
    every writer. The one exception is *deliberate*: staff with the capability put a visit over
    another for a reason. Such a row stands outside the constraint and a trigger keeps all other
    rows off its time, so that nothing else slips in beside it.

    None lasts longer than 24 hours: a longer block has several. Those of a hold are void from
    `expires_at` on, whether or not somebody has cleared them away. The resource is written as a
    one-element int8range because the embedded PostgreSQL has no btree_gist; it is NOT NULL,
    since a NULL would mean "every resource".
    """

    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="allocations")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, related_name="allocations"
    )
    block = models.ForeignKey(
        Block, on_delete=models.PROTECT, null=True, related_name="allocations"
    )
    hold = models.ForeignKey(Hold, on_delete=models.CASCADE, null=True, related_name="allocations")
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
    expires_at = models.DateTimeField(null=True, help_text="Of a hold: its end.")
    is_deliberate = models.BooleanField(
        default=False, db_default=False, help_text="Over another visit on purpose."
    )

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
                condition=Q(active=True, is_deliberate=False),
            ),
            models.CheckConstraint(
                name="allocation_in_order", condition=Q(ends_at__gt=F("starts_at"))
            ),
            # So that whoever asks for a day need not look further back than the day before.
            models.CheckConstraint(
                name="allocation_within_a_day",
                condition=Q(ends_at__lte=F("starts_at") + timedelta(days=1)),
            ),
            models.CheckConstraint(
                name="allocation_one_owner",
                condition=Q(appointment__isnull=False, block=None, hold=None)
                | Q(appointment=None, block__isnull=False, hold=None)
                | Q(appointment=None, block=None, hold__isnull=False),
            ),
            models.CheckConstraint(
                name="allocation_only_holds_expire",
                condition=Q(hold=None, expires_at=None)
                | Q(hold__isnull=False, expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="allocation_only_visits_overlap",
                condition=Q(is_deliberate=False) | Q(appointment__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=("resource", "starts_at"),
                include=("ends_at", "expires_at", "appointment", "hold"),
                condition=Q(active=True),
                name="allocation_busy",
            ),
            models.Index(
                fields=("resource", "starts_at"),
                condition=Q(active=True, is_deliberate=True),
                name="allocation_deliberate",
            ),
        ]

    def __str__(self) -> str:
        return f"resource {self.resource_id} {self.starts_at}–{self.ends_at}"
