"""Guardians: who answers for a patient that is a minor, is written to instead, and may sign."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Staff
from patients.models.patient import Language, Patient

# From this birthday on a patient is written to themself and signs for themself.
OF_AGE = 18


class Relation(models.TextChoices):
    PARENT = "parent", _("Parent")
    GUARDIAN = "guardian", _("Legal guardian")
    OTHER = "other", _("Other")


class Guardian(models.Model):
    """Somebody who answers for a patient, until `ended_at`; ended, never deleted.

    While the patient is a minor, messages go to the guardian's contact points, in the guardian's
    language, where `gets_messages`. `may_sign`: consent forms may be signed by them for the minor.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="guardians")
    name = models.CharField(max_length=120)
    relation = models.CharField(max_length=8, choices=Relation.choices)
    language = models.CharField(max_length=2, choices=Language.choices)
    gets_messages = models.BooleanField(default=True)
    may_sign = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("patient", "id")
        constraints = [
            models.CheckConstraint(name="guardian_named", condition=~Q(name="")),
            models.CheckConstraint(
                name="guardian_relation_known",
                condition=Q(relation__in=Relation.values, language__in=Language.values),
            ),
            models.CheckConstraint(
                name="guardian_in_order",
                condition=Q(ended_at=None)
                | Q(ended_at__isnull=False, ended_at__gte=F("created_at")),
            ),
            # Several may sign; one is written to.
            models.UniqueConstraint(
                fields=("patient",),
                condition=Q(ended_at=None, gets_messages=True),
                name="guardian_one_is_written_to",
            ),
        ]

    def __str__(self) -> str:
        return f"guardian {self.pk} of patient {self.patient_id}"
