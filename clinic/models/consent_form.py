"""What patients sign, word for word: editions of each consent form, in every language."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.staff import Staff


class ConsentPurpose(models.TextChoices):
    TREATMENT = "treatment", _("Treatment")
    PHOTOS_RECORD = "photos_record", _("Photos for the record")
    PHOTOS_EDUCATION = "photos_education", _("Photos for teaching")
    PHOTOS_MARKETING = "photos_marketing", _("Photos for advertising")


class FormState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    RETIRED = "retired", _("Retired")


class ConsentForm(models.Model):
    """One numbered edition of what patients agree to: the treatment of one protocol, or one use
    of photos. Every use has a form of its own, so that each can be agreed to, and withdrawn, apart.

    A draft changes with every save. What was published never changes again (a trigger of the
    database holds that), for signatures point to it; it is only retired. A draft that is thrown
    away is retired without having been published, so that it does not come back with the product.
    Bodies are read by `consent_forms.wording`; `digest_en` and `digest_es` are those of the words
    in one language, `digest` of the whole. `asks_anew`: who signed an earlier edition signs again.
    """

    purpose = models.CharField(max_length=16, choices=ConsentPurpose.choices)
    protocol = models.SlugField(blank=True, help_text="The protocol's id; empty for photos.")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=FormState.choices, default=FormState.DRAFT)
    title_en = models.CharField(max_length=120)
    body_en = models.TextField()
    title_es = models.CharField(max_length=120)
    body_es = models.TextField()
    valid_for = models.CharField(
        max_length=12,
        blank=True,
        help_text="How long a signature counts, such as P12M; empty is until it is withdrawn.",
    )
    asks_anew = models.BooleanField(default=True)
    digest_en = models.CharField(max_length=64)
    digest_es = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    from_library = models.CharField(
        max_length=64, blank=True, help_text="The digest of the product's edition it began as."
    )
    created_at = models.DateTimeField()
    saved_at = models.DateTimeField(help_text="The last change of the draft.")
    saved_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("purpose", "protocol", "-number")
        constraints = [
            models.UniqueConstraint(
                fields=("purpose", "protocol", "number"), name="consent_form_number_once"
            ),
            models.UniqueConstraint(
                fields=("purpose", "protocol"),
                condition=Q(state="published"),
                name="consent_form_one_published",
            ),
            models.UniqueConstraint(
                fields=("purpose", "protocol"),
                condition=Q(state="draft"),
                name="consent_form_one_draft",
            ),
            models.CheckConstraint(
                name="consent_form_of_a_protocol",
                condition=Q(purpose="treatment") & ~Q(protocol="")
                | Q(purpose__in=[each for each in ConsentPurpose.values if each != "treatment"])
                & Q(protocol=""),
            ),
            models.CheckConstraint(
                name="consent_form_state_whole",
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
                | Q(state="retired", retired_at__isnull=False, retired_by__isnull=False)
                & (
                    Q(published_at=None, published_by=None)
                    | Q(published_at__isnull=False, published_by__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.number}"

    @property
    def key(self) -> str:
        """What the form is called in addresses: the protocol's id, or the use of photos."""
        return self.protocol or self.purpose

    def title(self, language: str) -> str:
        return self.title_es if language == "es" else self.title_en

    def body(self, language: str) -> str:
        return self.body_es if language == "es" else self.body_en

    def digest_in(self, language: str) -> str:
        return self.digest_es if language == "es" else self.digest_en
