"""Imports: files of a former system, what each row of them becomes, and what was brought over."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Site, Staff
from patients.models import Patient

# With the facts of its sentences.
SENTENCE_LENGTH = 1500
LONGEST_WHO = 120


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("Columns to be named")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Stopped")
    FAILED = "failed", _("Failed")


class ImportPhase(models.TextChoices):
    READING = "reading", _("Reading the file")
    COMPARING = "comparing", _("Looking for the same people in it")
    PEOPLE = "people", _("Patients and what was done")
    PLACES = "places", _("Visits to come")


class RowOutcome(models.TextChoices):
    CREATE = "create", _("New")
    MATCH = "match", _("Already a patient here")
    UPDATE = "update", _("Changed")
    SKIP = "skip", _("Nothing to do")
    PLACE = "place", _("Needs a place")
    CONFLICT = "conflict", _("To be decided")
    ERROR = "error", _("Error")


WORKING = (ImportState.CHECKING, ImportState.RUNNING)


class ImportQuerySet(models.QuerySet["Import"]):
    def seen_by(self, staff: Staff) -> ImportQuerySet:
        """The imports of the sites at which `staff` holds a role."""
        return self.filter(site__site_roles__staff=staff).distinct()


class Import(models.Model):
    """One file that is brought over to a site.

    `phase` and `cursor` say how far the work has come: each batch moves them in its own
    transaction, so whatever interrupts it goes on from there. `file` is the name in the private
    folder, empty once the file was deleted; its rows go with it.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="imports")
    name = models.CharField(max_length=120, help_text="Of the file, as it was uploaded.")
    file = models.CharField(max_length=80, blank=True)
    size = models.BigIntegerField(help_text="Bytes.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    encoding = models.CharField(max_length=12)
    delimiter = models.CharField(max_length=1)
    first = models.PositiveSmallIntegerField(help_text="The row of the header.")
    columns = models.JSONField(help_text="Column names, in order.")
    signature = models.CharField(max_length=32, help_text="Of the column names.")
    mapping = models.JSONField(default=dict, help_text="Column by field.")
    date_order = models.CharField(
        max_length=3, blank=True, choices=[("dmy", "Day first"), ("mdy", "Month first")]
    )
    state = models.CharField(
        max_length=9, choices=ImportState.choices, default=ImportState.UPLOADED
    )
    phase = models.CharField(max_length=9, choices=ImportPhase.choices, blank=True)
    cursor = models.CharField(max_length=80, blank=True)
    rows = models.PositiveIntegerField(default=0, help_text="Rows read so far.")
    done = models.PositiveIntegerField(default=0, help_text="Of the phase.")
    total = models.PositiveIntegerField(default=0, help_text="Of the phase; 0 is not known yet.")
    counts = models.JSONField(default=dict, help_text="What was written, by kind.")
    problem = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    run_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="import_state_known", condition=Q(state__in=ImportState.values)
            ),
            models.CheckConstraint(
                name="import_works_in_a_phase",
                condition=Q(state__in=WORKING) & ~Q(phase="") | ~Q(state__in=WORKING) & Q(phase=""),
            ),
            models.CheckConstraint(
                name="import_run_by_somebody",
                condition=~Q(state__in=("running", "done")) | Q(run_by__isnull=False),
            ),
            models.CheckConstraint(
                name="import_in_order",
                condition=Q(finished_at=None) | Q(finished_at__gte=F("made_at")),
            ),
        ]
        indexes = [
            models.Index(fields=("id",), name="import_to_be_done", condition=Q(state__in=WORKING)),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @property
    def is_working(self) -> bool:
        return self.state in WORKING

    @property
    def percent(self) -> int:
        """How much of the phase is done."""
        return min(100, 100 * self.done // self.total) if self.total else 0


class ImportRow(models.Model):
    """A row of a file, by its number in a spreadsheet, and what becomes of it.

    Keys say who and what it is about (`importing.rows`). `person` and `visit` are what it says,
    kept as long as the file. `series` and `appointment` are ids.
    """

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    person_key = models.CharField(max_length=32, blank=True)
    visit_key = models.CharField(max_length=32, blank=True)
    series_key = models.CharField(max_length=32, blank=True)
    starts_at = models.DateTimeField(null=True)
    person = models.JSONField(default=dict)
    visit = models.JSONField(default=dict)
    decision = models.CharField(max_length=20, blank=True)
    alike = models.JSONField(default=list, help_text="Rows of others who may be the same person.")
    remark = models.CharField(max_length=300, blank=True, help_text="What was noticed in reading.")
    outcome = models.CharField(max_length=8, choices=RowOutcome.choices, blank=True)
    sentence = models.CharField(max_length=SENTENCE_LENGTH, blank=True)
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, null=True, db_index=False, related_name="+"
    )
    series = models.BigIntegerField(null=True)
    appointment = models.BigIntegerField(null=True)
    session = models.PositiveSmallIntegerField(null=True)
    waits = models.BooleanField(default=False, help_text="For a place, in the last phase.")
    held = models.JSONField(default=dict, help_text="Resources by kind that a check gave it.")

    class Meta:
        ordering = ("source", "number")
        constraints = [
            models.UniqueConstraint(fields=("source", "number"), name="import_row_once"),
            models.CheckConstraint(
                name="import_row_outcome_known", condition=Q(outcome__in=("", *RowOutcome.values))
            ),
        ]
        indexes = [
            models.Index(fields=("source", "person_key"), name="import_row_person"),
            models.Index(
                fields=("patient",),
                name="import_row_patient",
                condition=Q(patient__isnull=False),
            ),
            models.Index(fields=("source", "outcome", "number"), name="import_row_outcome"),
            models.Index(
                fields=("source", "starts_at", "visit_key"),
                name="import_row_to_place",
                condition=Q(waits=True),
            ),
        ]

    def __str__(self) -> str:
        return f"row {self.number} of import {self.source_id}"

    @property
    def who(self) -> str:
        """Of whom it is: by the names in the file, else by those here, else by the number there;
        in `LONGEST_WHO` characters, for a name that cannot be read is as long as its cell."""
        names = [self.person[each] for each in ("given", "family") if self.person.get(each)]
        if not names and self.patient is not None:
            return self.patient.display_name
        said = " ".join(names) or str(self.person.get("outside", ""))
        return said if len(said) <= LONGEST_WHO else f"{said[: LONGEST_WHO - 1]}…"


class ColumnNaming(models.Model):
    """How a site named the columns of files with the same header, for the next one."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+", db_index=False)
    signature = models.CharField(max_length=32)
    mapping = models.JSONField()
    date_order = models.CharField(max_length=3, blank=True)
    named_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("site", "signature"), name="column_naming_once"),
        ]

    def __str__(self) -> str:
        return f"columns {self.signature} of site {self.site_id}"


class BroughtOver(models.Model):
    """A patient, series or visit that a file brought to a site, by the key it has in every file.

    `said` are digests of what the file said last, by name: enough to see what a later file changes
    and whether staff changed it since, and nothing of the values themselves.
    """

    class Kind(models.TextChoices):
        PATIENT = "patient", _("Patient")
        SERIES = "series", _("Series")
        VISIT = "visit", _("Visit")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    key = models.CharField(max_length=32)
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="brought_over", db_index=False
    )
    subject = models.BigIntegerField(
        null=True, help_text="The id of the row it became; null while a visit has no place."
    )
    said = models.JSONField(default=dict)
    source = models.ForeignKey(Import, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("site", "kind", "key"), name="brought_over_once"),
            models.CheckConstraint(
                name="brought_over_has_a_subject",
                condition=Q(kind="visit") | Q(subject__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=("patient",), name="brought_over_patient")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
