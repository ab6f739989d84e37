"""Contact points: the numbers and addresses at which a patient is reached."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.guardian import Guardian
from patients.models.patient import Patient


class ContactKind(models.TextChoices):
    PHONE = "phone", _("Mobile phone")
    EMAIL = "email", _("E-mail")


class ContactPointQuerySet(models.QuerySet["ContactPoint"]):
    def numbers(self, patient_ids: Collection[int]) -> dict[int, str]:
        """By patient the number to call, the preferred one where there are several; who has none
        is left out."""
        points = self.filter(patient__in=patient_ids, kind=ContactKind.PHONE, retired_at=None)
        # The last one stands.
        return dict(points.order_by("is_preferred", "-id").values_list("patient_id", "value"))


class ContactPoint(models.Model):
    """One E.164 number or one lower-case e-mail address. A family may share one; it is retired,
    never deleted, because messages were sent to it. Erasure empties it."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="contact_points")
    # Filled: it is the guardian's, and used while the patient is a minor.
    guardian = models.ForeignKey(
        Guardian, on_delete=models.PROTECT, null=True, blank=True, related_name="contact_points"
    )
    kind = models.CharField(max_length=5, choices=ContactKind.choices)
    value = models.CharField(max_length=254)
    is_preferred = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = ContactPointQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "-is_preferred", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("patient", "kind", "value", "guardian"),
                condition=Q(retired_at=None),
                nulls_distinct=False,
                name="contact_once",
            ),
            models.UniqueConstraint(
                fields=("patient", "kind", "guardian"),
                condition=Q(retired_at=None, is_preferred=True),
                nulls_distinct=False,
                name="contact_one_preferred",
            ),
            models.CheckConstraint(
                name="contact_shape",
                condition=Q(kind="phone", value__regex=r"^\+[1-9][0-9]{6,14}$")
                | Q(kind="email", value__contains="@")
                | Q(value="", retired_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=("kind", "value"),
                name="contact_value",
                condition=Q(retired_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
