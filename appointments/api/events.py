"""Adverse events: to report at once, to complete, to take and to close."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.charting import reporting
from appointments.charting.device_data import device_data, device_sheet
from appointments.models import AdverseEvent, Appointment, EventOutcome, Severity
from clinic import access
from clinic.api_errors import ErrorSerializer
from clinic.api_fields import Body, Instant, NamedSerializer, Seen, VersionSerializer
from clinic.api_views import IdFilter, Rows
from patients.models import Patient


def _areas(**more: Any) -> serializers.ListField:
    child = serializers.SlugField(max_length=50)
    return serializers.ListField(child=child, max_length=30, **more)


class EventSerializer(serializers.ModelSerializer[AdverseEvent]):
    noticed_at = Instant()
    reported_at = Instant()
    reported_by = NamedSerializer()
    taken_at = Instant(allow_null=True)
    taken_by = NamedSerializer(allow_null=True)
    closed_at = Instant(allow_null=True)
    closed_by = NamedSerializer(allow_null=True)
    areas = serializers.ListField(child=serializers.CharField())
    photos = serializers.SerializerMethodField(help_text="The ids of the photos that show it.")

    class Meta:
        model = AdverseEvent
        fields = (
            *("id", "patient", "site", "appointment", "what", "severity", "noticed_at", "areas"),
            *("reported_at", "reported_by", "course", "measures", "taken_at", "taken_by"),
            *("closed_at", "closed_by", "outcome", "conclusion", "version", "photos"),
        )

    def get_photos(self, event: AdverseEvent) -> list[int]:
        return list(event.photos.standing().order_by("pk").values_list("pk", flat=True))


class ReportSerializer(Body):
    patient = Seen(Patient.objects.seen_by)
    site = Seen(access.sites_of)
    appointment = Seen(Appointment.objects.seen_by, required=False)
    what = serializers.CharField(max_length=reporting.WHAT_LENGTH)
    severity = serializers.ChoiceField(choices=Severity.choices)
    noticed_at = Instant()
    areas = _areas(default=list, help_text="Area ids; none when it is not known.")


class CompleteEventSerializer(VersionSerializer):
    severity = serializers.ChoiceField(choices=Severity.choices)
    areas = _areas()
    course = serializers.CharField(allow_blank=True, default="", max_length=reporting.TEXT_LENGTH)
    measures = serializers.CharField(allow_blank=True, default="", max_length=reporting.TEXT_LENGTH)


class CloseEventSerializer(VersionSerializer):
    outcome = serializers.ChoiceField(choices=EventOutcome.choices)
    conclusion = serializers.CharField(max_length=reporting.TEXT_LENGTH)


class EventFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    patient = IdFilter(field_name="patient", label="The id of a patient.")
    open = filters.BooleanFilter(
        field_name="closed_at", lookup_expr="isnull", label="Whether it is not closed."
    )

    class Meta:
        model = AdverseEvent
        fields = ("site", "patient", "open")


_REPORT = OpenApiExample(
    "A blister the day after",
    {
        "patient": 1,
        "site": 1,
        "appointment": 812,
        "what": "Blister on the left cheek",
        "severity": "moderate",
        "noticed_at": "2027-04-02T14:00:00Z",
        "areas": ["face"],
    },
    request_only=True,
)
_CONFLICT = {409: OpenApiResponse(ErrorSerializer, description="It is closed, or moved on.")}


@extend_schema_view(
    list=extend_schema(summary="List the adverse events of your sites."),
    retrieve=extend_schema(summary="Read an adverse event."),
)
class Events(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "adverse-events"
    queryset = AdverseEvent.objects.none()
    serializer_class = EventSerializer
    filterset_class = EventFilter

    def patient_of(self, row: AdverseEvent) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[AdverseEvent]:
        return AdverseEvent.objects.seen_by(self.staff).select_related(
            "patient", "site", "reported_by", "taken_by", "closed_by"
        )

    @extend_schema(request=ReportSerializer, responses={201: EventSerializer}, examples=[_REPORT])
    def create(self, request: Request) -> Response:
        """Report an adverse event: nothing further is booked in its areas until it is closed."""
        made = reporting.report(by=self.staff, now=timezone.now(), **self.body(ReportSerializer))
        return Response(EventSerializer(made).data, status=201)

    @extend_schema(request=None, responses={200: EventSerializer, **_CONFLICT})
    @action(detail=True, methods=["post"], filterset_class=None)
    def take(self, request: Request, pk: int) -> Response:
        """See to an adverse event: on call is paged no more."""
        taken = reporting.take(event=self.get_object(), by=self.staff, now=timezone.now())
        return Response(EventSerializer(taken).data)

    @extend_schema(request=CompleteEventSerializer, responses={200: EventSerializer, **_CONFLICT})
    @action(detail=True, methods=["post"], filterset_class=None)
    def complete(self, request: Request, pk: int) -> Response:
        """Write down what became known of an adverse event since."""
        return self._act(reporting.complete, CompleteEventSerializer)

    @extend_schema(request=CloseEventSerializer, responses={200: EventSerializer, **_CONFLICT})
    @action(detail=True, methods=["post"], filterset_class=None)
    def close(self, request: Request, pk: int) -> Response:
        """Close an adverse event: what was held back goes on."""
        return self._act(reporting.close, CloseEventSerializer)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"], url_path="device-data", filterset_class=None)
    def device_data(self, request: Request, pk: int) -> Response:
        """Read what the device did, for its maker and the authorities."""
        return Response(device_data(self.get_object()))

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], url_path="device-data/sheet", filterset_class=None)
    def device_sheet(self, request: Request, pk: int) -> HttpResponse:
        """Get the same as a PDF."""
        sheet = device_sheet(self.get_object(), now=timezone.now())
        return HttpResponse(sheet, content_type="application/pdf")

    def _act(self, act: Any, form: type[Body]) -> Response:
        event, asked = self.get_object(), self.body(form)
        version = asked.pop("version")
        done = act(
            event=event, by=self.staff, now=timezone.now(), expected_version=version, **asked
        )
        return Response(EventSerializer(done).data)
