"""The treatment series: one patient, one protocol version, 1..n visits."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import ProtocolVersion, Site, Staff
from clinic.models.protocol import WithoutDocuments
from patients.models import Patient

# So many sessions a series has at most, and so many places are held or booked at once.
MOST_SESSIONS = 12


class SeriesState(models.TextChoices):
    OPEN = "open", _("Open")
    COMPLETED = "completed", _("Completed")
    ENDED = "ended", _("Ended early")


class SeriesQuerySet(WithoutDocuments["TreatmentSeries"]):
    def seen_by(self, staff: Staff) -> SeriesQuerySet:
        """The series of the patients whom `staff` may see."""
        return self.filter(patient__in=Patient.objects.seen_by(staff))


class TreatmentSeries(models.Model):
    """A course of treatment, pinned to the protocol version it was booked with."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="series")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="series")
    protocol_version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="series"
    )
    areas = ArrayField(models.SlugField(), help_text="Area ids of the protocol.")
    sessions = models.PositiveSmallIntegerField(help_text="Sessions agreed, booked or not.")
    state = models.CharField(max_length=9, choices=SeriesState.choices, default=SeriesState.OPEN)
    booked_at = models.DateTimeField()
    booked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_reason = models.CharField(max_length=200, blank=True)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        ordering = ("-booked_at", "-id")
        verbose_name_plural = "treatment series"
        constraints = [
            models.CheckConstraint(
                name="series_sessions", condition=Q(sessions__gte=1, sessions__lte=MOST_SESSIONS)
            ),
            models.CheckConstraint(
                name="series_closed_whole",
                condition=Q(state="open", closed_at=None)
                | Q(
                    state__in=("completed", "ended"),
                    # A NULL would make the comparison unknown, and a check passes the unknown.
                    closed_at__isnull=False,
                    closed_at__gte=F("booked_at"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"series {self.pk}"
