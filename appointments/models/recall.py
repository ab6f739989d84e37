"""What came of asking a patient back."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.series import TreatmentSeries
from clinic.models import Staff


class RecallOutcome(models.TextChoices):
    NO_ANSWER = "no_answer", _("No answer")
    LATER = "later", _("Wants to be asked later")
    DECLINED = "declined", _("Does not want it")
    WRITTEN = "written", _("Written to")


# What may come of a call; writing is an act of its own (`asking_in_writing`).
OF_A_CALL = tuple(each for each in RecallOutcome if each != RecallOutcome.WRITTEN)


class RecallAttempt(models.Model):
    """One attempt to bring a patient back for a series. Until `again_on`, a local date of the
    site, the patient is not on the list; without one who declined is not on it any more.

    Who was written to has the `cause` (`recalling.windows.Cause`), the `session` that is
    due and the `channel`; planning makes the message of it, until it is `taken_back_at`."""

    series = models.ForeignKey(
        TreatmentSeries, on_delete=models.PROTECT, related_name="recall_attempts", db_index=False
    )
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=9, choices=RecallOutcome.choices)
    again_on = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    cause = models.CharField(max_length=12, blank=True)
    session = models.PositiveSmallIntegerField(null=True, blank=True)
    channel = models.CharField(max_length=5, blank=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        constraints = [
            models.CheckConstraint(
                name="recall_outcome_known", condition=Q(outcome__in=RecallOutcome.values)
            ),
            models.CheckConstraint(
                name="recall_written_whole",
                condition=Q(
                    outcome="written",
                    cause__in=("missed", "next_session", "touch_up"),
                    session__isnull=False,
                    channel__in=("sms", "email"),
                )
                | ~Q(outcome="written") & Q(cause="", session=None, channel="", taken_back_at=None),
            ),
            models.CheckConstraint(
                name="recall_again_unless_declined",
                condition=Q(outcome="declined") | Q(again_on__isnull=False),
            ),
        ]
        indexes = [models.Index(F("series"), F("at").desc(), name="recall_latest")]

    def __str__(self) -> str:
        return f"{self.outcome} of series {self.series_id}"
