"""Merges: two records of one person that became one, and how to take that back."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from clinic.models import Staff
from patients.models.patient import Patient


class RecordMerge(models.Model):
    """`gone` became a part of `kept`. Can be undone until `undo_until`.

    `manifest` says what was moved: `moved` holds the ids of rows by table and column, `changed` the
    former values of columns that were changed, and `sites` those that `kept` got by it. Rows that
    never change otherwise may go over to another patient only along such a row (triggers).
    """

    kept = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merges")
    gone = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merged_by")
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    manifest = models.JSONField(default=dict)
    undo_until = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-at", "-id")
        constraints = [
            models.CheckConstraint(name="merge_of_two", condition=~Q(kept=F("gone"))),
            models.CheckConstraint(name="merge_has_a_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="merge_undone_whole",
                condition=Q(undone_at=None, undone_by=None)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
            ),
            models.UniqueConstraint(
                fields=("gone",), condition=Q(undone_at=None), name="merge_once"
            ),
        ]

    def __str__(self) -> str:
        return f"merge of {self.gone_id} into {self.kept_id}"
