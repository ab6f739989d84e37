"""Where a treatment fits: proposals for a whole series, and the free starts of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from appointments import clearance, proposing
from appointments.api.shapes import (
    DayStartsSerializer,
    FirstStartsSerializer,
    FoundStartsSerializer,
    FreeStartsSerializer,
    ProposalSerializer,
    ProposeSerializer,
    preference,
)
from appointments.clearance import Treatment
from appointments.finding.intervals import Spaced
from appointments.models import Hold
from clinic.api_views import Rows

_NONE = OpenApiExample(
    "No plan: what binds, until when, and what would help",
    {
        "plans": [],
        "visits": [],
        "problem": {
            "session": 2,
            "bounds": {"earliest": "2027-03-25", "ideal": "2027-04-01", "latest": "2027-04-15"},
            "binding": "device",
            "sentence": (
                "Session 2 finds no place between Thu 25 Mar and Thu 15 Apr: no device is free"
                " long enough. A device is free from Mon 19 Apr 09:15."
            ),
            "until": "2027-04-19T13:15:00Z",
            "relaxations": [
                {
                    "kind": "interval",
                    "sentence": (
                        "Session 2 can be on Mon 19 Apr, 4 days beyond the longest interval, with"
                        " a reason from somebody who may."
                    ),
                    "day": "2027-04-19",
                },
                {
                    "kind": "waitlist",
                    "sentence": (
                        "Put the patient on the wait-list and offer them what becomes free."
                    ),
                    "day": None,
                },
            ],
        },
        "unmet": "",
    },
    response_only=True,
)


class Availability(Rows):
    tag = "availability"
    pagination_class = None
    filter_backends = ()

    @extend_schema(
        request=ProposeSerializer,
        responses=ProposalSerializer,
        examples=[
            _NONE,
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
            ),
        ],
    )
    @action(detail=False, methods=["post"])
    def propose(self, request: Request) -> Response:
        """Propose up to five ranked plans for a series, from its intervals and real free time.

        Nothing is held by a proposal; what you hold for the patient counts as free. Dates that a
        screening answer bars are passed over (`shifted` says why); what may not be booked on any
        day is refused."""
        asked = self.body(ProposeSerializer)
        suits = preference(asked)
        held = Hold.objects.plan_of(self.staff, asked["patient"])
        now = timezone.now()
        found = proposing.propose_series(
            now=now, preference=suits, holding=held, kept_free=_kept_free(asked, now), **asked
        )
        return Response(ProposalSerializer(found).data)

    @extend_schema(request=FreeStartsSerializer, responses=DayStartsSerializer)
    @action(detail=False, methods=["post"], url_path="free-starts")
    def free_starts(self, request: Request) -> Response:
        """List the free starts of one local day for a treatment."""
        asked = self.body(FreeStartsSerializer)
        held = Hold.objects.plan_of(self.staff, asked["patient"])
        now = timezone.now()
        found = proposing.free_starts(
            now=now, holding=held, kept_free=_kept_free(asked, now), **asked
        )
        return Response(DayStartsSerializer(found).data)

    @extend_schema(
        request=FirstStartsSerializer,
        responses=FoundStartsSerializer,
        examples=[
            OpenApiExample(
                "The first five of one provider",
                {
                    "patient": 1,
                    "site": 1,
                    "protocol": 7,
                    "areas": ["face"],
                    "provider": 4,
                    "limit": 5,
                },
                request_only=True,
            )
        ],
    )
    @action(detail=False, methods=["post"], url_path="first-starts")
    def first_starts(self, request: Request) -> Response:
        """List the first free starts for a treatment, within 90 days, or say why there is none."""
        asked = self.body(FirstStartsSerializer)
        held = Hold.objects.plan_of(self.staff, asked["patient"])
        now = timezone.now()
        found = proposing.search_starts(
            now=now, holding=held, kept_free=_kept_free(asked, now), **asked
        )
        return Response(FoundStartsSerializer(found).data)


def _kept_free(asked: Mapping[str, Any], now: datetime) -> Sequence[Spaced]:
    treatment = Treatment(asked["patient"], asked["site"], asked["version"], asked["areas"])
    return clearance.kept_free(treatment, now=now)
