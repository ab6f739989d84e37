"""The appointment ("visit" on screens) and the history of everything done to it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from appointments.finding.ticks import TICK
from appointments.lifecycle import Move, State
from appointments.models.series import TreatmentSeries
from clinic.models import ProtocolVersion, Site, Staff
from clinic.models.protocol import WithoutDocuments
from patients.models import Patient


def _choices(values: type[State | Move]) -> list[tuple[str, str]]:
    return [(value.value, value.value.replace("_", " ").capitalize()) for value in values]


class AppointmentQuerySet(WithoutDocuments["Appointment"]):
    def seen_by(self, staff: Staff) -> AppointmentQuerySet:
        """The visits of the patients whom `staff` may see."""
        return self.filter(series__patient__in=Patient.objects.seen_by(staff))

    def standing(self) -> AppointmentQuerySet:
        """Visits that were not cancelled."""
        return self.exclude(state=State.CANCELLED)


class Appointment(models.Model):
    """One visit of a series.

    `starts_at`..`ends_at` (UTC, half-open) is the patient's time in the chair, numbing
    included; the set-up and clean-up around it are in the allocations. `schedule_version`
    rises when the visit is moved, cancelled or restored: what was said about one version is not
    said about another, and calendars take the higher one for the newer.
    `version` rises with every change and guards against stale forms. `protocol_version` is the
    one that this visit goes by: a series may change its own for the visits still to come.
    """

    series = models.ForeignKey(
        TreatmentSeries, on_delete=models.PROTECT, related_name="appointments", db_index=False
    )
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="appointments", db_index=False
    )
    protocol_version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="appointments"
    )
    session = models.PositiveSmallIntegerField(help_text="Number within the series, from 1.")
    state = models.CharField(max_length=12, choices=_choices(State), default=State.BOOKED)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    schedule_version = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    booked_at = models.DateTimeField()
    scheduled_at = models.DateTimeField(
        help_text="When the visit was given its present time: booked, moved or restored."
    )
    done_at = models.DateTimeField(null=True, blank=True, help_text="When treatment ended.")
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was cancelled or marked as no-show."
    )
    cancelled_by_patient = models.BooleanField(default=False)
    is_locked = models.BooleanField(default=False, help_text="Keeps its time; never moved.")
    imported_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was brought over from a former system."
    )
    imported_start = models.DateTimeField(
        null=True, blank=True, help_text="The start it had there, of which the patient was told."
    )
    override_reason = models.CharField(
        max_length=200, blank=True, help_text="Why a rule was breached."
    )
    overrides = ArrayField(
        models.CharField(max_length=30),
        default=list,
        blank=True,
        help_text="Codes of the refusals that the reason let pass.",
    )

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("series", "session"),
                condition=~Q(state="cancelled"),
                name="appointment_session_once",
            ),
            models.CheckConstraint(
                name="appointment_in_order", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="appointment_overrides_have_a_reason",
                condition=Q(overrides__len=0, override_reason="")
                | Q(overrides__len__gt=0) & ~Q(override_reason=""),
            ),
            models.CheckConstraint(
                name="appointment_import_whole",
                condition=Q(imported_at=None, imported_start=None)
                | Q(imported_at__isnull=False, imported_start__isnull=False),
            ),
            models.CheckConstraint(
                name="appointment_state_known",
                condition=Q(state__in=[state.value for state in State]),
            ),
            models.CheckConstraint(
                name="appointment_done_when_done",
                condition=Q(state="done", done_at__isnull=False)
                | ~Q(state="done") & Q(done_at=None),
            ),
            models.CheckConstraint(
                name="appointment_closed_when_closed",
                condition=Q(state__in=("cancelled", "no_show"), closed_at__isnull=False)
                | ~Q(state__in=("cancelled", "no_show")) & Q(closed_at=None),
            ),
        ]
        indexes = [
            models.Index(fields=("site", "starts_at"), name="appointment_day"),
            models.Index(fields=("series", "starts_at"), name="appointment_series"),
        ]

    def __str__(self) -> str:
        return f"appointment {self.pk}"

    @property
    def is_history(self) -> bool:
        """Whether it was over when it was brought over; nothing is ever said of it."""
        over_at = self.done_at or self.closed_at
        if self.imported_at is None or over_at is None:
            return False
        # Every act here makes another version of it.
        return over_at < self.imported_at or self.version == 1

    @property
    def body(self) -> int:
        """Its length in ticks. It is the protocol's until staff give it another one."""
        return (self.ends_at - self.starts_at) // TICK

    def resources_held(self) -> dict[str, int]:
        """The ids of the resources that the visit holds now, by kind."""
        held = self.allocations.filter(active=True)
        return dict(held.values_list("resource__kind", "resource_id"))


class StatusChange(models.Model):
    """One act on a visit: who did what, when and why. Append-only in the database."""

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="history")
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    move = models.CharField(max_length=10, choices=_choices(Move))
    state_before = models.CharField(max_length=12, blank=True)
    state_after = models.CharField(max_length=12)
    starts_before = models.DateTimeField(null=True)
    ends_before = models.DateTimeField(null=True)
    starts_after = models.DateTimeField()
    resources_before = models.JSONField(default=list, help_text="Resource ids held before.")
    reason = models.CharField(max_length=200, blank=True)
    override_reason = models.CharField(
        max_length=200, blank=True, help_text="Why this act breached a rule."
    )
    overrides = ArrayField(
        models.CharField(max_length=30),
        default=list,
        blank=True,
        help_text="Codes of the refusals that this act let pass.",
    )
    is_untold = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Of a cancellation: staff chose not to tell the patient.",
    )
    undoes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="undone_by"
    )

    class Meta:
        ordering = ("appointment", "id")
        constraints = [
            models.CheckConstraint(
                name="status_change_undo_names_its_act",
                condition=Q(move="undo", undoes__isnull=False) | ~Q(move="undo") & Q(undoes=None),
            ),
            models.CheckConstraint(
                name="status_change_staff_leave_a_cancellation_untold",
                condition=Q(is_untold=False) | Q(move="cancel", by__isnull=False),
            ),
            models.CheckConstraint(
                name="status_change_knows_the_whole_time",
                condition=Q(starts_before=None, ends_before=None)
                | Q(
                    starts_before__isnull=False,
                    ends_before__isnull=False,
                    ends_before__gt=F("starts_before"),
                ),
            ),
            models.CheckConstraint(
                name="status_change_overrides_have_a_reason",
                condition=Q(overrides__len=0, override_reason="")
                | Q(overrides__len__gt=0) & ~Q(override_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.move} of appointment {self.appointment_id}"

    @property
    def is_patients_word(self) -> bool:
        """Whether `reason` is what the patient wrote; else it may be a sentence of ours."""
        return self.by_id is None and self.move == Move.CANCEL
