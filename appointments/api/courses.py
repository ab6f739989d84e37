"""The courses of a patient: sessions that count, results to expect, touch-up, outcome scores."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.charting import courses
from appointments.charting.course import Milestone, TouchUp
from appointments.models import OutcomeScore, ScoreKind, TreatmentSeries
from clinic.api_fields import Body, Instant, NamedSerializer
from clinic.api_views import Rows


class ScoreSerializer(serializers.ModelSerializer[OutcomeScore]):
    at = Instant()
    by = NamedSerializer(allow_null=True, help_text="Null when the patient gave it.")

    class Meta:
        model = OutcomeScore
        fields = ("kind", "value", "milestone", "at", "by", "note")


class CourseSerializer(serializers.Serializer[Any]):
    """Where a series stands; days are local dates of its site."""

    series = serializers.IntegerField(source="series.pk")
    counted = serializers.IntegerField(source="course.counted")
    agreed = serializers.IntegerField(source="course.agreed")
    undecided = serializers.ListField(
        source="course.undecided",
        child=serializers.IntegerField(),
        help_text="Sessions cut short of which nobody has decided whether they count.",
    )
    uncounted = serializers.ListField(source="course.uncounted", child=serializers.IntegerField())
    last_day = serializers.DateField(source="course.last_day", allow_null=True)
    weeks = serializers.IntegerField(source="course.weeks", allow_null=True)
    milestone = serializers.ChoiceField(
        source="course.milestone", choices=[each.value for each in Milestone]
    )
    results_from = serializers.DateField(source="course.results_from", allow_null=True)
    results_peak = serializers.DateField(source="course.results_peak", allow_null=True)
    touch_up = serializers.ChoiceField(
        source="course.touch_up", choices=[each.value for each in TouchUp], allow_null=True
    )
    touch_up_from = serializers.DateField(source="course.touch_up_from", allow_null=True)
    touch_up_until = serializers.DateField(source="course.touch_up_until", allow_null=True)
    scores = ScoreSerializer(many=True)


class GiveScoreSerializer(Body):
    kind = serializers.ChoiceField(choices=ScoreKind.choices)
    value = serializers.IntegerField(min_value=0, max_value=5)
    note = serializers.CharField(allow_blank=True, default="", max_length=courses.NOTE_LENGTH)


class Courses(Rows):
    tag = "series"
    queryset = TreatmentSeries.objects.none()
    serializer_class = CourseSerializer

    def patient_of(self, row: TreatmentSeries) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[TreatmentSeries]:
        rows = TreatmentSeries.objects.seen_by(self.staff)
        return rows.filter(protocol_version__kind="series").select_related("site")

    @extend_schema(responses=CourseSerializer)
    @action(detail=True, methods=["get"])
    def course(self, request: Request, pk: int) -> Response:
        """Read where a course of treatment stands."""
        return self._shown(self.get_object())

    @extend_schema(
        request=GiveScoreSerializer,
        responses={201: CourseSerializer},
        examples=[
            OpenApiExample(
                "The clinician's grade", {"kind": "laxity", "value": 2}, request_only=True
            )
        ],
    )
    @action(detail=True, methods=["post"])
    def scores(self, request: Request, pk: int) -> Response:
        """Put an outcome score to a course at its present milestone."""
        series, asked = self.get_object(), self.body(GiveScoreSerializer)
        courses.score(series=series, by=self.staff, now=timezone.now(), **asked)
        return self._shown(series, status=201)

    def _shown(self, series: TreatmentSeries, status: int = 200) -> Response:
        found = courses.courses_of(series.patient_id, now=timezone.now())
        [mine] = [each for each in found if each.series.pk == series.pk]
        return Response(CourseSerializer(mine).data, status=status)
