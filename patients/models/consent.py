"""Contact consents: what a patient agreed to, per purpose and channel, provable for ever."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Staff
from patients.models.patient import Patient


class Purpose(models.TextChoices):
    CARE = "care", _("Care messages")
    MARKETING = "marketing", _("Offers and touch-up prompts")
    PHOTOS = "photos", _("Messages that ask for photos")
    PHI_DETAIL = "phi_detail", _("Treatment detail in e-mail")


class ConsentChannel(models.TextChoices):
    SMS = "sms", _("Text message")
    EMAIL = "email", _("E-mail")
    ANY = "any", _("Any")


class ConsentSource(models.TextChoices):
    FRONT_DESK = "front_desk", _("At the front desk")
    PHONE = "phone", _("By phone")
    PATIENT_PAGE = "patient_page", _("On the patient's page")
    REPLY = "reply", _("By reply")
    IMPORT = "import", _("Imported")
    SIGNED_FORM = "signed_form", _("By a signed form")


class ContactConsent(models.Model):
    """Consent to one purpose on one channel, from `opened_at` until it is closed.

    Rows are closed, never edited and never deleted (a trigger of the database holds that);
    a consent given again is a new row. At most one is open per purpose and channel. Purposes
    that are not sent over a channel (photos, phi_detail) use channel `any`.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    channel = models.CharField(max_length=5, choices=ConsentChannel.choices)
    wording = models.CharField(max_length=40, help_text="Version of the wording agreed to.")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    opened_source = models.CharField(max_length=12, choices=ConsentSource.choices)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    closed_source = models.CharField(max_length=12, choices=ConsentSource.choices, blank=True)

    class Meta:
        ordering = ("-opened_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=("patient", "purpose", "channel"),
                condition=Q(closed_at=None),
                name="consent_one_open",
            ),
            models.CheckConstraint(
                name="consent_in_order",
                condition=Q(closed_at=None, closed_by=None, closed_source="")
                # A NULL would make the comparison unknown, and a check passes the unknown.
                | Q(closed_at__isnull=False, closed_at__gte=F("opened_at")) & ~Q(closed_source=""),
            ),
            models.CheckConstraint(
                name="consent_channel_fits",
                condition=Q(purpose__in=("care", "marketing"), channel__in=("sms", "email"))
                | Q(purpose__in=("photos", "phi_detail"), channel="any"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} by {self.channel} of patient {self.patient_id}"
