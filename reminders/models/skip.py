"""What staff chose not to send, or to say by the other channel: facts of the plan."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from appointments.models import TreatmentSeries
from clinic.models import Staff


class SkipChoice(models.Model):
    """Staff decided that one step of one session shall not be sent on one channel; `instead` is the
    channel that says it in its place, empty when none does.

    `session` is 0 for steps that belong to the series as a whole.
    """

    series = models.ForeignKey(
        TreatmentSeries, on_delete=models.CASCADE, related_name="skips", db_index=False
    )
    session = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=60)
    channel = models.CharField(max_length=5)
    instead = models.CharField(max_length=5, blank=True, default="", db_default="")
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("series", "session", "step", "channel"), name="skip_once"
            ),
            models.CheckConstraint(
                name="skip_instead_is_the_other",
                condition=Q(instead="")
                | Q(channel="sms", instead="email")
                | Q(channel="email", instead="sms"),
            ),
        ]

    def __str__(self) -> str:
        return f"skip {self.step} of session {self.session} by {self.channel}"
