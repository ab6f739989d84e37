"""Holds: places kept for a few minutes while somebody looks at a plan."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.api.shapes import (
    AllocationSerializer,
    TreatmentSerializer,
    VisitWishSerializer,
    among_visits,
    wishes,
)
from appointments.claiming import holding
from appointments.models import Allocation, Hold, HoldPurpose
from appointments.models.series import MOST_SESSIONS
from clinic.api_errors import ErrorSerializer
from clinic.api_fields import Instant, NamedSerializer
from clinic.api_views import IdFilter, Rows
from clinic.models import ResourceKind
from patients.models import Patient


class PlaceHoldSerializer(TreatmentSerializer):
    """The places of a plan; they are kept all together, or none."""

    visits = serializers.ListField(
        child=VisitWishSerializer(), min_length=1, max_length=MOST_SESSIONS
    )


class HoldSerializer(serializers.ModelSerializer[Hold]):
    patient = serializers.IntegerField(
        source="shown_patient",
        allow_null=True,
        help_text="Null for an offer, and for a patient who is not at your sites.",
    )
    held_by = NamedSerializer(allow_null=True, help_text="Null: the patient, on their own page.")
    held_at = Instant()
    expires_at = Instant(help_text="From then on it is in nobody's way.")
    released_at = Instant(allow_null=True)
    allocations = AllocationSerializer(many=True)

    class Meta:
        model = Hold
        fields: tuple[str, ...] = (
            *("id", "site", "purpose", "patient", "held_by", "held_at", "expires_at"),
            *("released_at", "allocations"),
        )


class HoldFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    purpose = filters.ChoiceFilter(choices=HoldPurpose.choices)

    class Meta:
        model = Hold
        fields = ("site", "purpose")


_HELD = OpenApiExample(
    "Somebody else holds it",
    {
        "code": "slot_held",
        "sentence": "Room 1 is held by Ana Reyes until 14:05. Nearest: Thu 4 Mar 11:30.",
        "field": "starts_at",
        "start": "2027-03-04T15:00:00Z",
        "held_until": "2027-03-01T19:05:00Z",
        "nearest": [
            {
                "starts_at": "2027-03-04T16:30:00Z",
                "ends_at": "2027-03-04T18:00:00Z",
                "provider": {"id": 4, "name": "Sam Okafor"},
                "room": {"id": 9, "name": "Room 1"},
                "device": {"id": 12, "name": "Needle 1"},
            }
        ],
    },
)


@extend_schema_view(
    list=extend_schema(summary="List what is held at your sites at this moment."),
    retrieve=extend_schema(summary="Read a hold that still stands."),
)
class Holds(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "holds"
    queryset = Hold.objects.none()
    serializer_class = HoldSerializer
    filterset_class = HoldFilter

    def patient_of(self, row: Hold) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[Hold]:
        rows = Hold.objects.seen_by(self.staff)
        if self.action in ("list", "retrieve"):
            rows = rows.standing(timezone.now())
        seen = Patient.objects.seen_by(self.staff).filter(pk=OuterRef("patient"))
        kept = Allocation.objects.exclude(resource__kind=ResourceKind.PATIENT)
        return (
            rows.annotate(shown_patient=Subquery(seen.values("pk")[:1]))
            .select_related("held_by", "site")
            .prefetch_related(Prefetch("allocations", kept.select_related("resource")))
        )

    @extend_schema(
        request=PlaceHoldSerializer,
        responses={
            201: HoldSerializer,
            409: OpenApiResponse(
                ErrorSerializer, description="The rows have moved on.", examples=[_HELD]
            ),
        },
        examples=[
            OpenApiExample(
                "The first two sessions of a plan",
                {
                    "patient": 1,
                    "site": 1,
                    "protocol": 7,
                    "areas": ["face"],
                    "visits": [
                        {
                            "starts_at": {"wall": "2027-03-04T10:00"},
                            "provider": 4,
                            "room": 9,
                            "device": 12,
                        },
                        {
                            "starts_at": "2027-04-01T14:00:00Z",
                            "provider": 4,
                            "room": 9,
                            "device": 12,
                        },
                    ],
                },
                request_only=True,
            ),
            OpenApiExample(
                "Held for five minutes",
                {
                    "id": 31,
                    "site": 1,
                    "purpose": "plan",
                    "patient": 1,
                    "held_by": {"id": 2, "name": "Ana Reyes"},
                    "held_at": "2027-03-01T19:00:00Z",
                    "expires_at": "2027-03-01T19:05:00Z",
                    "released_at": None,
                    "allocations": [
                        {
                            "resource": 9,
                            "kind": "room",
                            "name": "Room 1",
                            "starts_at": "2027-03-04T14:55:00Z",
                            "ends_at": "2027-03-04T16:50:00Z",
                            "is_deliberate": False,
                        }
                    ],
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        """Keep the places of a plan for some minutes. What you held for that patient is let go,
        and booking lets this go by itself."""
        asked = self.body(PlaceHoldSerializer)
        zone = asked["site"].zone
        visits = wishes(asked.pop("visits"), zone)
        with among_visits():
            made = holding.hold_plan(visits=visits, by=self.staff, now=timezone.now(), **asked)
        return Response(self._shown(made), status=201)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def release(self, request: Request, pk: int) -> Response:
        """Let a hold go before it runs out. Twice is once."""
        hold = self.get_object()
        holding.release(hold=hold, by=self.staff, now=timezone.now())
        return Response(self._shown(hold))

    def _shown(self, hold: Hold) -> Any:
        return HoldSerializer(self.get_queryset().get(pk=hold.pk)).data
