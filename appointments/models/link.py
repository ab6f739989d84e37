"""Patient links: a page for one patient, opened by an unguessable token."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.appointment import Appointment, StatusChange
from appointments.models.waitlist import Invitation
from patients.models import Patient


class PatientLink(models.Model):
    """A link sent to a patient. Only the SHA-256 of its token is stored.

    Bound to a purpose, a visit (or all of the patient's care) and an expiry; revocable.
    """

    class Purpose(models.TextChoices):
        CARE = "care", _("Care page")
        UNSUBSCRIBE = "stop", _("End marketing e-mail")
        OFFER = "offer", _("Answer an offer of an earlier place")
        TOUCH_UP = "touch_up", _("Book a touch-up, or end marketing e-mail")

    token_digest = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="links")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, null=True, related_name="links"
    )
    invitation = models.ForeignKey(
        Invitation, on_delete=models.CASCADE, null=True, related_name="links"
    )
    # What the patient did by it last: from then on the link speaks of how that left the visit.
    acted = models.ForeignKey(StatusChange, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    failed_tries = models.PositiveSmallIntegerField(
        default=0, help_text="Wrong birth dates in a row; the page closes at five."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="link_expires_later", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(
                name="link_offers_an_invitation",
                condition=Q(purpose="offer", invitation__isnull=False)
                | ~Q(purpose="offer") & Q(invitation=None),
            ),
            models.CheckConstraint(
                name="link_touches_up_a_visit",
                condition=~Q(purpose="touch_up") | Q(appointment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"link {self.pk}"
