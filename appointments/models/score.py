"""Outcome scores: how a course went, by the patient's word and by the clinician's eye."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.models.series import TreatmentSeries
from clinic.models import Staff


class ScoreKind(models.TextChoices):
    SATISFACTION = "satisfaction", _("Satisfaction, 1 to 5")
    GAIS = "gais", _("Global improvement (GAIS), 1 to 5")
    LAXITY = "laxity", _("Laxity grade, 0 to 4")


# The least and the most of each kind. GAIS: 1 is very much improved, 5 is worse.
RANGES: dict[str, tuple[int, int]] = {
    ScoreKind.SATISFACTION: (1, 5),
    ScoreKind.GAIS: (1, 5),
    ScoreKind.LAXITY: (0, 4),
}


class OutcomeScore(models.Model):
    """One score of a course at a milestone (`charting.course.Milestone`). Append-only in the
    database: a better one is given anew. `by` is empty when the patient gave it."""

    series = models.ForeignKey(TreatmentSeries, on_delete=models.PROTECT, related_name="scores")
    kind = models.CharField(max_length=12, choices=ScoreKind.choices)
    value = models.PositiveSmallIntegerField()
    milestone = models.CharField(max_length=8)
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("series", "at", "id")
        constraints = [
            models.CheckConstraint(
                name="score_in_range",
                condition=Q(kind__in=("satisfaction", "gais"), value__gte=1, value__lte=5)
                | Q(kind="laxity", value__lte=4),
            ),
            models.CheckConstraint(
                name="score_milestone_known",
                condition=Q(milestone__in=("baseline", "early", "first", "peak")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of series {self.series_id}"
