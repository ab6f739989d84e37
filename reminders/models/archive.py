"""Journeys that ended long ago: their messages, out of the way of those that are still to come."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from appointments.models import TreatmentSeries
from clinic.models import Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState


class ArchivedJourney(models.Model):
    """A closed series that is planned no more, because its messages were moved to the archive."""

    series = models.OneToOneField(
        TreatmentSeries, on_delete=models.PROTECT, related_name="archived"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"archived series {self.series_id}"


class ArchivedQuerySet(models.QuerySet["ArchivedMessage"]):
    def seen_by(self, staff: Staff) -> ArchivedQuerySet:
        """The archived messages of the patients whom `staff` may see."""
        return self.filter(patient__in=Patient.objects.seen_by(staff))


class ArchivedMessage(models.Model):
    """A message as it stood when its journey was archived. It keeps its key and our id at the
    provider; `whole` holds the row and everything about it (items, attempts, receipts, looks, the
    fingerprint of its words), as `keeping.journeys` wrote it."""

    journey = models.ForeignKey(ArchivedJourney, on_delete=models.PROTECT, related_name="messages")
    key = models.CharField(max_length=80)
    reference = models.UUIDField(unique=True)
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="archived_messages", db_index=False
    )
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    channel = models.CharField(max_length=5, choices=[(c.value, c.value) for c in Channel])
    state = models.CharField(
        max_length=11, choices=[(state.value, state.value) for state in MessageState]
    )
    reason = models.CharField(max_length=40, blank=True)
    due_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    whole = models.JSONField(encoder=DjangoJSONEncoder)

    objects = ArchivedQuerySet.as_manager()

    class Meta:
        ordering = ("due_at", "id")
        constraints = [
            models.UniqueConstraint(fields=("key",), name="archived_once"),
            models.CheckConstraint(
                name="archived_at_rest",
                condition=~models.Q(
                    state__in=(MessageState.SCHEDULED.value, MessageState.SUBMITTING.value)
                ),
            ),
        ]
        indexes = [models.Index(fields=("patient", "due_at"), name="archived_patient")]

    def __str__(self) -> str:
        return f"archived message {self.key}"

    @property
    def why(self) -> list[str]:
        """The sentences of the plan and of the gate."""
        return [*self.whole["message"]["why"], *self.whole["message"]["gate_why"]]
