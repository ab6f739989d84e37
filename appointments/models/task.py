"""Tasks: work for staff that a protocol or a failed message asks for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.models.appointment import Appointment
from clinic.models import Site, Staff
from patients.models import Patient


class TaskKind(models.TextChoices):
    CALL = "call", _("Call the patient")
    PREPARE = "prepare", _("Prepare")
    CHECK = "check", _("Check")


class TaskQuerySet(models.QuerySet["Task"]):
    def seen_by(self, staff: Staff) -> TaskQuerySet:
        """The tasks of the sites at which `staff` holds a role."""
        return self.filter(site__site_roles__staff=staff).distinct()

    def open(self) -> TaskQuerySet:
        return self.filter(closed_at=None)


class Task(models.Model):
    """One piece of work with a due time, about a patient or about the site as a whole. `key` is
    stable, so planning twice makes one task."""

    key = models.CharField(max_length=120, unique=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="tasks")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="tasks")
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, related_name="tasks"
    )
    kind = models.CharField(max_length=8, choices=TaskKind.choices)
    title = models.TextField(help_text="A sentence of ours, told anew.")
    detail = models.TextField(blank=True, help_text="Sentences of ours, told anew.")
    wish = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="The patient's own words, never told anew.",
    )
    why = models.JSONField(default=list, help_text="Sentences.")
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    owner = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=200, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ("due_at", "id")
        constraints = [
            models.CheckConstraint(
                name="task_closed_with_outcome",
                condition=Q(closed_at=None, outcome="")
                | Q(closed_at__isnull=False) & ~Q(outcome=""),
            ),
        ]
        indexes = [
            models.Index(fields=("site", "due_at"), name="task_open", condition=Q(closed_at=None)),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"
