"""A provider's account: how fast it may be called, by all processes together."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from reminders.catalogue import Channel


class ProviderAccount(models.Model):
    """One provider of one channel. What is empty is without limit; the rest is kept by dispatch.

    The columns are those of `ledger.pacing.Pace`.
    """

    channel = models.CharField(max_length=5, choices=[(c.value, c.value) for c in Channel])
    provider = models.CharField(max_length=10)
    rate = models.FloatField(null=True, blank=True, help_text="Calls a second.")
    burst = models.PositiveIntegerField(default=1, help_text="Calls at once after a quiet time.")
    most_at_once = models.PositiveIntegerField(null=True, blank=True, help_text="Calls under way.")
    answers_keywords = models.BooleanField(
        default=False,
        db_default=False,
        help_text="It answers STOP, START and HELP itself, so we do not answer them as well.",
    )
    blocked_until = models.DateTimeField(null=True, blank=True)
    tokens = models.FloatField(default=0, editable=False)
    filled_at = models.DateTimeField(editable=False)
    calls = models.PositiveIntegerField(default=0, editable=False)
    unknown = models.PositiveIntegerField(default=0, editable=False)
    lost = models.PositiveIntegerField(default=0, editable=False)
    pauses = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("channel", "provider")
        constraints = [
            models.UniqueConstraint(fields=("channel", "provider"), name="provider_account_once"),
            models.CheckConstraint(
                name="provider_account_limits_let_something_through",
                condition=(Q(rate=None) | Q(rate__gt=0))
                & Q(burst__gte=1)
                & (Q(most_at_once=None) | Q(most_at_once__gte=1)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} by {self.provider}"


class CallsUnderWay(models.Model):
    """How many calls one process may have under way at an account, until its lease runs out."""

    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    process = models.UUIDField()
    calls = models.PositiveIntegerField()
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("account", "process"), name="calls_under_way_once"),
        ]

    def __str__(self) -> str:
        return f"{self.calls} calls at account {self.account_id}"
