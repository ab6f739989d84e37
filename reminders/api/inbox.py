"""The inbox: what patients wrote back, to take, to answer, to hand on, to snooze and to close."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api_fields import Body, Instant, NamedSerializer, NotSeen, Retold, Seen
from clinic.api_views import IdFilter, Rows
from patients.models import Patient
from reminders.inbound import conversing, passing_on, snoozing
from reminders.models import Conversation, ConversationState, InboundMessage
from reminders.models.conversation import ConversationQuerySet


class InboundSerializer(serializers.ModelSerializer[InboundMessage]):
    received_at = Instant()
    labels = serializers.ListField(child=serializers.CharField(), help_text="What was read in it.")
    did = serializers.ListField(child=Retold(), help_text="What was done at once.")

    class Meta:
        model = InboundMessage
        fields: tuple[str, ...] = ("id", "received_at", "text", "labels", "question", "did")


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    owner = NamedSerializer(allow_null=True)
    opened_at = Instant()
    last_at = Instant()
    page_at = Instant(allow_null=True, help_text="When on call is paged next.")
    snoozed_until = Instant(allow_null=True, help_text="Until when it is out of sight.")
    closed_at = Instant(allow_null=True)

    class Meta:
        model = Conversation
        fields: tuple[str, ...] = (
            *("id", "site", "channel", "address", "patient", "state", "has_symptom", "owner"),
            *("opened_at", "last_at", "page_at", "pages", "snoozed_until"),
            *("closed_at", "closed_by"),
        )


class ConversationDetailSerializer(ConversationSerializer):
    replies = InboundSerializer(many=True)

    class Meta(ConversationSerializer.Meta):
        fields = (*ConversationSerializer.Meta.fields, "replies")


class TakeConversationSerializer(Body):
    over = serializers.BooleanField(default=False, help_text="Also from somebody who has it.")


class ReplySerializer(Body):
    text = serializers.CharField(max_length=4000)
    reference = serializers.UUIDField(
        default=uuid4, help_text="Your own; what is sent twice with it is said once."
    )


class AssignSerializer(Body):
    staff = serializers.IntegerField(help_text="The id of a colleague who may answer it.")


class SnoozeSerializer(Body):
    until = Instant(help_text="When it comes back: a moment to come.")


class WhoseSerializer(Body):
    patient = Seen(Patient.objects.seen_by)


class ConversationFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    site = IdFilter(field_name="site", label="The id of a site.")
    patient = IdFilter(field_name="patient", label="The id of a patient.")
    owner = IdFilter(field_name="owner", label="The id of a staff member.")
    state = filters.MultipleChoiceFilter(choices=ConversationState.choices)
    snoozed = filters.BooleanFilter(
        method="by_sight", label="Only those that are out of sight, or only the others."
    )

    class Meta:
        model = Conversation
        fields: tuple[str, ...] = ("site", "patient", "owner", "state")

    def by_sight(
        self, rows: ConversationQuerySet, name: str, is_snoozed: bool
    ) -> ConversationQuerySet:
        now = timezone.now()
        return rows.snoozed(now) if is_snoozed else rows.in_sight(now)


@extend_schema_view(
    list=extend_schema(summary="List conversations by site, patient, owner and state."),
    retrieve=extend_schema(summary="Read a conversation with the replies in it."),
)
class Inbox(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "inbox"
    queryset = Conversation.objects.none()
    filterset_class = ConversationFilter

    def patient_of(self, row: Conversation) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[Conversation]:
        rows = conversing.of(self.staff).select_related("owner", "site")
        return rows if self.action == "list" else rows.prefetch_related("replies")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return ConversationSerializer if self.action == "list" else ConversationDetailSerializer

    @extend_schema(request=TakeConversationSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def take(self, request: Request, pk: int) -> Response:
        """Become the owner of a conversation, which ends the paging."""
        conversing.take(
            conversation=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(TakeConversationSerializer),
        )
        return self._fresh()

    @extend_schema(
        request=ReplySerializer,
        examples=[
            OpenApiExample(
                "An answer",
                value={
                    "text": "Thank you. A nurse calls you within the hour.",
                    "reference": "5c8e0a52-8f0e-4a39-9f5b-3a0d5b6f1c11",
                },
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def reply(self, request: Request, pk: int) -> Response:
        """Write back at once, in the clinic's name."""
        conversing.reply(
            conversation=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(ReplySerializer),
        )
        return self._fresh()

    @extend_schema(
        request=WhoseSerializer,
        examples=[OpenApiExample("Whose it is", value={"patient": 12}, request_only=True)],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def match(self, request: Request, pk: int) -> Response:
        """Say which patient a conversation belongs to."""
        conversing.match(
            conversation=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(WhoseSerializer),
        )
        return self._fresh()

    @extend_schema(request=AssignSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def assign(self, request: Request, pk: int) -> Response:
        """Give a conversation to a colleague; one that is urgent is only taken."""
        shown, asked = self.get_object(), self.body(AssignSerializer)
        to = passing_on.colleagues(shown).filter(pk=asked["staff"]).first()
        if to is None:
            raise NotSeen("staff", asked["staff"])
        passing_on.assign(conversation=shown, to=to, by=self.staff, now=timezone.now())
        return self._fresh()

    @extend_schema(
        request=SnoozeSerializer,
        examples=[
            OpenApiExample(
                "Until Monday", value={"until": "2027-03-15T13:00:00Z"}, request_only=True
            )
        ],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def snooze(self, request: Request, pk: int) -> Response:
        """Keep a conversation out of sight until a time, or until they write again."""
        snoozing.snooze(
            conversation=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(SnoozeSerializer),
        )
        return self._fresh()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def wake(self, request: Request, pk: int) -> Response:
        """Bring a conversation back that is out of sight."""
        snoozing.wake(conversation=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def close(self, request: Request, pk: int) -> Response:
        """Close a conversation and let go out what it held back."""
        conversing.close(conversation=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def reopen(self, request: Request, pk: int) -> Response:
        """Take back that a conversation was closed; it is the caller's from then on."""
        conversing.reopen(conversation=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    def _fresh(self) -> Response:
        return Response(ConversationDetailSerializer(self.get_object()).data)
