"""A message of a patient's journey, from the wish to send it to what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, Value, When

from appointments.models import TreatmentSeries
from clinic.models import Site, Staff
from patients.models import Patient
from reminders.catalogue import TRAY_OF, Channel, Kind, MessageState, Purpose, Tray
from reminders.planning.facts import Item


class MessageQuerySet(models.QuerySet["Message"]):
    def seen_by(self, staff: Staff) -> MessageQuerySet:
        """The messages of the patients whom `staff` may see, and those to no patient of the sites
        that they work at."""
        if not staff.is_active:
            return self.none()
        return self.filter(
            Q(patient__in=Patient.objects.seen_by(staff))
            | Q(patient=None, site__in=Site.objects.filter(site_roles__staff=staff))
        )


class Message(models.Model):
    """One text or e-mail, wanted by the plan under a stable, unique key.

    `due_at` is the promise (UTC), `expires_at` the moment after which it is never sent,
    `wake_at` the next moment at which it is to be taken up: due, or a retry. It is empty when it
    is not, also while the message waits for its visit to be done. The mark leaves it and everything
    else that is indexed as it was, so that PostgreSQL writes the row anew on its own page and into
    no index; `tray` is there for that: the indexes know it in place of the state.
    `why` holds the sentences of the plan, `gate_why` those of the gate; neither carries a body.
    It goes to `to_address` where that is filled: the number that wrote to us, a member of staff;
    else to the patient's own address at the time. Without a patient nothing of it is planned.
    `chosen_at` stays when the message is withdrawn, so that planning can say what became of it.
    """

    key = models.CharField(max_length=80)
    reference = models.UUIDField(unique=True, help_text="Our id at the provider.")
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, related_name="messages", db_index=False
    )
    to_address = models.CharField(max_length=254, blank=True, help_text="If not the patient's.")
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    series = models.ForeignKey(
        TreatmentSeries, on_delete=models.PROTECT, null=True, related_name="messages"
    )
    session = models.PositiveSmallIntegerField(null=True, help_text="Of the series, if of one.")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    channel = models.CharField(max_length=5, choices=[(c.value, c.value) for c in Channel])
    purpose = models.CharField(max_length=9, choices=[(p.value, p.value) for p in Purpose])
    priority = models.PositiveSmallIntegerField(help_text="0 goes first and at any hour.")
    needs = models.JSONField(default=list, help_text="Further consents, such as photos.")
    steps = models.JSONField(default=list, help_text="Protocol step ids it carries.")
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    wake_at = models.DateTimeField(null=True)
    waits_for = models.CharField(max_length=12, blank=True, help_text="visit_done, series_done")
    state = models.CharField(
        max_length=11,
        choices=[(state.value, state.value) for state in MessageState],
        default=MessageState.SCHEDULED,
    )
    tray = models.GeneratedField(
        expression=Case(
            *(When(state=state.value, then=Value(tray.value)) for state, tray in TRAY_OF.items())
        ),
        output_field=models.CharField(max_length=9),
        db_persist=True,
    )
    reason = models.CharField(max_length=40, blank=True)
    why = models.JSONField(default=list)
    gate_why = models.JSONField(default=list)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    claim_token = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True, help_text="The end of the last mark's lease.")
    chosen_at = models.DateTimeField(null=True, help_text="The due time that a person gave it.")
    # No index: nobody asks for the messages of one of the staff, and the table is written often.
    chosen_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    at_any_hour = models.BooleanField(
        default=False,
        db_default=False,
        help_text="A person lets it leave outside of the hours for care.",
    )
    provider = models.CharField(max_length=10, blank=True)
    provider_id = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=20, blank=True)
    accepted_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(
        null=True, help_text="When it was withdrawn, skipped or given up."
    )
    created_at = models.DateTimeField()

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ("due_at", "id")
        constraints = [
            models.UniqueConstraint(fields=("key",), name="message_once"),
            models.CheckConstraint(
                name="message_has_recipient",
                condition=Q(patient__isnull=False) | ~Q(to_address=""),
            ),
            models.CheckConstraint(
                name="message_expires_later", condition=Q(expires_at__gt=F("due_at"))
            ),
            models.CheckConstraint(
                name="message_state_known",
                condition=Q(state__in=[state.value for state in MessageState]),
            ),
            models.CheckConstraint(
                name="message_channel_known",
                condition=Q(channel__in=[channel.value for channel in Channel]),
            ),
            models.CheckConstraint(
                name="message_kind_known",
                condition=Q(kind__in=[kind.value for kind in Kind]),
            ),
            models.CheckConstraint(
                name="message_purpose_known",
                condition=Q(purpose__in=[purpose.value for purpose in Purpose]),
            ),
            models.CheckConstraint(
                name="message_time_chosen_by_somebody",
                condition=Q(chosen_at__isnull=False, chosen_by__isnull=False)
                | Q(chosen_at=None, chosen_by=None, at_any_hour=False),
            ),
            models.CheckConstraint(
                name="message_at_any_hour_is_care",
                condition=Q(at_any_hour=False) | Q(purpose=Purpose.CARE.value),
            ),
            models.CheckConstraint(
                name="message_claim_has_lease",
                condition=~Q(state="submitting")
                | Q(claim_token__isnull=False, wake_at__isnull=False),
            ),
            models.CheckConstraint(
                name="message_unsent_has_reason",
                condition=~Q(state__in=("skipped", "withdrawn", "failed")) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="message_accepted_when_sent",
                condition=~Q(state__in=("accepted", "sent", "delivered"))
                | Q(accepted_at__isnull=False),
            ),
        ]
        indexes = [
            # A lane each (`ledger.claiming.LANES`): a message stands in one of them only.
            models.Index(
                fields=("wake_at", "channel"),
                condition=Q(wake_at__isnull=False, priority=0),
                name="message_wake_at_once",
            ),
            models.Index(
                fields=("wake_at", "channel"),
                condition=Q(wake_at__isnull=False, priority__range=(1, 2)),
                name="message_wake_soon",
            ),
            models.Index(
                fields=("wake_at", "channel"),
                condition=Q(wake_at__isnull=False, priority__gte=3),
                name="message_wake_later",
            ),
            models.Index(
                fields=("priority", "id"),
                condition=Q(tray=Tray.UNKNOWN.value),
                name="message_unknown",
            ),
            models.Index(fields=("patient", "due_at"), name="message_patient"),
            models.Index(
                fields=("patient",), condition=Q(chosen_at__isnull=False), name="message_chosen"
            ),
            models.Index(fields=("site", "tray", "due_at"), name="message_list"),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"


class MessageItem(models.Model):
    """One thing a message says: a step about one version of one visit, on one channel.

    While `live`, it is said by one message only (unique in the database); an item of a
    withdrawn message is free to be said by another. `starts_at` is the visit's start at that
    version, so that the ledger knows which start the patient was last told.
    """

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="items")
    anchor = models.CharField(max_length=30, help_text="visit:ID or series:ID.")
    schedule_version = models.PositiveIntegerField()
    step = models.CharField(max_length=60, help_text="Protocol step id or message kind.")
    channel = models.CharField(max_length=5)
    starts_at = models.DateTimeField(null=True)
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("anchor", "schedule_version", "step", "channel"),
                condition=Q(live=True),
                name="message_item_said_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} of {self.anchor} v{self.schedule_version} by {self.channel}"

    @property
    def as_item(self) -> Item:
        """What it says, as planning knows it."""
        return Item(self.anchor, self.schedule_version, self.step, Channel(self.channel))
