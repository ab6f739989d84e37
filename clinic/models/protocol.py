"""Published protocol versions: what a series is pinned to."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.resource import Modality
from clinic.models.staff import Staff

M_co = TypeVar("M_co", bound=models.Model, covariant=True)
_POINTER = "protocol_version"


class WithoutDocuments(models.QuerySet[M_co]):
    """Rows that point to protocol versions: these come along without their long documents.

    `clinic.protocols.loading.get` keeps what a document says by its digest.
    """

    def select_related(self, *fields: Any) -> Self:
        along = super().select_related(*fields)
        steps = [str(field).split("__") for field in fields]
        pointers = {
            "__".join(path[: path.index(_POINTER) + 1]) for path in steps if _POINTER in path
        }
        return along.defer(*(f"{pointer}__document" for pointer in pointers))


class VersionManager(models.Manager["ProtocolVersion"]):
    """Versions, whose documents are read when somebody asks for them."""

    def get_queryset(self) -> models.QuerySet[ProtocolVersion]:
        return super().get_queryset().defer("document")


class ProtocolVersion(models.Model):
    """One immutable version of a care protocol.

    `document` is the canonical form of `clinic.protocols.schema.Protocol`, `digest` its SHA-256.
    Neither ever changes once stored (a trigger of the database holds that); a change is a new
    version. Only an approved version reaches a patient; approval is bound to the digest.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        RETIRED = "retired", _("Retired")

    class Kind(models.TextChoices):
        SERIES = "series", _("Treatment protocol")
        SERVICE = "service", _("Plain service")

    protocol = models.SlugField(
        db_index=False, help_text="The protocol's id, such as rf_microneedling."
    )
    version = models.CharField(max_length=20)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=80)
    modality = models.ForeignKey(Modality, on_delete=models.PROTECT, related_name="protocols")
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", blank=True
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_digest = models.CharField(max_length=64, blank=True)
    is_demo = models.BooleanField(
        default=False,
        help_text="Approved by the demo's clinical lead, for the demo only.",
    )

    objects = VersionManager()

    class Meta:
        ordering = ("name", "-created_at")
        constraints = [
            models.UniqueConstraint(fields=("protocol", "version"), name="protocol_version_once"),
            models.UniqueConstraint(
                fields=("protocol",),
                condition=Q(status="approved"),
                name="protocol_one_approved_version",
            ),
            models.CheckConstraint(
                name="protocol_approval_whole",
                condition=Q(
                    status="draft",
                    approved_at=None,
                    approved_by=None,
                    approved_digest="",
                )
                | Q(
                    status__in=("approved", "retired"),
                    approved_at__isnull=False,
                    approved_by__isnull=False,
                    approved_digest=models.F("digest"),
                )
                | Q(
                    status="retired",
                    approved_at=None,
                    approved_by=None,
                    approved_digest="",
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.protocol} {self.version}"


class ProtocolDraft(models.Model):
    """What somebody is writing of the next version of a protocol, as TOML, right or not. There is
    one of each protocol; `revision` rises with every save, `text_before` is what it replaced."""

    protocol = models.SlugField(unique=True)
    base = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    text_before = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"draft of {self.protocol}"
