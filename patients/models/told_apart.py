"""Records of which somebody said that they are not of one person."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from clinic.models import Staff
from patients.models.patient import Patient


class ToldApartQuerySet(models.QuerySet["ToldApart"]):
    def standing(self) -> ToldApartQuerySet:
        return self.filter(taken_back_at=None)

    def seen_by(self, staff: Staff) -> ToldApartQuerySet:
        """Those of which `staff` may see both records."""
        seen = Patient.objects.seen_by(staff)
        return self.filter(one__in=seen, other__in=seen)

    def of(self, *patients: Patient) -> ToldApartQuerySet:
        """Those that name all of these records, on whichever side."""
        found = self
        for patient in patients:
            found = found.filter(Q(one=patient) | Q(other=patient))
        return found


class ToldApart(models.Model):
    """`one` and `other` are two persons, however alike; closed when that is taken back, and kept.

    A pair stands once, whichever side a record is on: a merge moves one side and leaves the other.
    """

    one = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    taken_back_at = models.DateTimeField(null=True)
    taken_back_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ToldApartQuerySet.as_manager()

    class Meta:
        ordering = ("at", "id")
        constraints = [
            # One that was taken back may be of two records that became one since.
            models.CheckConstraint(
                name="told_apart_of_two",
                condition=~Q(one=F("other")) | Q(taken_back_at__isnull=False),
            ),
            models.CheckConstraint(
                name="told_apart_taken_back_whole",
                condition=Q(taken_back_at=None, taken_back_by=None)
                | Q(taken_back_at__isnull=False, taken_back_by__isnull=False),
            ),
            models.UniqueConstraint(
                Least("one", "other"),
                Greatest("one", "other"),
                condition=Q(taken_back_at=None),
                name="told_apart_once",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.one_id} is not #{self.other_id}"

    def than(self, patient: Patient) -> Patient:
        """The other one of the two."""
        return self.other if self.one_id == patient.pk else self.one
