"""Numbers and addresses that must not be written to, whoever shares them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Staff


class SuppressionReason(models.TextChoices):
    OPTED_OUT = "opted_out", _("The person asked for no more messages here")
    WRONG_NUMBER = "wrong_number", _("The person is not our patient")
    COMPLAINED = "complained", _("Our mail was marked as spam")
    HARD_BOUNCE = "hard_bounce", _("The mail address does not exist")
    NOT_TEXTABLE = "not_textable", _("The number takes no text messages")


class SuppressionSource(models.TextChoices):
    REPLY = "reply", _("by reply")
    LINK = "link", _("by a link")
    ONE_CLICK = "one_click", _("by one click in the mail program")
    STAFF = "staff", _("told to staff")
    PROVIDER = "provider", _("reported by the provider")


class Suppression(models.Model):
    """An address that must not be written to on a channel, whoever shares it.

    It holds until it is lifted: an opt-out by START or, where staff made it, by staff.
    """

    channel = models.CharField(max_length=5)
    address = models.CharField(max_length=254)
    reason = models.CharField(max_length=40, choices=SuppressionReason.choices)
    source = models.CharField(
        max_length=9, choices=SuppressionSource.choices, default=SuppressionSource.PROVIDER
    )
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True, help_text="What staff gave as the reason.")
    code = models.CharField(max_length=20, blank=True)
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("channel", "address"),
                condition=Q(lifted_at=None),
                name="suppression_one_open",
            ),
            models.CheckConstraint(
                name="suppression_reason_known", condition=Q(reason__in=SuppressionReason.values)
            ),
            models.CheckConstraint(
                name="suppression_by_staff_is_explained",
                condition=~Q(source="staff") | Q(by__isnull=False) & ~Q(note=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} on {self.channel}"
