"""Conversations: what patients write back, who answers, and how far it is."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel
from reminders.models.message import Message


class ConversationState(models.TextChoices):
    UNMATCHED = "unmatched", _("Unmatched")
    NEW = "new", _("New")
    WAITING = "waiting", _("Waiting for the patient")
    ESCALATED = "escalated", _("Escalated")
    CLOSED = "closed", _("Closed")


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def seen_by(self, staff: Staff) -> ConversationQuerySet:
        """Those of the sites at which `staff` holds a role."""
        if not staff.is_active:
            return self.none()
        return self.filter(site__in=Site.objects.filter(site_roles__staff=staff))

    def open(self) -> ConversationQuerySet:
        return self.exclude(state=ConversationState.CLOSED)

    def snoozed(self, now: datetime) -> ConversationQuerySet:
        return self.filter(snoozed_until__gt=now)

    def in_sight(self, now: datetime) -> ConversationQuerySet:
        return self.exclude(snoozed_until__gt=now)


class Conversation(models.Model):
    """What was written between a site and one number or address, until somebody closes it.

    `patient` is empty while the address belongs to nobody we know, or to several. A conversation
    with a symptom holds back automated messages of lesser priority to the patient until it is
    closed. `page_at` is the next moment at which whoever is on call is paged: empty when nobody is
    to be, because nothing is urgent or somebody has taken it. Until `snoozed_until` it is out of
    sight, or until the patient writes again; never one with a symptom.
    """

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="conversations", db_index=False
    )
    channel = models.CharField(max_length=5, choices=[(c.value, c.value) for c in Channel])
    address = models.CharField(max_length=254)
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, related_name="conversations"
    )
    state = models.CharField(max_length=9, choices=ConversationState.choices)
    has_symptom = models.BooleanField(default=False)
    owner = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="conversations"
    )
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="When either side last wrote.")
    page_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    pages = models.PositiveSmallIntegerField(default=0, help_text="How often on-call was paged.")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ("-last_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=("site", "channel", "address"),
                condition=~Q(state="closed"),
                name="conversation_one_open",
            ),
            models.CheckConstraint(
                name="conversation_state_known",
                condition=Q(state__in=ConversationState.values),
            ),
            models.CheckConstraint(
                name="conversation_closed_has_time",
                condition=Q(state="closed", closed_at__isnull=False)
                | ~Q(state="closed") & Q(closed_at=None),
            ),
            models.CheckConstraint(
                name="conversation_unmatched_has_no_patient",
                condition=~Q(state="unmatched") | Q(patient=None),
            ),
            models.CheckConstraint(
                name="conversation_paged_while_escalated",
                condition=Q(page_at=None) | Q(state="escalated", owner=None),
            ),
            models.CheckConstraint(
                name="conversation_snoozed_without_symptom",
                condition=Q(snoozed_until=None)
                | Q(has_symptom=False, state__in=("unmatched", "new", "waiting")),
            ),
        ]
        indexes = [
            models.Index(fields=("site", "state", "-last_at"), name="conversation_list"),
            models.Index(
                fields=("page_at",), name="conversation_page", condition=Q(page_at__isnull=False)
            ),
            models.Index(
                fields=("patient",),
                name="conversation_holds",
                condition=Q(has_symptom=True) & ~Q(state="closed"),
            ),
        ]

    def __str__(self) -> str:
        return f"conversation {self.pk}"


class InboundMessage(models.Model):
    """One reply, stored once however often the provider reports it.

    `labels` is what the grammar found, `question` what was open when it came, `answers` the
    message that had asked. Retention empties `text`.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="replies")
    provider = models.CharField(max_length=10)
    provider_id = models.CharField(max_length=120, help_text="The provider's id of the reply.")
    received_at = models.DateTimeField()
    text = models.TextField(blank=True)
    forgotten_at = models.DateTimeField(null=True, help_text="When retention emptied the text.")
    labels = models.JSONField(default=list)
    question = models.CharField(max_length=7, blank=True, help_text="confirm, checkin")
    answers = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, related_name="replies"
    )
    did = models.JSONField(default=list, help_text="Sentences: what was done at once.")

    class Meta:
        ordering = ("received_at", "id")
        constraints = [
            models.UniqueConstraint(fields=("provider", "provider_id"), name="inbound_once"),
            models.CheckConstraint(
                name="inbound_forgotten_is_empty", condition=Q(forgotten_at=None) | Q(text="")
            ),
        ]
        indexes = [
            models.Index(
                fields=("received_at",),
                name="inbound_to_forget",
                condition=Q(forgotten_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"reply {self.pk}"
