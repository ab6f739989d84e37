"""The treatment record: the log of one visit, a draft until it is signed and never changed then."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.lifecycle import State
from appointments.models.appointment import Appointment
from clinic.models import Modality, ProtocolVersion, Site, Staff
from clinic.models.protocol import WithoutDocuments
from patients.models import Patient


class SessionOutcome(models.TextChoices):
    COMPLETED = "completed", _("Completed")
    PARTIAL = "partial", _("Partial")
    ABORTED = "aborted", _("Aborted")


NOT_WHOLE = (SessionOutcome.PARTIAL, SessionOutcome.ABORTED)


class Cartridge(models.Model):
    """A cartridge, tip or transducer that wears out: how long it lasts is counted over visits.

    `code` is its own number, or its lot when it has none. `life` is in `unit` (lines or pulses).
    """

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="cartridges", db_index=False
    )
    modality = models.ForeignKey(Modality, on_delete=models.PROTECT, related_name="cartridges")
    code = models.CharField(max_length=120)
    lot = models.CharField(max_length=120, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    life = models.PositiveIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=10, blank=True)

    class Meta:
        ordering = ("code",)
        constraints = [
            models.UniqueConstraint(fields=("site", "modality", "code"), name="cartridge_once"),
            models.CheckConstraint(name="cartridge_named", condition=~Q(code="")),
        ]

    def __str__(self) -> str:
        return self.code


class RecordQuerySet(WithoutDocuments["TreatmentRecord"]):
    def seen_by(self, staff: Staff) -> RecordQuerySet:
        """The records of the patients whom `staff` may see."""
        return self.filter(appointment__series__patient__in=Patient.objects.seen_by(staff))

    def signed(self) -> RecordQuerySet:
        return self.filter(signed_at__isnull=False)

    def undecided(self) -> RecordQuerySet:
        """Of sessions that were done in part or not at all, and of which nobody has decided
        whether they count."""
        return self.filter(
            outcome__in=NOT_WHOLE, appointment__credit=None, appointment__state=State.DONE
        )


class TreatmentRecord(models.Model):
    """What was done in one visit, by the fields of its protocol version.

    `document` is the JSON of `charting.log.Log`; `outcome`, `treated` (area ids), `cartridge` and
    `used` (lines or pulses) repeat what it says. `version` rises with every saved draft;
    `drafted_by` writes it, and nobody else until they take it over. Once signed, `statement` is
    the text that was signed and `digest` its SHA-256; a trigger of the database keeps the whole
    row as it is then, and corrections stand beside it as addenda.
    """

    appointment = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="record")
    protocol_version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="records"
    )
    document = models.JSONField(default=dict)
    outcome = models.CharField(max_length=9, choices=SessionOutcome.choices, blank=True)
    treated = ArrayField(models.SlugField(), default=list, blank=True)
    cartridge = models.ForeignKey(
        Cartridge, on_delete=models.PROTECT, null=True, related_name="records", db_index=False
    )
    used = models.PositiveIntegerField(null=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    drafted_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    statement = models.TextField(blank=True)
    digest = models.CharField(max_length=64, blank=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        ordering = ("-appointment__starts_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="record_signed_whole",
                condition=Q(signed_at=None, signed_by=None, statement="", digest="")
                | Q(signed_at__isnull=False, signed_by__isnull=False)
                & ~Q(statement="")
                & ~Q(outcome=""),
            ),
            models.CheckConstraint(
                name="record_outcome_known", condition=Q(outcome__in=("", *SessionOutcome.values))
            ),
        ]
        indexes = [
            models.Index(fields=("cartridge",), name="record_cartridge"),
            models.Index(
                fields=("drafted_by",), condition=Q(signed_at=None), name="record_unsigned"
            ),
        ]

    def __str__(self) -> str:
        return f"record {self.pk}"

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None


class Addendum(models.Model):
    """A correction of a signed record: why, what, and by path the values as they ought to be.

    Append-only in the database; its `statement` names the digest of what it stands upon, the
    record's or that of the addendum before, so that none can be taken out of the row.
    """

    record = models.ForeignKey(
        TreatmentRecord, on_delete=models.PROTECT, related_name="addenda", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    corrections = models.JSONField(default=dict, help_text="Path → value.")
    used_change = models.IntegerField(default=0, help_text="Lines or pulses more or fewer.")
    statement = models.TextField()
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ("record", "number")
        verbose_name_plural = "addenda"
        constraints = [
            models.UniqueConstraint(fields=("record", "number"), name="addendum_once"),
            models.CheckConstraint(
                name="addendum_says_why_and_what",
                condition=~Q(reason="") & (~Q(text="") | ~Q(corrections={})),
            ),
        ]

    def __str__(self) -> str:
        return f"addendum {self.number} of record {self.record_id}"


class SessionCredit(models.Model):
    """The decision whether a session that was done in part, or not at all, counts. Append-only."""

    appointment = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="credit")
    counts = models.BooleanField()
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="credit_has_a_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"credit of appointment {self.appointment_id}"
