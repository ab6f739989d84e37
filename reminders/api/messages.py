"""Messages: what was and will be sent, why, and what staff may do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.api.shapes import ReasonField
from clinic.api_fields import Body, Instant, Retold
from clinic.api_views import DayFilter, IdFilter, Rows
from patients.api import ConsentSerializer
from reminders.catalogue import TRAY_OF, Channel, Kind, MessageState
from reminders.ledger import retrying, showing_consent, skipping
from reminders.ledger.other_channel import NOWHERE, elsewhere
from reminders.models import Attempt, Message, Receipt, SentContent
from reminders.sending import retiming, switching


class MessageSerializer(serializers.ModelSerializer[Message]):
    steps = serializers.ListField(child=serializers.CharField())
    due_at = Instant()
    expires_at = Instant()
    accepted_at = Instant(allow_null=True)
    delivered_at = Instant(allow_null=True)
    closed_at = Instant(allow_null=True)

    class Meta:
        model = Message
        fields: tuple[str, ...] = (
            *("id", "patient", "site", "series", "session", "kind", "steps", "channel", "purpose"),
            *("due_at", "expires_at", "state", "reason", "error_code"),
            *("accepted_at", "delivered_at", "closed_at"),
        )


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    started_at = Instant()
    ended_at = Instant(allow_null=True)

    class Meta:
        model = Attempt
        fields: tuple[str, ...] = ("number", "started_at", "ended_at", "outcome", "code")


class ReceiptSerializer(serializers.ModelSerializer[Receipt]):
    received_at = Instant()

    class Meta:
        model = Receipt
        fields: tuple[str, ...] = ("provider", "status", "code", "applied", "received_at")


class ContentSerializer(serializers.ModelSerializer[SentContent]):
    at = Instant()
    emptied_at = Instant(
        allow_null=True, help_text="When the words were emptied; the digests remain."
    )
    wording = serializers.IntegerField(
        source="wording_id",
        allow_null=True,
        help_text="The version that it was written with; null: the words of the product.",
    )

    class Meta:
        model = SentContent
        fields: tuple[str, ...] = (
            *("address", "subject", "text", "html", "calendar", "segments", "at"),
            *("wording", "wording_digest", "body_digest", "emptied_at"),
        )


class MessageDetailSerializer(MessageSerializer):
    why = serializers.ListField(child=Retold(), help_text="Why it exists.")
    gate_why = serializers.ListField(child=Retold(), help_text="Why it waits or is not sent.")
    attempts = AttemptSerializer(many=True)
    receipts = ReceiptSerializer(many=True)
    content = serializers.SerializerMethodField(help_text="Word for word, once it was sent.")
    consents = serializers.SerializerMethodField(
        help_text="Those under which it was sent, or would be now: wording, when, by whom, how."
    )
    acts = serializers.SerializerMethodField(
        help_text="Those it admits: skip, unskip, retry, put_off, send_now, planned_time, switch,"
        " switch_back."
    )

    class Meta(MessageSerializer.Meta):
        fields = (
            *MessageSerializer.Meta.fields,
            *("why", "gate_why", "attempts", "receipts", "content", "consents", "acts"),
        )

    @extend_schema_field(ContentSerializer(allow_null=True))
    def get_content(self, message: Message) -> Any:
        sent = getattr(message, "content", None)
        return ContentSerializer(sent).data if sent else None

    @extend_schema_field(ConsentSerializer(many=True))
    def get_consents(self, message: Message) -> Any:
        stood = showing_consent.standing_for(message, now=timezone.now())
        return ConsentSerializer(stood, many=True).data

    def get_acts(self, message: Message) -> list[str]:
        now = timezone.now()
        is_switched = switching.is_switched(message)
        there = elsewhere([message]).get(message.pk, NOWHERE)
        can = {
            "skip": skipping.can_skip(message),
            "unskip": skipping.can_unskip(message),
            "retry": retrying.can_retry(message, there, now=now),
            "put_off": retiming.can_retime(message),
            "send_now": retiming.can_retime(message),
            "planned_time": retiming.has_chosen_time(message),
            "switch": switching.is_worth_offering(message, there, now=now) and not is_switched,
            "switch_back": is_switched,
        }
        return [act for act, may in can.items() if may]


class PutOffSerializer(Body):
    until = Instant(help_text="When it leaves: within its hours, and while it is still of use.")


class SendNowSerializer(Body):
    at_any_hour = serializers.BooleanField(
        default=False,
        help_text="Also outside of the hours for care; takes the capability and a reason.",
    )
    reason = ReasonField(default="")


class RetrySerializer(Body):
    may_repeat = serializers.BooleanField(
        default=False, help_text="Also when the patient may have it already."
    )
    reason = ReasonField(default="")


def _all(values: type[Channel | Kind | MessageState]) -> list[tuple[str, str]]:
    return [(each.value, each.value) for each in values]


class MessageFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = IdFilter(field_name="patient", label="The id of a patient.")
    site = IdFilter(field_name="site", label="The id of a site.")
    series = IdFilter(field_name="series", label="The id of a series.")
    state = filters.MultipleChoiceFilter(choices=_all(MessageState), method="in_states")
    kind = filters.MultipleChoiceFilter(choices=_all(Kind))
    channel = filters.ChoiceFilter(choices=_all(Channel))
    date = DayFilter(field_name="due_at", label="A local date of the site on which it is due.")

    class Meta:
        model = Message
        fields: tuple[str, ...] = ("patient", "site", "series", "state", "kind", "channel", "date")

    def in_states(
        self, found: QuerySet[Message], name: str, states: Sequence[str]
    ) -> QuerySet[Message]:
        if not states:
            return found
        trays = {TRAY_OF[MessageState(state)] for state in states}  # as the index has it
        return found.filter(tray__in=trays, state__in=states)


@extend_schema_view(
    list=extend_schema(summary="List messages by patient, site, state, kind, channel and date."),
    retrieve=extend_schema(summary="Read a message with its why, its attempts and its words."),
)
class Messages(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "messages"
    queryset = Message.objects.none()
    filterset_class = MessageFilter

    def patient_of(self, row: Message) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[Message]:
        rows = Message.objects.seen_by(self.staff)
        if self.action == "list":
            return rows
        rows = rows.select_related("site", "content")
        return rows.prefetch_related("attempts", "receipts")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return MessageSerializer if self.action == "list" else MessageDetailSerializer

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def skip(self, request: Request, pk: int) -> Response:
        """Do not send a scheduled message. It shows as skipped once it is planned anew."""
        skipping.skip(message=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def unskip(self, request: Request, pk: int) -> Response:
        """Send after all what staff skipped. It shows as scheduled once it is planned anew."""
        skipping.unskip(message=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    @extend_schema(request=RetrySerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def retry(self, request: Request, pk: int) -> Response:
        """Send a message again that failed, was held back, or whose outcome is unknown."""
        retrying.retry(
            message=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(RetrySerializer),
        )
        return self._fresh()

    @extend_schema(request=PutOffSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, url_path="put-off")
    def put_off(self, request: Request, pk: int) -> Response:
        """Let a planned message leave later. It shows its new time once it is planned anew."""
        retiming.put_off(
            message=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(PutOffSerializer),
        )
        return self._fresh()

    @extend_schema(request=SendNowSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, url_path="send-now")
    def send_now(self, request: Request, pk: int) -> Response:
        """Let a planned message leave now, as far as hours, consent and caps allow it."""
        retiming.send_now(
            message=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(SendNowSerializer),
        )
        return self._fresh()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None, url_path="planned-time")
    def planned_time(self, request: Request, pk: int) -> Response:
        """Take back the time that staff chose: the message has its own again."""
        retiming.at_planned_time(message=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def switch(self, request: Request, pk: int) -> Response:
        """Say by the other channel what is planned, or did not arrive and is still of use. Once it
        is planned anew a planned message is withdrawn; one that did not arrive stays as it is."""
        switching.switch(message=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None, url_path="switch-back")
    def switch_back(self, request: Request, pk: int) -> Response:
        """Say again by its own channel what staff switched to this one."""
        switching.switch_back(message=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    def _fresh(self) -> Response:
        return Response(MessageDetailSerializer(self.get_object()).data)
