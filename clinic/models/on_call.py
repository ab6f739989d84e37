"""Who is on call at a site when, and how they are reached."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from clinic.models.site import Site
from clinic.models.staff import Staff


class OnCallShiftQuerySet(models.QuerySet["OnCallShift"]):
    def standing(self) -> OnCallShiftQuerySet:
        """Those that nobody took out of the rota."""
        return self.filter(removed_at=None)

    def at(self, moment: datetime) -> OnCallShiftQuerySet:
        """Those standing that have begun and not ended at `moment` (UTC)."""
        return self.standing().filter(starts_at__lte=moment, ends_at__gt=moment)


class OnCallShift(models.Model):
    """One stretch, half-open and in UTC, in which a member of staff is on call for a site.

    `phone` (E.164) and `email` are the contact points for this stretch; at least one is filled.
    Several may be on call at once: all of them are paged. What was taken out of the rota stays
    with its time, so that it can be put back.
    """

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="on_call_shifts", db_index=False
    )
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="on_call_shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    phone = models.CharField(max_length=20, blank=True, help_text="E.164, such as +12125550123.")
    email = models.EmailField(blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = OnCallShiftQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "id")
        constraints = [
            models.CheckConstraint(
                name="on_call_shift_in_order", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="on_call_shift_reachable", condition=~Q(phone="") | ~Q(email="")
            ),
            models.CheckConstraint(
                name="on_call_shift_phone",
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
            ),
            models.UniqueConstraint(
                fields=("site", "staff", "starts_at"),
                condition=Q(removed_at=None),
                name="on_call_shift_once",
            ),
        ]
        indexes = [models.Index(fields=("site", "ends_at"), name="on_call_shift_now")]

    def __str__(self) -> str:
        return f"{self.staff_id} on call at {self.site_id}"
