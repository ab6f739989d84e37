"""Short phrases that a site puts into the notes of its treatment logs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clinic.models import Site

PHRASE_LENGTH = 200


class Phrase(models.Model):
    """One phrase of one site, without line breaks."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="phrases", db_index=False)
    text = models.CharField(max_length=PHRASE_LENGTH)

    class Meta:
        ordering = ("text", "id")
        constraints = [
            models.UniqueConstraint(fields=("site", "text"), name="phrase_once"),
            models.CheckConstraint(name="phrase_says_something", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return f"phrase {self.pk}"
