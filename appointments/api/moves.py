"""What is asked of moves of several visits, and how a new plan of a series is shown, in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from appointments.api.shapes import (
    BoundsSerializer,
    OverlapField,
    ProblemSerializer,
    ReasonField,
    VisitWishSerializer,
    wish,
)
from appointments.models import Appointment
from appointments.visits.moving import VisitMove
from clinic.api_fields import MOST_ID, Body, PlaceSerializer, Seen, Start, VersionSerializer

MOST_MOVES = 24
OVERRIDE = "Lets a breach pass, for those who may."


# --- What is asked --------------------------------------------------------------------------------


class MoveToSerializer(Body):
    """A resource that is left out is kept if it is free then, else another one is taken."""

    starts_at = Start()
    provider = serializers.IntegerField(min_value=1, max_value=MOST_ID, required=False)
    room = serializers.IntegerField(min_value=1, max_value=MOST_ID, required=False)
    device = serializers.IntegerField(min_value=1, max_value=MOST_ID, required=False)


class MoveSerializer(MoveToSerializer, VersionSerializer):
    ripple = serializers.BooleanField(
        default=False, help_text="Let later visits of the series follow where they must."
    )
    reason = ReasonField(default="")
    override_reason = ReasonField(
        default="", help_text=f"{OVERRIDE} Not asked when the series follows."
    )
    overlap = OverlapField()


class LengthSerializer(VersionSerializer):
    minutes = serializers.IntegerField(help_text="From its start on; full five minutes.")
    reason = ReasonField(default="")
    override_reason = ReasonField(default="", help_text=OVERRIDE)
    overlap = OverlapField()


class VisitMoveSerializer(VisitWishSerializer, VersionSerializer):
    """A visit as it was seen, and its new place."""

    appointment = Seen(Appointment.objects.seen_by, help_text="The id of a visit.")


class MoveTogetherSerializer(Body):
    moves = serializers.ListField(child=VisitMoveSerializer(), min_length=1, max_length=MOST_MOVES)
    reason = ReasonField(default="")
    override_reason = ReasonField(default="", help_text=OVERRIDE)
    overlap = OverlapField()


class SwapSerializer(VersionSerializer):
    other = Seen(Appointment.objects.seen_by, help_text="The id of the visit to swap with.")
    other_version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    reason = ReasonField(default="")
    override_reason = ReasonField(default="", help_text=OVERRIDE)


class UndoSerializer(VersionSerializer):
    together = serializers.BooleanField(
        default=False,
        help_text="Of a move: also the visits of the series that followed it, all or nothing.",
    )


class UndoneSerializer(VersionSerializer):
    """A visit as it was seen."""

    appointment = Seen(Appointment.objects.seen_by, help_text="The id of a visit.")


class UndoTogetherSerializer(Body):
    visits = serializers.ListField(child=UndoneSerializer(), min_length=1, max_length=MOST_MOVES)


def moves_of(asked: Sequence[dict[str, Any]]) -> list[VisitMove]:
    """Raises WallTimeMissing and WallTimeRepeats."""
    return [
        VisitMove(each["appointment"], wish(each, each["appointment"].site.zone), each["version"])
        for each in asked
    ]


# --- What is shown --------------------------------------------------------------------------------


class ReplanLineSerializer(serializers.Serializer[Any]):
    """One visit: where it is and where it would be."""

    session = serializers.IntegerField()
    appointment = serializers.IntegerField(source="appointment.pk")
    version = serializers.IntegerField(source="appointment.version")
    before = PlaceSerializer()
    after = PlaceSerializer()
    is_changed = serializers.BooleanField(help_text="False for one that stays.")
    interval_days = serializers.IntegerField(
        allow_null=True, help_text="Local days since the session before."
    )
    bounds = BoundsSerializer()
    reasons = serializers.ListField(child=serializers.CharField())


class ReplanSerializer(serializers.Serializer[Any]):
    """Either the visits from the moved one on, or the problem that leaves no way."""

    lines = ReplanLineSerializer(many=True)
    problem = ProblemSerializer(allow_null=True)


# --- Examples -------------------------------------------------------------------------------------

_PLACE = {"provider": 4, "room": 9, "device": 12}
MOVED = [
    OpenApiExample(
        "To a wall time of the site",
        {"version": 1, "starts_at": {"wall": "2027-04-02T10:00"}, "reason": "Patient asked"},
        request_only=True,
    ),
    OpenApiExample(
        "With the visits after it, where they must follow",
        {"version": 1, "starts_at": {"wall": "2027-04-15T10:00"}, "ripple": True},
        request_only=True,
    ),
    OpenApiExample(
        "To an instant, against the interval",
        {
            "version": 1,
            "starts_at": "2027-03-20T14:00:00Z",
            "override_reason": "Leaves the country",
        },
        request_only=True,
    ),
]
RESIZED = [
    OpenApiExample(
        "A quarter of an hour more",
        {"version": 1, "minutes": 75, "reason": "Scar tissue"},
        request_only=True,
    )
]
UNDONE = [
    OpenApiExample("The last act", {"version": 2}, request_only=True),
    OpenApiExample(
        "A move, and the visits that followed it",
        {"version": 2, "together": True},
        request_only=True,
    ),
]
UNDONE_TOGETHER = [
    OpenApiExample(
        "Two visits",
        {"visits": [{"appointment": 21, "version": 2}, {"appointment": 22, "version": 2}]},
        request_only=True,
    )
]
MOVED_TOGETHER = [
    OpenApiExample(
        "Two visits of a series",
        {
            "moves": [
                {
                    "appointment": 21,
                    "version": 1,
                    "starts_at": {"wall": "2027-04-15T10:00"},
                    **_PLACE,
                },
                {
                    "appointment": 22,
                    "version": 1,
                    "starts_at": {"wall": "2027-05-13T10:00"},
                    **_PLACE,
                },
            ],
            "reason": "Holiday",
        },
        request_only=True,
    )
]
SWAPPED = [
    OpenApiExample(
        "Both patients asked",
        {"version": 1, "other": 35, "other_version": 2, "reason": "Both asked"},
        request_only=True,
    )
]
_HELD = {
    "provider": {"id": 4, "name": "Sam Okafor"},
    "room": {"id": 9, "name": "Room 1"},
    "device": {"id": 12, "name": "Needle 1"},
}
REPLANNED = OpenApiExample(
    "The third session must follow the second",
    {
        "lines": [
            {
                "session": 3,
                "appointment": 22,
                "version": 1,
                "before": {
                    "starts_at": "2027-04-29T14:00:00Z",
                    "ends_at": "2027-04-29T15:30:00Z",
                    **_HELD,
                },
                "after": {
                    "starts_at": "2027-05-13T14:00:00Z",
                    "ends_at": "2027-05-13T15:30:00Z",
                    **_HELD,
                },
                "is_changed": True,
                "interval_days": 28,
                "bounds": {
                    "earliest": "2027-05-06",
                    "ideal": "2027-05-13",
                    "latest": "2027-05-27",
                },
                "reasons": ["On the ideal date."],
            }
        ],
        "problem": None,
    },
    response_only=True,
)
