"""What is asked of series and what is shown of them, in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from appointments.api.moves import MOST_MOVES, ReplanLineSerializer, VisitMoveSerializer
from appointments.api.shapes import (
    REASON_LENGTH,
    BookableSerializer,
    OverlapField,
    ProblemSerializer,
    ReasonField,
    TellPatientField,
    TreatmentSerializer,
    VisitSerializer,
    VisitWishSerializer,
)
from appointments.models import TreatmentSeries
from appointments.models.series import MOST_SESSIONS
from clinic.api_fields import Body, Instant, Retold, Seen, Start
from clinic.models import ProtocolVersion, Staff
from reminders.catalogue import Channel
from reminders.models import SkipChoice

Skips = frozenset[tuple[int, str, str]]


# --- What is asked --------------------------------------------------------------------------------


def _list(child: Body, **more: Any) -> serializers.ListField:
    return serializers.ListField(child=child, **more)


class SkipBodySerializer(Body):
    """One thing that shall not be said: a step of a session on a channel, as previews name it."""

    session = serializers.IntegerField(
        min_value=0, max_value=MOST_SESSIONS, help_text="0 is the series as a whole."
    )
    step = serializers.CharField(max_length=60)
    channel = serializers.ChoiceField([(each.value, each.value) for each in Channel])


class BookSerializer(TreatmentSerializer):
    visits = _list(VisitWishSerializer(), min_length=1, max_length=MOST_SESSIONS)
    sessions = serializers.IntegerField(
        min_value=1, max_value=MOST_SESSIONS, required=False, help_text="Agreed in all."
    )
    skips = _list(SkipBodySerializer(), max_length=500, default=list)
    override_reason = ReasonField(default="", help_text="Lets a breach pass, for those who may.")
    overlap = OverlapField()


class ImaginedVisitSerializer(Body):
    starts_at = Start()


class PreviewBodySerializer(BookableSerializer):
    visits = _list(ImaginedVisitSerializer(), min_length=1, max_length=MOST_SESSIONS)
    skips = _list(SkipBodySerializer(), max_length=500, default=list)


class AddVisitSerializer(VisitWishSerializer):
    override_reason = ReasonField(default="", help_text="Lets a breach pass, for those who may.")
    overlap = OverlapField()


class EndSerializer(Body):
    reason = serializers.CharField(max_length=REASON_LENGTH)
    tell_patient = TellPatientField()


ENDED = [
    OpenApiExample("The patient is told", {"reason": "Moves abroad"}, request_only=True),
    OpenApiExample(
        "They know it already: no message says so",
        {"reason": "Moves abroad", "tell_patient": False},
        request_only=True,
    ),
]


def _versions(staff: Staff) -> QuerySet[ProtocolVersion]:
    """Protocols are the house's: everybody sees them all."""
    return ProtocolVersion.objects.all()


class VersionToSerializer(Body):
    protocol = Seen(_versions, source="version", help_text="The id of an approved version.")


class MigrateSerializer(VersionToSerializer):
    moves = _list(
        VisitMoveSerializer(),
        max_length=MOST_MOVES,
        required=False,
        help_text="Every visit to come with its place, as the preview gave it; else as it is now.",
    )


def skips_of(asked: Iterable[Mapping[str, Any]]) -> Skips:
    return frozenset((each["session"], each["step"], each["channel"]) for each in asked)


# --- What is shown --------------------------------------------------------------------------------


class PinnedSerializer(serializers.ModelSerializer[ProtocolVersion]):
    """The protocol version that a series keeps, whatever is approved later."""

    class Meta:
        model = ProtocolVersion
        fields: tuple[str, ...] = ("id", "protocol", "version", "name")


class SkipSerializer(serializers.ModelSerializer[SkipChoice]):
    class Meta:
        model = SkipChoice
        fields: tuple[str, ...] = ("session", "step", "channel")


class SeriesSerializer(serializers.ModelSerializer[TreatmentSeries]):
    protocol = PinnedSerializer(source="protocol_version")
    areas = serializers.ListField(child=serializers.CharField())
    booked_at = Instant()
    closed_at = Instant(allow_null=True)

    class Meta:
        model = TreatmentSeries
        fields: tuple[str, ...] = (
            *("id", "patient", "site", "protocol", "areas", "sessions", "state"),
            *("booked_at", "booked_by", "closed_at", "closed_reason"),
        )


class SeriesDetailSerializer(SeriesSerializer):
    appointments = VisitSerializer(many=True)
    skips = SkipSerializer(many=True)

    class Meta(SeriesSerializer.Meta):
        fields = (*SeriesSerializer.Meta.fields, "appointments", "skips")


class ChangeSerializer(serializers.Serializer[Any]):
    """One difference between two versions, in words."""

    what = serializers.ChoiceField(["interval", "length", "set_up", "clean_up", "step"])
    name = serializers.CharField(allow_blank=True, help_text="A kind of resource, or a step's id.")
    title = serializers.CharField()
    before = serializers.CharField(allow_blank=True, help_text="Empty for a step that is new.")
    after = serializers.CharField(allow_blank=True, help_text="Empty for a step that is gone.")


class MigrationSerializer(serializers.Serializer[Any]):
    """What the version changes, and where each visit to come would be."""

    changes = ChangeSerializer(many=True)
    lines = ReplanLineSerializer(many=True)
    problem = ProblemSerializer(allow_null=True, source="replan.problem")


MIGRATION = OpenApiExample(
    "Longer visits, and all of them stay",
    {
        "changes": [
            {
                "what": "length",
                "name": "",
                "title": "Length of a visit",
                "before": "90 minutes",
                "after": "105 minutes",
            }
        ],
        "lines": [],
        "problem": None,
    },
    response_only=True,
)


class PreviewSerializer(serializers.Serializer[Any]):
    """One message, or task for staff, that booking would make."""

    key = serializers.CharField()
    kind = serializers.CharField()
    steps = serializers.ListField(child=serializers.CharField())
    session = serializers.IntegerField(allow_null=True)
    channel = serializers.CharField()
    purpose = serializers.CharField()
    due_at = Instant()
    send_at = Instant(allow_null=True, help_text="Null when it is not sent.")
    expires_at = Instant(allow_null=True)
    decision = serializers.ChoiceField(["send", "skip", "staff_task"])
    reason = serializers.CharField()
    why = serializers.ListField(child=Retold())
    subject = serializers.CharField(allow_blank=True)
    body = serializers.CharField(allow_blank=True)
    segments = serializers.IntegerField(allow_null=True, help_text="Of a text message.")
    skips = serializers.SerializerMethodField(help_text="What to send as `skips` to leave it out.")

    def get_skips(self, line: Any) -> list[dict[str, int | str]]:
        return [
            {"session": session, "step": step, "channel": channel}
            for session, step, channel in line.items
        ]
