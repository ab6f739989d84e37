"""The adverse event: something went wrong with a patient's skin, until a clinician closes it."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.appointment import Appointment
from clinic.models import Site, Staff
from clinic.protocols.areas import overlap
from patients.models import Patient


class Severity(models.TextChoices):
    MILD = "mild", _("Mild")
    MODERATE = "moderate", _("Moderate")
    SEVERE = "severe", _("Severe")


class EventOutcome(models.TextChoices):
    RESOLVED = "resolved", _("Healed without a trace")
    WITH_TRACES = "with_traces", _("Healed with traces")
    REFERRED = "referred", _("Referred to others")
    UNRELATED = "unrelated", _("Not related to the treatment")


class EventQuerySet(models.QuerySet["AdverseEvent"]):
    def seen_by(self, staff: Staff) -> EventQuerySet:
        """The events of the patients whom `staff` may see."""
        return self.filter(patient__in=Patient.objects.seen_by(staff))

    def open(self) -> EventQuerySet:
        return self.filter(closed_at=None)


class AdverseEvent(models.Model):
    """Three things are written at once: `what`, how severe, and when (`noticed_at`) in which
    `areas` (none: it is not known, so it counts for every treatment). The rest comes later.

    While it is open nothing further is booked or started there, and no promotion and no photo
    request is sent; check-ins go on. `page_at` is when on call is paged next, empty once somebody
    has taken it; `version` guards against stale forms.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="adverse_events")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="adverse_events")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, related_name="adverse_events"
    )
    what = models.CharField(max_length=200)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    noticed_at = models.DateTimeField()
    areas = ArrayField(models.SlugField(), default=list, blank=True)
    reported_at = models.DateTimeField()
    reported_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    course = models.TextField(blank=True, help_text="How it went on.")
    measures = models.TextField(blank=True, help_text="What was done about it.")
    taken_at = models.DateTimeField(null=True)
    taken_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    pages = models.PositiveSmallIntegerField(default=0)
    page_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=11, choices=EventOutcome.choices, blank=True)
    conclusion = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("-reported_at", "-id")
        constraints = [
            models.CheckConstraint(name="event_says_what", condition=~Q(what="")),
            models.CheckConstraint(
                name="event_severity_known", condition=Q(severity__in=Severity.values)
            ),
            models.CheckConstraint(
                name="event_noticed_before_it_is_reported",
                condition=Q(noticed_at__lte=F("reported_at")),
            ),
            models.CheckConstraint(
                name="event_closed_whole",
                condition=Q(closed_at=None, closed_by=None, outcome="", conclusion="")
                | Q(
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                    outcome__in=EventOutcome.values,
                )
                & ~Q(conclusion=""),
            ),
            models.CheckConstraint(
                name="event_taken_whole",
                condition=Q(taken_at=None, taken_by=None)
                | Q(taken_at__isnull=False, taken_by__isnull=False),
            ),
            models.CheckConstraint(
                name="event_pages_until_it_is_taken",
                condition=Q(page_at=None) | Q(taken_at=None, closed_at=None),
            ),
        ]
        indexes = [
            models.Index(fields=("patient",), condition=Q(closed_at=None), name="event_open"),
            models.Index(
                fields=("page_at",), condition=Q(page_at__isnull=False), name="event_to_page"
            ),
        ]

    def __str__(self) -> str:
        return f"adverse event {self.pk}"

    def is_about(self, areas: Sequence[str]) -> bool:
        """Whether treating these areas has to wait for it."""
        return not self.areas or overlap(self.areas, areas)
