"""Photos of a patient: what is known of each. The pictures themselves lie outside the database."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.adverse_event import AdverseEvent
from appointments.models.appointment import Appointment
from clinic.models import Site, Staff
from patients.models import Patient


class PhotoSource(models.TextChoices):
    CAMERA = "camera", _("Taken here")
    UPLOAD = "upload", _("Uploaded by staff")
    PATIENT = "patient", _("Sent by the patient")


class PhotoQuerySet(models.QuerySet["Photo"]):
    def seen_by(self, staff: Staff) -> PhotoQuerySet:
        """The photos, not removed, of the patients whom `staff` may see."""
        return self.standing().filter(patient__in=Patient.objects.seen_by(staff))

    def standing(self) -> PhotoQuerySet:
        return self.filter(removed_at=None)

    def to_review(self) -> PhotoQuerySet:
        """Those of which nobody has said yet what they show."""
        return self.standing().filter(area="")


class Photo(models.Model):
    """One photo. `area` and `view` are ids of `photos.standard_views`, empty until somebody has
    said what a patient's own photo shows. `key` names its files (`photos.keeping`) and never
    stands in an address; `digest` is the SHA-256 of what was handed in, so that the same picture
    is kept once. `taken_at` is what the picture said before everything was stripped from it, else
    when it came. A photo is removed softly: the row stays, with who and why. `event` is the adverse
    event that it shows. A trigger of the database keeps everything else as it was, until the time
    of an erased record is over.
    """

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="photos", db_index=False
    )
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, related_name="photos"
    )
    event = models.ForeignKey(
        AdverseEvent, on_delete=models.PROTECT, null=True, related_name="photos"
    )
    area = models.SlugField(blank=True)
    view = models.SlugField(blank=True)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    source = models.CharField(max_length=7, choices=PhotoSource.choices)
    taken_at = models.DateTimeField()
    is_dated = models.BooleanField(help_text="Whether the picture itself told when.")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", help_text="None: the patient."
    )
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    removed_reason = models.CharField(max_length=500, blank=True)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        ordering = ("-taken_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=("patient", "digest"), condition=Q(removed_at=None), name="photo_once"
            ),
            models.CheckConstraint(
                name="photo_shows_a_view",
                condition=Q(area="", view="", source="patient", reviewed_at=None)
                | ~Q(area="") & ~Q(view=""),
            ),
            models.CheckConstraint(
                name="photo_taken_before_it_came", condition=Q(taken_at__lte=F("added_at"))
            ),
            models.CheckConstraint(
                name="photo_sent_by_patient_only",
                condition=Q(source="patient", added_by=None)
                | ~Q(source="patient") & Q(added_by__isnull=False),
            ),
            models.CheckConstraint(
                name="photo_reviewed_whole",
                condition=Q(reviewed_at=None, reviewed_by=None)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="photo_removed_whole",
                condition=Q(removed_at=None, removed_by=None, removed_reason="")
                | Q(removed_at__isnull=False, removed_by__isnull=False) & ~Q(removed_reason=""),
            ),
            models.CheckConstraint(name="photo_has_pixels", condition=Q(width__gt=0, height__gt=0)),
        ]
        indexes = [
            models.Index(fields=("patient", "area", "view", "taken_at"), name="photo_of_view"),
        ]

    def __str__(self) -> str:
        return f"photo {self.pk}"
