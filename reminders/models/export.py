"""Exports: that the whole record of a patient was asked for, by whom, why, and until when."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from clinic.models import Staff
from patients.models import Patient


class RecordExport(models.Model):
    """Leave to take out one patient's record until `expires_at`, for who asked.

    The file itself is nowhere stored: it is written as it is taken, so no copy lies about.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="exports")
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    taken = models.PositiveSmallIntegerField(default=0, help_text="How often it was taken.")

    class Meta:
        ordering = ("-asked_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="export_expires_later", condition=Q(expires_at__gt=F("asked_at"))
            ),
            models.CheckConstraint(name="export_has_a_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"export {self.pk} of patient {self.patient_id}"
