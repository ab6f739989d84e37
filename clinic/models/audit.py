"""The audit trail: who did what to which subject, when and why. Append-only in the database."""

from __future__ import annotations

from django.db import models

from clinic.models.site import Site
from clinic.models.staff import Staff


class AuditEntry(models.Model):
    """One act. `subject_type` and `subject_id` name the row without a foreign key, so that the
    trail outlives what it speaks of; `by` is empty for acts of the system or of a patient."""

    at = models.DateTimeField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=60)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    patient_id = models.BigIntegerField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=("subject_type", "subject_id"), name="audit_subject"),
            models.Index(fields=("patient_id", "at"), name="audit_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}"
