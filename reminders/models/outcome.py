"""What became of a message: attempts, receipts and the words sent."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from reminders.models.message import Message
from reminders.models.wording import WordingVersion


class SentContent(models.Model):
    """What was sent, word for word, in a table of its own so that retention can empty it.

    `wording` is the version that it was written with, empty for the words that come with the
    product; `wording_digest` names either. `body_digest` (of `sending/letters.py`) proves what the
    words were. Both stay when the words are gone (`emptied_at`, by the site's `words_kept_days`).
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="content")
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    calendar = models.TextField(blank=True)
    segments = models.PositiveSmallIntegerField(null=True, help_text="Of a text message.")
    tells_opt_out = models.BooleanField(
        default=False, db_default=False, help_text="A text that says how to get no more."
    )
    at = models.DateTimeField()
    wording = models.ForeignKey(
        WordingVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    wording_digest = models.CharField(max_length=64, blank=True)
    body_digest = models.CharField(max_length=64, blank=True)
    emptied_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=("address", "at"), name="content_address"),
            models.Index(fields=("at",), name="content_to_empty", condition=Q(emptied_at=None)),
            models.Index(
                fields=("wording",), name="content_wording", condition=Q(wording__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="content_emptied_whole",
                condition=Q(emptied_at=None)
                | Q(address="", subject="", text="", html="", calendar=""),
            ),
        ]

    def __str__(self) -> str:
        return f"content of message {self.message_id}"


class Attempt(models.Model):
    """One conversation with a provider about one message, and how it ended."""

    # `attempt_once` finds a message's attempts.
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, blank=True, help_text="Empty while under way.")
    code = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ("message", "number")
        constraints = [
            models.UniqueConstraint(fields=("message", "number"), name="attempt_once"),
        ]
        # Rows come in the order of their beginning: the last minutes lie together, and so small an
        # index costs the one who writes nothing.
        indexes = [BrinIndex(fields=("started_at",), pages_per_range=16, name="attempt_recent")]

    def __str__(self) -> str:
        return f"attempt {self.number} of message {self.message_id}"


class WritingDeath(models.Model):
    """How many processes died while they wrote a message."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="+")
    deaths = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.deaths} died of message {self.message_id}"


class Receipt(models.Model):
    """One event that a provider reported; the same event is stored once."""

    provider = models.CharField(max_length=10)
    event_key = models.CharField(max_length=120)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, related_name="receipts"
    )
    status = models.CharField(max_length=20)
    code = models.CharField(max_length=20, blank=True)
    applied = models.BooleanField(help_text="Whether it moved the message's state.")
    is_flagged = models.BooleanField(
        default=False, help_text="Says that what was delivered was not."
    )
    received_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=("provider", "event_key"), name="receipt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.status} for message {self.message_id}"
