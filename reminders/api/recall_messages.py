"""Writing to patients who are due back: who would get what, doing it, and taking it back."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.api.recall import DueSerializer, RecallAttemptSerializer
from clinic import access
from clinic.access import Capability
from clinic.api_fields import MOST_ID, Body, Seen
from clinic.api_views import Rows
from reminders import recall_writing
from reminders.api.series_shapes import PreviewSerializer


class _Id(serializers.IntegerField):
    def __init__(self) -> None:
        super().__init__(min_value=1, max_value=MOST_ID)


class WriteSerializer(Body):
    site = Seen(access.sites_of, help_text="The id of a site of yours.")
    series = serializers.ListField(
        child=_Id(),
        min_length=1,
        max_length=recall_writing.MOST,
        help_text="The ids of series that are due; others are left out.",
    )


class ForeseenSerializer(serializers.Serializer[Any]):
    due = DueSerializer()
    is_sent = serializers.BooleanField()
    message = PreviewSerializer(allow_null=True, help_text="Null when none would be planned.")


class AttemptsSerializer(Body):
    attempts = serializers.ListField(
        child=_Id(), min_length=1, max_length=recall_writing.MOST, help_text="Ids of attempts."
    )


class TakenBackSerializer(serializers.Serializer[Any]):
    taken_back = RecallAttemptSerializer(many=True)
    told = serializers.IntegerField(help_text="How many had the message already; they stay asked.")


_DUE = OpenApiExample("Two who are due", {"site": 1, "series": [21, 35]}, request_only=True)


class RecallMessages(Rows):
    tag = "recall"
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        request=WriteSerializer,
        responses={201: RecallAttemptSerializer(many=True)},
        examples=[_DUE],
    )
    def create(self, request: Request) -> Response:
        """Write to those of the series that are due and would get something."""
        asked = self.body(WriteSerializer)
        made = recall_writing.write(by=self.staff, now=timezone.now(), **asked)
        self.named(attempt.series.patient_id for attempt in made)
        return Response(RecallAttemptSerializer(made, many=True).data, status=201)

    @extend_schema(
        request=WriteSerializer, responses=ForeseenSerializer(many=True), examples=[_DUE]
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Show who would get what on which channel, and who nothing and why."""
        asked = self.body(WriteSerializer)
        access.require(self.staff, Capability.MANAGE_MESSAGES, asked["site"])
        found = recall_writing.foresee(by=self.staff, now=timezone.now(), **asked)
        self.named(each.due.series.patient_id for each in found)
        return Response(ForeseenSerializer(found, many=True).data)

    @extend_schema(request=AttemptsSerializer, responses=TakenBackSerializer)
    @action(detail=False, methods=["post"], url_path="take-back")
    def take_back(self, request: Request) -> Response:
        """Let them not have been written to, as far as they were not told yet."""
        rows, told = recall_writing.take_back(
            by=self.staff, now=timezone.now(), **self.body(AttemptsSerializer)
        )
        return Response(TakenBackSerializer({"taken_back": rows, "told": told}).data)
