"""Series: to preview, to book with what shall not be sent, to read, and to book on."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments import clearance, proposing
from appointments.api.moves import moves_of
from appointments.api.shapes import (
    PreferenceSerializer,
    ProposalSerializer,
    VisitDetailSerializer,
    among_visits,
    preference,
    rows_shown,
    wish,
    wishes,
)
from appointments.api.visits import PLACE_ERRORS
from appointments.clearance import Treatment
from appointments.finding.needs import need_of
from appointments.finding.ticks import TICK
from appointments.models import Appointment, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.visits import booking, ending, migrating
from clinic.api_fields import instant_of
from clinic.api_views import IdFilter, Rows
from clinic.protocols import loading as protocols
from reminders import series_booking
from reminders.api.series_shapes import (
    ENDED,
    MIGRATION,
    AddVisitSerializer,
    BookSerializer,
    EndSerializer,
    MigrateSerializer,
    MigrationSerializer,
    PreviewBodySerializer,
    PreviewSerializer,
    SeriesDetailSerializer,
    SeriesSerializer,
    VersionToSerializer,
    skips_of,
)
from reminders.journeys import foreseeing
from reminders.journeys.preview import ImaginedVisit
from reminders.models import SkipChoice


class SeriesFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = IdFilter(field_name="patient", label="The id of a patient.")
    site = IdFilter(field_name="site", label="The id of a site.")
    state = filters.ChoiceFilter(choices=SeriesState.choices)

    class Meta:
        model = TreatmentSeries
        fields: tuple[str, ...] = ("patient", "site", "state")


_SERIES = {"patient": 1, "site": 1, "protocol": 7, "areas": ["face"]}


@extend_schema_view(
    list=extend_schema(summary="List series by patient, site and state."),
    retrieve=extend_schema(summary="Read a series with its visits."),
)
class SeriesView(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "series"
    queryset = TreatmentSeries.objects.none()
    filterset_class = SeriesFilter

    def patient_of(self, row: TreatmentSeries) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[TreatmentSeries]:
        rows = TreatmentSeries.objects.seen_by(self.staff)
        rows = rows.select_related("patient", "site", "protocol_version")
        if self.action == "list":
            return rows
        visits = rows_shown(Appointment.objects.order_by("session", "id"))
        # What goes by another channel instead is sent.
        skips = SkipChoice.objects.filter(instead="")
        return rows.prefetch_related(
            Prefetch("skips", queryset=skips), Prefetch("appointments", queryset=visits)
        )

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return SeriesSerializer if self.action == "list" else SeriesDetailSerializer

    @extend_schema(
        request=BookSerializer,
        responses={201: SeriesDetailSerializer, **PLACE_ERRORS},
        examples=[
            OpenApiExample(
                "Two sessions, without the first reminder by text message",
                {
                    **_SERIES,
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
                    "skips": [{"session": 1, "step": "reminder_confirm", "channel": "sms"}],
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Book a series: all of its visits, or none."""
        asked = self.body(BookSerializer)
        zone = asked["site"].zone
        visits = wishes(asked.pop("visits"), zone)
        skips = skips_of(asked.pop("skips"))
        with among_visits():
            booked = series_booking.book(
                visits=visits, skips=skips, by=self.staff, now=timezone.now(), **asked
            )
        return Response(self._shown(booked), status=201)

    @extend_schema(
        request=PreviewBodySerializer,
        responses=PreviewSerializer(many=True),
        filters=False,
        examples=[
            OpenApiExample(
                "One session",
                {**_SERIES, "visits": [{"starts_at": {"wall": "2027-03-04T10:00"}}]},
                request_only=True,
            )
        ],
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def preview(self, request: Request) -> Response:
        """Foresee every message that booking these visits now would send, word for word."""
        asked = self.body(PreviewBodySerializer)
        length = need_of(protocols.get(asked["version"]), asked["areas"]).body * TICK
        starts = [instant_of(each["starts_at"], asked["site"].zone) for each in asked.pop("visits")]
        lines = foreseeing.series(
            visits=[ImaginedVisit(start, start + length) for start in sorted(starts)],
            skips=skips_of(asked.pop("skips")),
            now=timezone.now(),
            **asked,
        )
        return Response(PreviewSerializer(lines, many=True).data)

    @extend_schema(request=PreferenceSerializer, responses=ProposalSerializer)
    @action(detail=True, methods=["post"], url_path="propose-next")
    def propose_next(self, request: Request, pk: int) -> Response:
        """Propose a date for the next visit of a series."""
        series, asked = self.get_object(), self.body(PreferenceSerializer)
        now = timezone.now()
        treatment = Treatment(
            series.patient, series.site, series.protocol_version, series.areas, series
        )
        found = proposing.propose_next(
            series=series,
            now=now,
            kept_free=clearance.kept_free(treatment, now=now),
            preference=preference(asked),
            provider=asked.get("provider"),
        )
        return Response(ProposalSerializer(found).data)

    @extend_schema(
        request=AddVisitSerializer, responses={201: VisitDetailSerializer, **PLACE_ERRORS}
    )
    @action(detail=True, methods=["post"])
    def appointments(self, request: Request, pk: int) -> Response:
        """Book the next visit of an open series."""
        series, asked = self.get_object(), self.body(AddVisitSerializer)
        booked = booking.add_visit(
            series=series,
            visit=wish(asked, series.site.zone),
            override_reason=asked["override_reason"],
            overlap=asked["overlap"],
            by=self.staff,
            now=timezone.now(),
        )
        visit = rows_shown(Appointment.objects.filter(pk=booked.pk)).get()
        return Response(VisitDetailSerializer(visit).data, status=201)

    @extend_schema(
        request=EndSerializer,
        responses=SeriesDetailSerializer,
        examples=ENDED,
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """End a series early: cancel the visits still to come; what was done stays."""
        series, asked = self.get_object(), self.body(EndSerializer)
        ending.end_series(series=series, **asked, by=self.staff, now=timezone.now())
        return Response(self._shown(series))

    @extend_schema(request=None, responses={200: SeriesDetailSerializer, **PLACE_ERRORS})
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: int) -> Response:
        """Take back an early end: its visits get their former places again, all or none."""
        series = self.get_object()
        ending.reopen(series=series, by=self.staff, now=timezone.now())
        return Response(self._shown(series))

    @extend_schema(request=VersionToSerializer, responses=MigrationSerializer, examples=[MIGRATION])
    @action(detail=True, methods=["post"], url_path="migrate/preview")
    def preview_migration(self, request: Request, pk: int) -> Response:
        """Show what another approved version of its protocol changes for a series."""
        series, asked = self.get_object(), self.body(VersionToSerializer)
        found = migrating.preview(series=series, version=asked["version"], now=timezone.now())
        return Response(MigrationSerializer(found).data)

    @extend_schema(
        request=MigrateSerializer,
        responses={200: SeriesDetailSerializer, **PLACE_ERRORS},
        examples=[OpenApiExample("As it is proposed now", {"protocol": 9}, request_only=True)],
    )
    @action(detail=True, methods=["post"])
    def migrate(self, request: Request, pk: int) -> Response:
        """Go over to another version for the visits still to come: all of them, or none."""
        series, asked = self.get_object(), self.body(MigrateSerializer)
        seen = moves_of(asked["moves"]) if "moves" in asked else None
        migrating.migrate(
            series=series, version=asked["version"], seen=seen, by=self.staff, now=timezone.now()
        )
        return Response(self._shown(series))

    @extend_schema(request=None, responses=SeriesDetailSerializer)
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: int) -> Response:
        """Take a booking back: cancel every visit and end the series."""
        series = self.get_object()
        series_booking.take_back(series=series, by=self.staff, now=timezone.now())
        return Response(self._shown(series))

    def _shown(self, series: TreatmentSeries) -> Any:
        return SeriesDetailSerializer(self.get_queryset().get(pk=series.pk)).data
