"""What a message that is said at once brings with it."""

from __future__ import annotations

from django.db import models

from reminders.models.message import Message


class DraftText(models.Model):
    """The language of a message that no plan wanted, and the words that somebody gave for it.

    `text` is empty when the templates have all its words, and when it was removed at `emptied_at`.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="draft")
    language = models.CharField(max_length=2)
    text = models.TextField(blank=True)
    emptied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="draft_emptied_is_empty",
                condition=models.Q(emptied_at=None) | models.Q(text=""),
            ),
        ]
        indexes = [
            models.Index(fields=("message",), name="draft_to_empty", condition=~models.Q(text="")),
        ]

    def __str__(self) -> str:
        return f"draft of message {self.message_id}"
