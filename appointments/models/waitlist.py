"""The wait-list: who would come earlier, the gaps that opened, and the offers made of them."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.appointment import Appointment, StatusChange
from appointments.models.hold import Hold
from appointments.models.series import TreatmentSeries
from clinic.models import ProtocolVersion, Resource, Site, Staff
from clinic.models.protocol import WithoutDocuments
from clinic.wall_time import MINUTES_A_DAY
from patients.models import Patient


class EntryEnd(models.TextChoices):
    BOOKED = "booked", _("Booked")
    WITHDRAWN = "withdrawn", _("Taken off the list")
    OVERTAKEN = "overtaken", _("No longer needed")


class WaitlistEntryQuerySet(WithoutDocuments["WaitlistEntry"]):
    def seen_by(self, staff: Staff) -> WaitlistEntryQuerySet:
        """The entries of the sites at which `staff` holds a role."""
        return self.filter(site__site_roles__staff=staff).distinct()

    def waiting(self) -> WaitlistEntryQuerySet:
        return self.filter(closed_at=None)


class WaitlistEntry(models.Model):
    """One patient who waits at one site for a place.

    With `appointment`, for an earlier time of that visit than `asked_start`, the one it had when
    they asked; with `series` alone, for its next session, which is not booked yet; without both,
    for a first visit by `protocol_version`.
    Weekdays (0 is Monday), minutes of the wall clock [earliest, latest] of the start, local days
    and `provider` are conditions; a null or empty one is none.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="waitlist")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="waitlist")
    protocol_version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="waitlist"
    )
    areas = ArrayField(models.SlugField(), help_text="Area ids of the protocol.")
    series = models.ForeignKey(
        TreatmentSeries, on_delete=models.PROTECT, null=True, blank=True, related_name="waitlist"
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="waitlist"
    )
    asked_start = models.DateTimeField(null=True, blank=True)
    provider = models.ForeignKey(
        Resource, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    earliest = models.PositiveSmallIntegerField(default=0)
    latest = models.PositiveSmallIntegerField(default=MINUTES_A_DAY)
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    notice_minutes = models.PositiveIntegerField(
        default=120, help_text="How long before a start the patient must know of it."
    )
    priority = models.PositiveSmallIntegerField(default=0, help_text="Higher comes first.")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_as = models.CharField(max_length=9, choices=EntryEnd.choices, blank=True)

    objects = WaitlistEntryQuerySet.as_manager()

    class Meta:
        ordering = ("-priority", "created_at", "id")
        verbose_name_plural = "wait-list entries"
        constraints = [
            models.CheckConstraint(
                name="waitlist_visit_is_of_a_series",
                condition=Q(appointment=None) | Q(series__isnull=False),
            ),
            models.CheckConstraint(
                name="waitlist_earlier_than_a_start",
                condition=Q(appointment=None, asked_start=None)
                | Q(appointment__isnull=False, asked_start__isnull=False),
            ),
            models.CheckConstraint(
                name="waitlist_times_in_order",
                condition=Q(latest__gte=F("earliest"), latest__lte=MINUTES_A_DAY),
            ),
            models.CheckConstraint(
                name="waitlist_days_in_order",
                condition=Q(first_day=None) | Q(last_day=None) | Q(last_day__gte=F("first_day")),
            ),
            models.CheckConstraint(
                name="waitlist_closed_whole",
                condition=Q(closed_at=None, closed_as="")
                | Q(closed_at__isnull=False) & ~Q(closed_as=""),
            ),
            models.UniqueConstraint(
                fields=("appointment",),
                condition=Q(closed_at=None, appointment__isnull=False),
                name="waitlist_visit_once",
            ),
            models.UniqueConstraint(
                fields=("patient", "site", "protocol_version"),
                condition=Q(closed_at=None, appointment=None),
                name="waitlist_treatment_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=("site", "protocol_version"),
                condition=Q(closed_at=None),
                name="waitlist_waiting",
            ),
            # In order of rank, so that the first who suit are found without the thousands after.
            models.Index(
                fields=("site", "-priority", "created_at", "id"),
                condition=Q(closed_at=None),
                name="waitlist_rank",
            ),
        ]

    def __str__(self) -> str:
        return f"wait-list entry {self.pk}"


class GapEnd(models.TextChoices):
    FILLED = "filled", _("Filled")
    DISMISSED = "dismissed", _("Dismissed")


class GapQuerySet(models.QuerySet["Gap"]):
    def seen_by(self, staff: Staff) -> GapQuerySet:
        """The gaps of the sites at which `staff` holds a role."""
        return self.filter(site__site_roles__staff=staff).distinct()

    def open(self) -> GapQuerySet:
        """Neither filled nor dismissed, nor taken back with the act that opened it."""
        return self.filter(closed_at=None, opened_by__undone_by=None)


class Gap(models.Model):
    """A place that a cancellation or a move gave back: the body of a visit [starts_at, ends_at),
    UTC, and who and what it had. A gap that was booked over by the way is not worth offering;
    whoever offers it asks first what is still free."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="gaps")
    opened_by = models.OneToOneField(StatusChange, on_delete=models.PROTECT, related_name="gap")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    provider = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="+")
    room = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Resource, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_as = models.CharField(max_length=9, choices=GapEnd.choices, blank=True)

    objects = GapQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "id")
        constraints = [
            models.CheckConstraint(name="gap_in_order", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="gap_closed_whole",
                condition=Q(closed_at=None, closed_as="")
                | Q(closed_at__isnull=False) & ~Q(closed_as=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=("site", "starts_at"), condition=Q(closed_at=None), name="gap_open"
            ),
        ]

    def __str__(self) -> str:
        return f"gap {self.pk}"


class OfferEnd(models.TextChoices):
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Nobody wanted it")
    EXPIRED = "expired", _("Nobody took it in time")
    WITHDRAWN = "withdrawn", _("Taken back")


class OfferQuerySet(models.QuerySet["Offer"]):
    def seen_by(self, staff: Staff) -> OfferQuerySet:
        """The offers of the sites at which `staff` holds a role."""
        return self.filter(gap__site__site_roles__staff=staff).distinct()

    def open_at(self, now: datetime) -> OfferQuerySet:
        """Those that somebody may still accept at `now`."""
        return self.filter(closed_at=None, expires_at__gt=now)


class Offer(models.Model):
    """A gap offered to one or several on the wait-list, with its places held until `expires_at`.
    The first who accepts has it; it stays at one."""

    gap = models.ForeignKey(Gap, on_delete=models.PROTECT, related_name="offers")
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="offer")
    made_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_as = models.CharField(max_length=9, choices=OfferEnd.choices, blank=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="offer_expires_later", condition=Q(expires_at__gt=F("made_at"))
            ),
            models.CheckConstraint(
                name="offer_closed_whole",
                condition=Q(closed_at=None, closed_as="")
                | Q(closed_at__isnull=False) & ~Q(closed_as=""),
            ),
            models.UniqueConstraint(
                fields=("gap",), condition=Q(closed_at=None), name="offer_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"offer {self.pk}"


class Answer(models.TextChoices):
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    GONE = "gone", _("Somebody else was first")
    EXPIRED = "expired", _("Not answered in time")
    WITHDRAWN = "withdrawn", _("The offer was taken back")


class InvitationQuerySet(WithoutDocuments["Invitation"]):
    def seen_by(self, staff: Staff) -> InvitationQuerySet:
        """The invitations of the sites at which `staff` holds a role."""
        return self.filter(entry__site__site_roles__staff=staff).distinct()

    def open_at(self, now: datetime) -> InvitationQuerySet:
        """Those that may still be answered at `now`."""
        return self.filter(answer="", offer__closed_at=None, offer__expires_at__gt=now)


class Invitation(models.Model):
    """One entry that an offer was made to, with the place that it would have."""

    offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, related_name="invitations", db_index=False
    )
    entry = models.ForeignKey(WaitlistEntry, on_delete=models.PROTECT, related_name="invitations")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    provider = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="+")
    room = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Resource, on_delete=models.PROTECT, null=True, related_name="+")
    reasons = models.JSONField(default=list, help_text="Sentences: why it was ranked so.")
    answer = models.CharField(max_length=9, choices=Answer.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    # The visit that the winner got.
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("offer", "id")
        constraints = [
            models.UniqueConstraint(fields=("offer", "entry"), name="invitation_once"),
            # One winner, whatever the number of hands that press at once.
            models.UniqueConstraint(
                fields=("offer",), condition=Q(answer="accepted"), name="invitation_one_winner"
            ),
            models.CheckConstraint(
                name="invitation_answered_whole",
                condition=Q(answer="", answered_at=None)
                | ~Q(answer="") & Q(answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="invitation_in_order", condition=Q(ends_at__gt=F("starts_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"
