"""A provider's report between its arrival and what it causes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Way(models.TextChoices):
    REPLY = "reply", "A reply"
    RECEIPT = "receipt", "What became of a text"
    MAIL = "mail", "What became of a mail"


class HeldReport(models.Model):
    """A report that was believed and committed, and is dealt with at once, else later: the row goes
    with what it causes. `said` is what it says; `fault` the kind of error that stood in its way."""

    way = models.CharField(max_length=7, choices=Way.choices)
    said = models.JSONField()
    received_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(help_text="When it is dealt with, if it is still here.")
    fault = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="held_report_way_known", condition=Q(way__in=Way.values)),
        ]
        indexes = [models.Index(fields=("next_at",), name="held_report_next")]

    def __str__(self) -> str:
        return f"held report {self.pk}"
