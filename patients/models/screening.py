"""What patients answered to screening questions, and what was decided on the answers.

Both are rows that are added and never changed or deleted: triggers of the database hold that.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import ProtocolVersion, Staff
from patients.models.patient import Patient, SkinType


class AnswerValue(models.TextChoices):
    YES = "yes", _("Yes")
    NO = "no", _("No")
    DATE = "date", _("On a day")
    NEVER = "never", _("Never")
    UNSURE = "unsure", _("Not sure")


class ScreeningMoment(models.TextChoices):
    CONSULT = "consult", _("At booking")
    PRE = "pre", _("Before the visit")
    DAY_OF = "day_of", _("On the day")


class ScreeningAnswer(models.Model):
    """One answer to one question of a protocol.

    `area` is an area id of the protocol, empty for the whole body. `wording` is the digest of what
    was asked (`screening.questions`). `day` is the last local day of what was asked about, `begins`
    the first day of something planned; `said_on` is the local day of the site. `by` is who wrote it
    down; null when the patient did.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="screening_answers")
    protocol_version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="+", help_text="Whose question."
    )
    question = models.CharField(max_length=60)
    wording = models.CharField(max_length=16)
    area = models.SlugField(blank=True)
    value = models.CharField(max_length=6, choices=AnswerValue.choices)
    day = models.DateField(null=True)
    begins = models.DateField(null=True)
    moment = models.CharField(max_length=7, choices=ScreeningMoment.choices)
    said_at = models.DateTimeField()
    said_on = models.DateField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    together = models.BooleanField(
        default=False, help_text="Whether it was said in one word with others: no to all the rest."
    )

    class Meta:
        ordering = ("patient", "said_at", "id")
        constraints = [
            models.CheckConstraint(
                name="screening_answer_known",
                condition=Q(value__in=AnswerValue.values, moment__in=ScreeningMoment.values),
            ),
            models.CheckConstraint(
                name="screening_answer_day",
                condition=Q(value="date", day__isnull=False)
                & (Q(begins=None) | Q(begins__lte=F("day")))
                | ~Q(value="date") & Q(day=None, begins=None),
            ),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk} of patient {self.patient_id}"


class ScreeningDecision(models.Model):
    """Whether to treat in spite of exactly these answers, by one rule of a protocol.

    `rule` is the id of a question or of `screening.assessing.Rule`; `answers` are the ids of the
    answers that it is about, none when it is about the `skin_type`.
    """

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="screening_decisions"
    )
    protocol_version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="+"
    )
    rule = models.CharField(max_length=60)
    answers = ArrayField(models.BigIntegerField(), default=list)
    skin_type = models.CharField(max_length=3, choices=SkinType.choices, blank=True)
    proceeds = models.BooleanField(help_text="Whether treatment may go on.")
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    decided_on = models.DateField(help_text="The local day of the site.")

    class Meta:
        ordering = ("patient", "id")
        constraints = [
            models.CheckConstraint(name="screening_decision_reasoned", condition=~Q(reason="")),
            models.CheckConstraint(
                name="screening_decision_is_about_something",
                condition=Q(answers__len__gt=0, skin_type="")
                | Q(answers__len=0) & ~Q(skin_type=""),
            ),
        ]

    def __str__(self) -> str:
        return f"decision {self.pk} on patient {self.patient_id}"
