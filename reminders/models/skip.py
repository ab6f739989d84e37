"""Messages that staff chose not to send: a fact of the plan."""

from __future__ import annotations

from django.db import models

from appointments.models import TreatmentSeries
from clinic.models import Staff


class SkipChoice(models.Model):
    """Staff decided that one step of one session shall not be sent on one channel.

    `session` is 0 for steps that belong to the series as a whole.
    """

    series = models.ForeignKey(TreatmentSeries, on_delete=models.CASCADE, related_name="skips")
    session = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=60)
    channel = models.CharField(max_length=5)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("series", "session", "step", "channel"), name="skip_once"
            ),
        ]

    def __str__(self) -> str:
        return f"skip {self.step} of session {self.session} by {self.channel}"
