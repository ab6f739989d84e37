"""Looks at a provider for a message that it did not answer about."""

from __future__ import annotations

from django.db import models

from reminders.models.message import Message


class LookUpAnswer(models.TextChoices):
    """`found`: exactly one, and it is ours. `several`: more than one, so a person decides."""

    FOUND = "found"
    SEVERAL = "several"
    ABSENT = "absent"
    NO_ANSWER = "no_answer"
    CANNOT_SAY = "cannot_say"


class LookUp(models.Model):
    """One look for one attempt, and what the provider said; empty while it is asked."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="look_ups")
    attempt = models.PositiveSmallIntegerField(help_text="The number of the attempt.")
    at = models.DateTimeField()
    answer = models.CharField(max_length=10, choices=LookUpAnswer.choices, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                name="look_up_answer_known",
                condition=models.Q(answer__in=["", *LookUpAnswer.values]),
            ),
        ]

    def __str__(self) -> str:
        return f"look at {self.at} for message {self.message_id}"
