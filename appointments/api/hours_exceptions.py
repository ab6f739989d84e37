"""Exceptional hours: other hours on one day of a site or of a provider there."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.absences import affected
from appointments.api.relocation import Relocating
from appointments.api.shapes import providers_seen
from appointments.models import Appointment
from clinic import access, exceptional_hours
from clinic.api_fields import Body, Day, Seen
from clinic.api_views import IdFilter
from clinic.models import HoursException
from clinic.wall_time import MINUTES_A_DAY

REASON_LENGTH = 80


class HoursExceptionSerializer(serializers.ModelSerializer[HoursException]):
    class Meta:
        model = HoursException
        fields: tuple[str, ...] = ("id", "site", "provider", "day", "starts", "ends", "reason")


class StretchSerializer(Body):
    starts = serializers.IntegerField(
        min_value=0, max_value=MINUTES_A_DAY, help_text="Minute of the day, wall time."
    )
    ends = serializers.IntegerField(
        min_value=0, max_value=MINUTES_A_DAY, help_text="Minute of the day, wall time, exclusive."
    )


class SetDaySerializer(Body):
    site = Seen(access.sites_of)
    provider = Seen(
        providers_seen, required=False, allow_null=True, help_text="Left out: the site's hours."
    )
    day = Day()
    stretches = serializers.ListField(
        child=StretchSerializer(),
        max_length=20,
        help_text="They replace the weekly hours; none: no hours.",
    )
    reason = serializers.CharField(max_length=REASON_LENGTH, allow_blank=True, default="")


class SetDayAnswerSerializer(serializers.Serializer[Any]):
    """The rows of the day, and the visits that lie outside of them: work, until they are moved."""

    exceptions = HoursExceptionSerializer(many=True)
    affected = serializers.ListField(
        child=serializers.IntegerField(), help_text="Ids of visits at your sites."
    )


class HoursExceptionFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    provider = IdFilter(field_name="provider", label="The id of a provider.")
    day = filters.DateFilter(label="A local date of the site.")

    class Meta:
        model = HoursException
        fields = ("site", "provider", "day")


@extend_schema_view(
    list=extend_schema(summary="List the exceptional hours of your sites."),
    retrieve=extend_schema(summary="Read one stretch of exceptional hours."),
)
class HoursExceptions(ListModelMixin, RetrieveModelMixin, Relocating):
    tag = "hours"
    queryset = HoursException.objects.none()
    serializer_class = HoursExceptionSerializer
    filterset_class = HoursExceptionFilter

    def get_queryset(self) -> QuerySet[HoursException]:
        here = access.sites_of(self.staff)
        return HoursException.objects.filter(site__in=here).select_related("site", "provider")

    def affected_visits(self) -> list[Appointment]:
        return affected.of_exception(self.get_object(), now=timezone.now())

    @extend_schema(
        request=SetDaySerializer,
        responses={201: SetDayAnswerSerializer},
        examples=[
            OpenApiExample(
                "The site closes at noon",
                {
                    "site": 1,
                    "day": "2027-12-24",
                    "stretches": [{"starts": 540, "ends": 720}],
                    "reason": "Christmas Eve",
                },
                request_only=True,
            ),
            OpenApiExample(
                "A provider does not work that day",
                {"site": 1, "provider": 4, "day": "2027-03-04", "stretches": []},
                request_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        """Give a site, or a provider there, other hours on one day. What was exceptional on that
        day before is replaced. Visits that lie outside stay booked, and are listed."""
        asked, now = self.body(SetDaySerializer), timezone.now()
        stretches = [(each["starts"], each["ends"]) for each in asked.pop("stretches")]
        made = exceptional_hours.set_day(stretches=stretches, by=self.staff, now=now, **asked)
        cut_off = affected.of_exception(made[0], now=now)
        return Response(
            SetDayAnswerSerializer(
                {"exceptions": made, "affected": [visit.pk for visit in cut_off]}
            ).data,
            status=201,
        )

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Go back to the weekly hours on the day of this exception."""
        exceptional_hours.clear_day(exception=self.get_object(), by=self.staff, now=timezone.now())
        return Response(status=204)
