"""What a patient signed: append-only, withdrawn once, with the sheet as it was shown."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import ConsentForm, Site, Staff
from patients.models.consent import ConsentSource
from patients.models.patient import Language, Patient


class Signer(models.TextChoices):
    PATIENT = "patient", _("The patient")
    GUARDIAN = "guardian", _("A parent or guardian")


class SigningWay(models.TextChoices):
    TYPED = "typed", _("Typed")
    DRAWN = "drawn", _("Drawn")


class SigningPlace(models.TextChoices):
    CLINIC = "clinic", _("At the clinic")
    LINK = "link", _("By the patient's link")


class SignedForm(models.Model):
    """One edition of a consent form, signed in one language.

    `wording_digest` is that of the words which were on the screen; `facts_digest` that of
    everything the sheet tells (`signing.sheets`), printed on each of its pages; `sheet_digest` that
    of the PDF itself. A row is withdrawn once and otherwise never changed or deleted (a trigger
    of the database holds that); to sign again is another row.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="signed_forms")
    form = models.ForeignKey(ConsentForm, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=2, choices=Language.choices)
    wording_digest = models.CharField(max_length=64)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    signer = models.CharField(max_length=8, choices=Signer.choices)
    signer_name = models.CharField(max_length=120)
    relation = models.CharField(
        max_length=60, blank=True, help_text="What a guardian is to the patient, such as mother."
    )
    way = models.CharField(max_length=5, choices=SigningWay.choices)
    drawing = models.TextField(
        blank=True, help_text="The path of a drawn signature (signing.drawing)."
    )
    place = models.CharField(max_length=6, choices=SigningPlace.choices)
    handed_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", help_text="At the clinic."
    )
    ip = models.GenericIPAddressField(null=True)
    signed_at = models.DateTimeField()
    facts_digest = models.CharField(max_length=64)
    sheet = models.BinaryField(help_text="The PDF.")
    sheet_digest = models.CharField(max_length=64)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_source = models.CharField(max_length=12, choices=ConsentSource.choices, blank=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-signed_at", "-id")
        constraints = [
            models.CheckConstraint(name="signed_form_named", condition=~Q(signer_name="")),
            models.CheckConstraint(
                name="signed_form_guardian_related",
                condition=Q(signer="patient", relation="") | Q(signer="guardian") & ~Q(relation=""),
            ),
            models.CheckConstraint(
                name="signed_form_drawn_when_drawn",
                condition=Q(way="typed", drawing="") | Q(way="drawn") & ~Q(drawing=""),
            ),
            models.CheckConstraint(
                name="signed_form_handed_at_the_clinic",
                condition=Q(place="clinic", handed_by__isnull=False)
                | Q(place="link", handed_by=None),
            ),
            models.CheckConstraint(
                name="signed_form_withdrawn_whole",
                condition=Q(
                    withdrawn_at=None, withdrawn_by=None, withdrawn_source="", withdrawn_reason=""
                )
                | Q(withdrawn_at__isnull=False, withdrawn_at__gte=F("signed_at"))
                & ~Q(withdrawn_source=""),
            ),
        ]

    def __str__(self) -> str:
        return f"signed form {self.pk}"
