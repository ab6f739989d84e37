"""Recall: who is due back, and what came of asking them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.models import OF_A_CALL, RecallAttempt, TreatmentSeries
from appointments.recalling import asking, listing
from appointments.recalling.windows import Cause
from clinic import access
from clinic.access import Capability
from clinic.api_fields import Body, Day, Instant, NamedSerializer, Seen
from clinic.api_views import Rows


class DueAtSerializer(Body):
    site = Seen(access.sites_of, help_text="The id of a site of yours.")


class WindowSerializer(serializers.Serializer[Any]):
    """Local dates of the site, all included."""

    opens = serializers.DateField()
    ideal = serializers.DateField()
    closes = serializers.DateField()


class DueSerializer(serializers.Serializer[Any]):
    """A series with nothing booked; `session` is due. A touch-up is booked as a new series."""

    series = serializers.IntegerField(source="series.pk")
    patient = serializers.IntegerField(source="series.patient_id")
    cause = serializers.ChoiceField(choices=[(cause.value, cause.value) for cause in Cause])
    window = WindowSerializer(allow_null=True)
    session = serializers.IntegerField()
    last_visit = serializers.IntegerField(source="last.pk", default=None)
    provider = NamedSerializer(allow_null=True)
    attempts = serializers.IntegerField()
    has_open_event = serializers.BooleanField(
        help_text="An adverse event of an area is open: the patient is not invited."
    )


class AskSerializer(Body):
    series = Seen(TreatmentSeries.objects.seen_by, help_text="The id of a series.")
    outcome = serializers.ChoiceField(choices=[(each.value, each.label) for each in OF_A_CALL])
    again_on = Day(required=False, help_text="A local date of the site on which to ask again.")
    note = serializers.CharField(max_length=200, allow_blank=True, default="")


class RecallAttemptSerializer(serializers.ModelSerializer[RecallAttempt]):
    at = Instant()
    taken_back_at = Instant(allow_null=True)

    class Meta:
        model = RecallAttempt
        fields: tuple[str, ...] = (
            *("id", "series", "at", "by", "outcome", "again_on", "note"),
            *("cause", "session", "channel", "taken_back_at"),
        )


class Recall(Rows):
    tag = "recall"
    pagination_class = None
    filter_backends = ()

    @extend_schema(parameters=[DueAtSerializer], responses=DueSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the patients of a site who are due back, most urgent first."""
        asked = DueAtSerializer(data=request.query_params, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        site = asked.validated_data["site"]
        access.require(self.staff, Capability.SEE_PATIENTS, site)
        found = listing.due_at(site, self.staff, now=timezone.now())
        self.named(due.series.patient_id for due in found)
        return Response(DueSerializer(found, many=True).data)

    @extend_schema(request=AskSerializer, responses={201: RecallAttemptSerializer})
    def create(self, request: Request) -> Response:
        """Store what came of asking a patient back."""
        made = asking.ask(by=self.staff, now=timezone.now(), **self.body(AskSerializer))
        return Response(RecallAttemptSerializer(made).data, status=201)
