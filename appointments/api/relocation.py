"""Visits that cannot stay, with their proposed places, and moving them: the same whether a block
or exceptional hours are the cause."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.absences import relocating
from appointments.api.shapes import ReasonField, RelaxationSerializer, VisitWishSerializer, wish
from appointments.models import Appointment
from appointments.visits.moving import VisitMove
from clinic import deadlines
from clinic.api_fields import Body, PlaceSerializer, Seen
from clinic.api_views import Rows
from clinic.models import Staff

# A request answers before this long, whatever is left.
SECONDS = 5.0


def _visits(staff: Staff) -> Any:
    return Appointment.objects.seen_by(staff).select_related("site", "series__patient")


class ToBeMovedSerializer(VisitWishSerializer):
    """A place for one visit, such as it was proposed."""

    appointment = Seen(_visits)
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class RelocateSerializer(Body):
    moves = serializers.ListField(
        child=ToBeMovedSerializer(),
        required=False,
        max_length=500,
        help_text="Left out: every visit goes where it is proposed to go at this moment.",
    )
    reason = ReasonField(default="")


class LineSerializer(serializers.Serializer[Any]):
    appointment = serializers.IntegerField(source="visit.pk")
    version = serializers.IntegerField(source="visit.version")
    session = serializers.IntegerField(source="visit.session")
    before = PlaceSerializer()
    after = PlaceSerializer()
    starts_elsewhere = serializers.BooleanField(
        help_text="Whether the start changes, so that the patient is told."
    )
    ripples = serializers.BooleanField(help_text="Whether it moves only because another one does.")
    reasons = serializers.ListField(child=serializers.CharField())


class StuckSerializer(serializers.Serializer[Any]):
    binding = serializers.CharField(help_text="What is lacking: provider, room, device, locked …")
    sentence = serializers.CharField()
    relaxations = RelaxationSerializer(many=True)


class AffectedSerializer(serializers.Serializer[Any]):
    """One visit that cannot stay: the lines to be moved together, or the problem."""

    appointment = serializers.IntegerField(source="visit.pk")
    patient = serializers.IntegerField(source="visit.series.patient_id")
    before = PlaceSerializer()
    lines = LineSerializer(many=True)
    problem = StuckSerializer(allow_null=True)


class RefusedSerializer(serializers.Serializer[Any]):
    appointment = serializers.IntegerField()
    sentence = serializers.CharField()


class RelocatedSerializer(serializers.Serializer[Any]):
    """What came of it. Ask again while patients are `left`."""

    moved = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of visits.")
    refused = RefusedSerializer(many=True)
    left = serializers.IntegerField(help_text="Patients for whom the time did not suffice.")


_EXAMPLE = OpenApiExample(
    "One visit to another device, at its time",
    {
        "moves": [
            {
                "appointment": 812,
                "version": 1,
                "starts_at": "2027-03-04T15:00:00Z",
                "provider": 4,
                "room": 9,
                "device": 13,
            }
        ],
        "reason": "Needle 1 is out of order",
    },
    request_only=True,
)
_DONE = OpenApiExample(
    "One visit was moved, one stays work",
    {
        "moved": [812],
        "refused": [
            {
                "appointment": 815,
                "sentence": "This visit is locked, so it keeps its time. Unlock it, then move it.",
            }
        ],
        "left": 0,
    },
    response_only=True,
)


class Relocating(Rows):
    """Adds `affected` and `relocate` to what makes visits move."""

    def affected_visits(self) -> Iterable[Appointment]:
        """The visits that cannot stay and that the reader may see."""
        raise NotImplementedError

    @extend_schema(responses=AffectedSerializer(many=True))
    @action(detail=True, filterset_class=None, pagination_class=None)
    def affected(self, request: Request, pk: int) -> Response:
        """List the visits that cannot stay, the nearest first, each with a place proposed for it.
        Nothing is held by a proposal, and no two share anything."""
        found = relocating.propose(visits=self.affected_visits(), now=timezone.now())
        self.named(each.visit.series.patient_id for each in found)
        return Response(AffectedSerializer(found, many=True).data)

    @extend_schema(
        request=RelocateSerializer, responses=RelocatedSerializer, examples=[_EXAMPLE, _DONE]
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def relocate(self, request: Request, pk: int) -> Response:
        """Move visits that cannot stay, each patient's together or not at all. A place that was
        lost meanwhile is proposed anew. It stops after some seconds and says who is left."""
        proceed, visits = deadlines.within(SECONDS), self.affected_visits()
        asked = self.body(RelocateSerializer)
        moves = None
        if "moves" in asked:
            moves = [
                VisitMove(
                    each["appointment"],
                    wish(each, each["appointment"].site.zone),
                    each["version"],
                )
                for each in asked["moves"]
            ]
        done = relocating.relocate(
            moves=moves,
            visits=visits,
            reason=asked["reason"],
            by=self.staff,
            now=timezone.now(),
            proceed=proceed,
        )
        return Response(
            RelocatedSerializer(
                {
                    "moved": [visit.pk for visit in done.moved],
                    "refused": [
                        {"appointment": visit.pk, "sentence": sentence}
                        for visit, sentence in done.refused
                    ],
                    "left": done.left,
                }
            ).data
        )
