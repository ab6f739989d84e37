"""Holds: places kept for somebody for a few minutes, and then free by themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic import statements
from clinic.models import Site, Staff
from patients.models import Patient


class HoldPurpose(models.TextChoices):
    PLAN = "plan", _("Looking at a plan")
    OFFER = "offer", _("Offered to the wait-list")
    OWN = "own", _("The patient looks at it")


class HoldQuerySet(models.QuerySet["Hold"]):
    def unreleased(self) -> HoldQuerySet:
        return self.filter(released_at=None)

    def standing(self, now: datetime) -> HoldQuerySet:
        """Those that still keep somebody else off."""
        return self.filter(released_at=None, expires_at__gt=now)

    def seen_by(self, staff: Staff) -> HoldQuerySet:
        """The holds at the sites at which `staff` holds a role."""
        return self.filter(site__site_roles__staff=staff).distinct()

    def plan_of(self, staff: Staff, patient: Patient) -> Hold | None:
        """What `staff` keeps for `patient`, run out or not; there is one at most."""
        asked = "released_at IS NULL AND purpose = 'plan' AND held_by_id = %s AND patient_id = %s"
        return next(iter(statements.where(Hold, asked, [staff.pk, patient.pk])), None)

    def own_of(self, patient: Patient) -> Hold | None:
        """What a patient keeps by their own page, run out or not; there is one at most."""
        return self.unreleased().filter(purpose=HoldPurpose.OWN, patient=patient).first()


class Hold(models.Model):
    """Allocations that run out at `expires_at` (UTC). From then on they are in nobody's way,
    also before anybody has cleared them away."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="holds")
    purpose = models.CharField(max_length=5, choices=HoldPurpose.choices)
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="holds"
    )
    # Nobody: the patient, on their own page.
    held_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="holds"
    )
    held_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ("held_at", "id")
        constraints = [
            models.CheckConstraint(
                name="hold_expires_later", condition=Q(expires_at__gt=F("held_at"))
            ),
            models.CheckConstraint(
                name="hold_plan_is_for_a_patient",
                condition=~Q(purpose__in=("plan", "own")) | Q(patient__isnull=False),
            ),
            models.CheckConstraint(
                name="hold_own_is_held_by_no_staff",
                condition=Q(purpose="own", held_by=None)
                | ~Q(purpose="own") & Q(held_by__isnull=False),
            ),
            # Who looks at another plan for the same patient lets the first one go.
            models.UniqueConstraint(
                fields=("held_by", "patient"),
                condition=Q(purpose="plan", released_at=None),
                name="hold_one_plan_at_a_time",
            ),
            models.UniqueConstraint(
                fields=("patient",),
                condition=Q(purpose="own", released_at=None),
                name="hold_one_own_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=("expires_at",), condition=Q(released_at=None), name="hold_to_release"
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @property
    def holder(self) -> str:
        """Who keeps it, in words."""
        return self.held_by.name if self.held_by is not None else gettext("a patient on their page")
