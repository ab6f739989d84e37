"""Where a treatment fits: proposals for a whole series, and the free starts of a day."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from appointments import proposing
from appointments.api.shapes import (
    DayStartsSerializer,
    FreeStartsSerializer,
    ProposalSerializer,
    ProposeSerializer,
    preference,
)
from appointments.models import Hold
from clinic.api_views import Rows


class Availability(Rows):
    tag = "availability"
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        request=ProposeSerializer,
        responses=ProposalSerializer,
        examples=[
            OpenApiExample(
                "Three sessions of RF microneedling, Thursdays before noon",
                {
                    "patient": 1,
                    "site": 1,
                    "protocol": 7,
                    "areas": ["face"],
                    "sessions": 3,
                    "first_from": "2027-03-04",
                    "weekdays": [3],
                    "latest": 720,
                },
                request_only=True,
            )
        ],
    )
    @action(detail=False, methods=["post"])
    def propose(self, request: Request) -> Response:
        """Propose dates for a whole series from its intervals and real free time. Nothing is held
        by a proposal; what you hold for the patient counts as free."""
        asked = self.body(ProposeSerializer)
        suits = preference(asked)
        held = Hold.objects.plan_of(self.staff, asked["patient"])
        found = proposing.propose_series(
            now=timezone.now(), preference=suits, holding=held, **asked
        )
        return Response(ProposalSerializer(found).data)

    @extend_schema(request=FreeStartsSerializer, responses=DayStartsSerializer)
    @action(detail=False, methods=["post"], url_path="free-starts")
    def free_starts(self, request: Request) -> Response:
        """List the free starts of one local day for a treatment."""
        asked = self.body(FreeStartsSerializer)
        held = Hold.objects.plan_of(self.staff, asked["patient"])
        found = proposing.free_starts(now=timezone.now(), holding=held, **asked)
        return Response(DayStartsSerializer(found).data)
