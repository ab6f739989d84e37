"""The words of messages as staff wrote them: versions of a kind in a language."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.models import Site, Staff
from patients.models.patient import Language
from reminders.wording.versions import PHRASES, Sources


class WordingState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    RETIRED = "retired", _("Retired")


class WordingQuerySet(models.QuerySet["WordingVersion"]):
    def for_sites(self, sites: Collection[int]) -> WordingQuerySet:
        """What these sites have of their own, and what the whole company has."""
        return self.filter(Q(site__in=sites) | Q(site=None))


class WordingVersion(models.Model):
    """One version of the words of a kind in a language, of one site or (`site` empty) of all.

    A site's own published version goes before the company's, and that before the words that come
    with the product. One version of each is published and one a draft at a time. A draft changes
    with every save; what was published never changes again (a trigger of the database holds that),
    for messages point to it. `digest` is that of `wording.versions`.
    """

    site = models.ForeignKey(
        Site,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="wordings",
        db_index=False,
    )
    kind = models.CharField(max_length=20, help_text="A kind of the catalogue.")
    language = models.CharField(max_length=2, choices=Language.choices)
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=WordingState.choices, default=WordingState.DRAFT)
    sms = models.TextField(blank=True)
    sms_several = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    subject_several = models.TextField(blank=True)
    opening = models.TextField(blank=True)
    opening_several = models.TextField(blank=True)
    closing = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(help_text="The last change of the draft.")
    saved_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = WordingQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "language", "site", "-number")
        constraints = [
            models.UniqueConstraint(
                fields=("site", "kind", "language", "number"),
                nulls_distinct=False,
                name="wording_number_once",
            ),
            models.UniqueConstraint(
                fields=("site", "kind", "language"),
                condition=Q(state="published"),
                nulls_distinct=False,
                name="wording_one_published",
            ),
            models.UniqueConstraint(
                fields=("site", "kind", "language"),
                condition=Q(state="draft"),
                nulls_distinct=False,
                name="wording_one_draft",
            ),
            models.CheckConstraint(
                name="wording_language_known", condition=Q(language__in=Language.values)
            ),
            models.CheckConstraint(
                name="wording_state_whole",
                condition=Q(
                    state="draft",
                    published_at=None,
                    published_by=None,
                    retired_at=None,
                    retired_by=None,
                )
                | Q(
                    state="published",
                    published_at__isnull=False,
                    published_by__isnull=False,
                    retired_at=None,
                    retired_by=None,
                )
                | Q(
                    state="retired",
                    published_at__isnull=False,
                    published_by__isnull=False,
                    retired_at__isnull=False,
                    retired_by__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.language} v{self.number}"

    @property
    def sources(self) -> Sources:
        """The phrases by their names, as `wording.versions` reads them."""
        return {name: getattr(self, name) for name in PHRASES}

    @property
    def label(self) -> str:
        """How people call it, with its site; that must be loaded."""
        if self.site is None:
            return gettext("Version %(number)s of all sites") % {"number": self.number}
        names = {"number": self.number, "site": self.site.name}
        return gettext("Version %(number)s of %(site)s") % names
