"""Visits: to list and read, and every act on them.

Each act names the `version` that was seen; when somebody changed the visit since, it is 409.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import django_filters as filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
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

from appointments import clearance, proposing
from appointments.api import moves
from appointments.api.moves import (
    LengthSerializer,
    MoveSerializer,
    MoveTogetherSerializer,
    MoveToSerializer,
    ReplanSerializer,
    SwapSerializer,
    UndoSerializer,
    UndoTogetherSerializer,
)
from appointments.api.shapes import (
    DayStartsSerializer,
    MoveStartsSerializer,
    ReasonField,
    TellPatientField,
    VisitDetailSerializer,
    VisitSerializer,
    rows_shown,
)
from appointments.clearance import treatment_of
from appointments.lifecycle import State
from appointments.models import Appointment, StatusChange
from appointments.visits import (
    attendance,
    cancelling,
    locking,
    moving,
    resizing,
    rippling,
    swapping,
    undoing,
)
from clinic.api_errors import ErrorSerializer
from clinic.api_fields import BarSerializer, Instant, VersionSerializer, instant_of
from clinic.api_views import DayFilter, IdFilter, Rows


class CancelSerializer(VersionSerializer):
    reason = ReasonField(default="")
    by_patient = serializers.BooleanField(default=False, help_text="Whose wish it was.")
    tell_patient = TellPatientField()


class LockSerializer(VersionSerializer):
    reason = ReasonField(default="")


class StartSerializer(VersionSerializer):
    override_reason = ReasonField(
        default="", help_text="Lets bars with `passes_with` pass, for those who hold it."
    )


class CompleteSerializer(VersionSerializer):
    ended_at = Instant(required=False, help_text="When treatment ended; now when left out.")


class VisitFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    patient = IdFilter(field_name="series__patient", label="The id of a patient.")
    series = IdFilter(field_name="series", label="The id of a series.")
    date = DayFilter(field_name="starts_at", label="A local date of the visit's site.")
    state = filters.MultipleChoiceFilter(choices=[(state.value, state.value) for state in State])

    class Meta:
        model = Appointment
        fields = ("site", "patient", "series", "date", "state")


_CANCELLED = [
    OpenApiExample("The patient is told", {"version": 1, "reason": "Ill"}, request_only=True),
    OpenApiExample(
        "They know it already: no message says so",
        {"version": 1, "reason": "Called us", "by_patient": True, "tell_patient": False},
        request_only=True,
    ),
]
_LOCKED = OpenApiExample(
    "With a reason", {"version": 1, "reason": "Comes from abroad"}, request_only=True
)
_TAKEN = OpenApiExample(
    "The slot was taken meanwhile",
    {
        "code": "slot_taken",
        "sentence": "Room 1 was just taken at Thu 4 Mar 10:00. Nearest: Thu 4 Mar 11:30.",
        "field": "starts_at",
        "start": "2027-03-04T15:00:00Z",
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
_TOO_SOON = OpenApiExample(
    "The interval of the protocol is breached",
    {
        "code": "interval_too_short",
        "sentence": (
            "Session 2 is 14 days after session 1; the protocol asks for at least 28."
            " The earliest valid date is Thu 1 Apr."
        ),
        "field": "starts_at",
        "earliest": "2027-04-01",
        "overridable": True,
    },
)
# What booking and moving may be answered with, beside what every operation may.
PLACE_ERRORS = {
    400: OpenApiResponse(
        ErrorSerializer, description="What was sent cannot be.", examples=[_TOO_SOON]
    ),
    409: OpenApiResponse(ErrorSerializer, description="The rows have moved on.", examples=[_TAKEN]),
}

_BARRED = OpenApiExample(
    "Something bars the treatment",
    {
        "code": "barred",
        "sentence": "A consent to this treatment is lacking. Have it signed first.",
        "field": "",
        "overridable": True,
        "bars": [
            {
                "code": "consent_missing",
                "outcome": "review",
                "acts": ["start"],
                "sentence": "A consent to this treatment is lacking. Have it signed first.",
                "since": None,
                "until": None,
                "rule": "RF microneedling 1.0.1 asks for a signed consent.",
                "evidence": [],
                "about": "rf_microneedling",
                "passes_with": "override_clearance",
                "decides_with": "",
            }
        ],
    },
)
STARTED = {
    200: VisitDetailSerializer,
    409: OpenApiResponse(
        ErrorSerializer, description="It is in no state for it, or barred.", examples=[_BARRED]
    ),
}


@extend_schema_view(
    list=extend_schema(summary="List visits by site, date, patient, series and state."),
    retrieve=extend_schema(summary="Read a visit with what it holds and its history."),
)
class Visits(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "appointments"
    queryset = Appointment.objects.none()
    filterset_class = VisitFilter

    def patient_of(self, row: Appointment) -> int | None:
        return row.series.patient_id

    def get_queryset(self) -> QuerySet[Appointment]:
        rows = rows_shown(Appointment.objects.seen_by(self.staff))
        if self.action == "list":
            return rows
        changes = StatusChange.objects.select_related("by").order_by("id")
        return rows.prefetch_related(Prefetch("history", queryset=changes))

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return VisitSerializer if self.action == "list" else VisitDetailSerializer

    @extend_schema(
        request=MoveSerializer,
        responses={200: VisitDetailSerializer, **PLACE_ERRORS},
        examples=moves.MOVED,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def move(self, request: Request, pk: int) -> Response:
        """Give a visit another start, or other resources; with `ripple` its series follows."""
        visit, asked = self.get_object(), self.body(MoveSerializer)
        rippling_too = asked.pop("ripple")
        wanted = {
            "appointment": visit,
            **_place(asked, visit),
            "reason": asked["reason"],
            "expected_version": asked["version"],
            "by": self.staff,
            "now": timezone.now(),
        }
        if rippling_too:
            rippling.ripple(**wanted)
        else:
            moving.move(
                **wanted, override_reason=asked["override_reason"], overlap=asked["overlap"]
            )
        return self._fresh()

    @extend_schema(
        request=LengthSerializer,
        responses={200: VisitDetailSerializer, **PLACE_ERRORS},
        examples=moves.RESIZED,
    )
    @action(detail=True, methods=["post"], url_path="change-length", filterset_class=None)
    def change_length(self, request: Request, pk: int) -> Response:
        """Let a visit end later or earlier; it starts when it did, and nobody is told."""
        return self._act(resizing.change_length, LengthSerializer)

    @extend_schema(request=MoveToSerializer, responses=ReplanSerializer, examples=[moves.REPLANNED])
    @action(detail=True, methods=["post"], url_path="move/preview", filterset_class=None)
    def preview_move(self, request: Request, pk: int) -> Response:
        """Show which visits of the series would have to follow a move, and where to."""
        visit, asked = self.get_object(), self.body(MoveToSerializer)
        found = rippling.preview(appointment=visit, **_place(asked, visit), now=timezone.now())
        return Response(ReplanSerializer(found).data)

    @extend_schema(
        request=MoveTogetherSerializer,
        responses={200: VisitSerializer(many=True), **PLACE_ERRORS},
        examples=moves.MOVED_TOGETHER,
        filters=False,
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="move-together",
        filterset_class=None,
        pagination_class=None,
    )
    def move_together(self, request: Request) -> Response:
        """Give several visits their new places: all of them, or none."""
        asked = self.body(MoveTogetherSerializer)
        moved = moving.move_together(
            moves=moves.moves_of(asked.pop("moves")), by=self.staff, now=timezone.now(), **asked
        )
        return self._several(moved)

    @extend_schema(
        request=UndoTogetherSerializer,
        responses=VisitSerializer(many=True),
        examples=moves.UNDONE_TOGETHER,
        filters=False,
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="undo-together",
        filterset_class=None,
        pagination_class=None,
    )
    def undo_together(self, request: Request) -> Response:
        """Take back the last act on each of the visits that are named: all of them, or none."""
        asked = self.body(UndoTogetherSerializer)["visits"]
        back = undoing.undo_together(
            visits=[(each["appointment"], each["version"]) for each in asked],
            by=self.staff,
            now=timezone.now(),
        )
        return self._several(back)

    @extend_schema(
        request=SwapSerializer,
        responses={200: VisitDetailSerializer, **PLACE_ERRORS},
        examples=moves.SWAPPED,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def swap(self, request: Request, pk: int) -> Response:
        """Let two visits exchange their starts, with who and what suits both."""
        visit, asked = self.get_object(), self.body(SwapSerializer)
        swapping.swap(
            one=visit,
            other=asked["other"],
            expected_versions=(asked["version"], asked["other_version"]),
            reason=asked["reason"],
            override_reason=asked["override_reason"],
            by=self.staff,
            now=timezone.now(),
        )
        return self._fresh()

    @extend_schema(request=CancelSerializer, examples=_CANCELLED)
    @action(detail=True, methods=["post"], filterset_class=None)
    def cancel(self, request: Request, pk: int) -> Response:
        """Cancel a visit and give back its place."""
        return self._act(cancelling.cancel, CancelSerializer)

    @extend_schema(request=VersionSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def confirm(self, request: Request, pk: int) -> Response:
        """Write down that the patient will come."""
        return self._act(attendance.confirm)

    @extend_schema(request=LockSerializer, examples=[_LOCKED])
    @action(detail=True, methods=["post"], filterset_class=None)
    def lock(self, request: Request, pk: int) -> Response:
        """Keep a visit at its time: nothing moves it until it is unlocked."""
        return self._act(locking.lock, LockSerializer)

    @extend_schema(request=LockSerializer, examples=[_LOCKED])
    @action(detail=True, methods=["post"], filterset_class=None)
    def unlock(self, request: Request, pk: int) -> Response:
        """Let a locked visit be moved again."""
        return self._act(locking.unlock, LockSerializer)

    @extend_schema(request=VersionSerializer)
    @action(detail=True, methods=["post"], url_path="check-in", filterset_class=None)
    def check_in(self, request: Request, pk: int) -> Response:
        """Check the patient in, on the day of the visit."""
        return self._act(attendance.check_in)

    @extend_schema(request=StartSerializer, responses=STARTED)
    @action(detail=True, methods=["post"], filterset_class=None)
    def start(self, request: Request, pk: int) -> Response:
        """Start the treatment, unless something bars it."""
        return self._act(attendance.start, StartSerializer)

    @extend_schema(responses=BarSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def clearance(self, request: Request, pk: int) -> Response:
        """List what stands between the patient and this visit, the strictest first."""
        (bars,) = clearance.standing([treatment_of(self.get_object())], now=timezone.now())
        return Response(BarSerializer(bars, many=True).data)

    @extend_schema(request=CompleteSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def complete(self, request: Request, pk: int) -> Response:
        """Complete the treatment. The last session completes the series."""
        return self._act(attendance.complete, CompleteSerializer)

    @extend_schema(request=VersionSerializer)
    @action(detail=True, methods=["post"], url_path="no-show", filterset_class=None)
    def no_show(self, request: Request, pk: int) -> Response:
        """Mark that the patient did not come, once the visit should have begun."""
        return self._act(attendance.no_show)

    @extend_schema(request=UndoSerializer, examples=moves.UNDONE)
    @action(detail=True, methods=["post"], filterset_class=None)
    def undo(self, request: Request, pk: int) -> Response:
        """Take back the last act on a visit, of a move also what moved along with it."""
        return self._act(undoing.undo, UndoSerializer)

    @extend_schema(request=MoveStartsSerializer, responses=DayStartsSerializer)
    @action(detail=True, methods=["post"], url_path="free-starts", filterset_class=None)
    def free_starts(self, request: Request, pk: int) -> Response:
        """List the free starts of one local day to move a visit to."""
        visit, asked = self.get_object(), self.body(MoveStartsSerializer)
        found = proposing.free_starts(
            patient=visit.series.patient,
            site=visit.site,
            version=visit.series.protocol_version,
            areas=visit.series.areas,
            day=asked["day"],
            provider=asked.get("provider"),
            now=timezone.now(),
            moving=visit,
        )
        return Response(DayStartsSerializer(found).data)

    def _act(
        self,
        act: Callable[..., Appointment],
        form: type[VersionSerializer] = VersionSerializer,
    ) -> Response:
        visit, asked = self.get_object(), self.body(form)
        act(
            appointment=visit,
            expected_version=asked.pop("version"),
            by=self.staff,
            now=timezone.now(),
            **asked,
        )
        return self._fresh()

    def _several(self, visits: Sequence[Appointment]) -> Response:
        rows = rows_shown(Appointment.objects.filter(pk__in=[visit.pk for visit in visits]))
        return Response(VisitSerializer(rows.order_by("starts_at", "id"), many=True).data)

    def _fresh(self) -> Response:
        return Response(VisitDetailSerializer(self.get_object()).data)


def _place(asked: dict[str, Any], visit: Appointment) -> dict[str, Any]:
    """The new place as acts take it. Raises WallTimeMissing and WallTimeRepeats."""
    return {
        "starts_at": instant_of(asked["starts_at"], visit.site.zone),
        "provider_id": asked.get("provider"),
        "room_id": asked.get("room"),
        "device_id": asked.get("device"),
    }
