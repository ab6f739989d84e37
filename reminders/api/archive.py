"""The archive: messages of journeys that ended long ago, without their words. To be read only."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from clinic.api_fields import Instant, Retold
from clinic.api_views import DayFilter, IdFilter, Rows
from reminders.api.messages import AttemptSerializer, ReceiptSerializer
from reminders.models import ArchivedMessage


class ArchivedSerializer(serializers.ModelSerializer[ArchivedMessage]):
    series = serializers.IntegerField(source="journey.series_id")
    due_at = Instant()
    accepted_at = Instant(allow_null=True)
    archived_at = Instant(source="journey.at", help_text="When its journey left the ledger.")

    class Meta:
        model = ArchivedMessage
        fields: tuple[str, ...] = (
            *("id", "patient", "site", "series", "kind", "channel", "state", "reason"),
            *("due_at", "accepted_at", "archived_at"),
        )


class ArchivedDetailSerializer(ArchivedSerializer):
    message = serializers.IntegerField(
        source="whole.message.id", help_text="The id that it had in the ledger."
    )
    why = serializers.ListField(child=Retold(), help_text="Why it existed, waited or was not sent.")
    attempts = AttemptSerializer(many=True, source="whole.attempts")
    receipts = ReceiptSerializer(many=True, source="whole.receipts")
    body_digest = serializers.SerializerMethodField(
        help_text="The fingerprint (SHA-256) of the words; empty when none were sent."
    )

    class Meta(ArchivedSerializer.Meta):
        fields = (
            *ArchivedSerializer.Meta.fields,
            *("message", "why", "attempts", "receipts", "body_digest"),
        )

    def get_body_digest(self, row: ArchivedMessage) -> str:
        content = row.whole["content"]
        return content["body_digest"] if content else ""


class ArchiveFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = IdFilter(field_name="patient", label="The id of a patient.")
    site = IdFilter(field_name="site", label="The id of a site.")
    series = IdFilter(field_name="journey__series", label="The id of a series.")
    date = DayFilter(field_name="due_at", label="A local date of the site on which it was due.")

    class Meta:
        model = ArchivedMessage
        fields: tuple[str, ...] = ("patient", "site", "series", "date")


@extend_schema_view(
    list=extend_schema(summary="List archived messages by patient, site, series and date."),
    retrieve=extend_schema(summary="Read an archived message: why, attempts and reports."),
)
class Archive(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "messages"
    queryset = ArchivedMessage.objects.none()
    filterset_class = ArchiveFilter

    def patient_of(self, row: ArchivedMessage) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[ArchivedMessage]:
        return ArchivedMessage.objects.seen_by(self.staff).select_related("journey", "site")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return ArchivedSerializer if self.action == "list" else ArchivedDetailSerializer
