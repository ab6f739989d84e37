"""The audit trail: who did or saw what, when, why and from where. Append-only in the database."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q

from clinic.models.site import Site
from clinic.models.staff import Staff
from clinic.origin import AGENT_LENGTH, Via

# A list of patients that was shown: `after` holds their ids, as {"patients": [3, 8]}.
LISTED = "record.list"


class AuditEntry(models.Model):
    """One act, or one look at a record.

    `subject_type` and `subject_id` name the row without a foreign key, so that the trail outlives
    what it speaks of; `by` is empty for acts of the system or of a patient. A look has a `window`,
    the quarter of an hour in which it falls: the same look by the same person is written once in
    it. `agent` and `request` are as in `clinic.origin`.
    """

    at = models.DateTimeField()
    by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=60)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, related_name="+")
    patient_id = models.BigIntegerField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    via = models.CharField(
        max_length=12, choices=Via.choices, default=Via.SYSTEM, db_default=Via.SYSTEM
    )
    ip = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=AGENT_LENGTH, blank=True, default="", db_default="")
    request = models.CharField(max_length=32, blank=True, default="", db_default="")
    window = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(
                fields=("subject_id", "subject_type", "by", "window", "action"),
                condition=Q(window__isnull=False),
                nulls_distinct=False,
                name="audit_look_once",
            ),
            models.CheckConstraint(name="audit_via_known", condition=Q(via__in=Via.values)),
        ]
        # Each in the order in which the trail is read, the latest first, a page at a time.
        indexes = [
            models.Index(fields=("subject_type", "subject_id"), name="audit_subject"),
            models.Index(F("at").desc(), F("id").desc(), name="audit_latest"),
            models.Index(F("patient_id"), F("at").desc(), F("id").desc(), name="audit_patient"),
            models.Index(F("by"), F("at").desc(), F("id").desc(), name="audit_by"),
            models.Index(F("action"), F("at").desc(), F("id").desc(), name="audit_action"),
            models.Index(F("ip"), F("at").desc(), F("id").desc(), name="audit_ip"),
            GinIndex(
                OpClass(F("after"), "jsonb_path_ops"),
                name="audit_listed",
                condition=Q(action=LISTED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}"
