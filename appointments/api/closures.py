"""Closures: whole days on which a site is closed, with the visits booked on them."""

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
from appointments.models import Appointment
from clinic import access, closures
from clinic.api_fields import Body, Day, Seen
from clinic.api_views import IdFilter
from clinic.models import Closure

REASON_LENGTH = 80


class ClosureSerializer(serializers.ModelSerializer[Closure]):
    class Meta:
        model = Closure
        fields: tuple[str, ...] = ("id", "site", "first_day", "last_day", "reason")


class CloseDaysSerializer(Body):
    site = Seen(access.sites_of)
    first_day = Day()
    last_day = Day(required=False, help_text="Closed too. Left out: `first_day` alone.")
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Staff read it.")


class ClosedDaysSerializer(serializers.Serializer[Any]):
    """The closure, and the visits on its days: work, until they are moved."""

    closure = ClosureSerializer()
    affected = serializers.ListField(
        child=serializers.IntegerField(), help_text="Ids of visits, the nearest first."
    )


class ClosureFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    day = filters.DateFilter(method="on", label="A local date on which the site is closed.")

    class Meta:
        model = Closure
        fields = ("site", "day")

    def on(self, rows: QuerySet[Closure], _: str, day: Any) -> QuerySet[Closure]:
        return rows.filter(first_day__lte=day, last_day__gte=day)


_HOLIDAYS = {
    "site": 1,
    "first_day": "2027-12-25",
    "last_day": "2027-12-26",
    "reason": "Christmas",
}


@extend_schema_view(
    list=extend_schema(summary="List the closures of your sites."),
    retrieve=extend_schema(summary="Read one closure."),
)
class Closures(ListModelMixin, RetrieveModelMixin, Relocating):
    tag = "hours"
    queryset = Closure.objects.none()
    serializer_class = ClosureSerializer
    filterset_class = ClosureFilter

    def get_queryset(self) -> QuerySet[Closure]:
        here = access.sites_of(self.staff)
        return Closure.objects.filter(site__in=here).select_related("site")

    def affected_visits(self) -> QuerySet[Appointment]:
        return affected.by_closure(self.get_object(), now=timezone.now())

    @extend_schema(
        request=CloseDaysSerializer,
        responses={201: ClosedDaysSerializer},
        examples=[
            OpenApiExample("Two holidays", _HOLIDAYS, request_only=True),
            OpenApiExample(
                "Two visits are booked on them",
                {"closure": {"id": 7, **_HOLIDAYS}, "affected": [812, 815]},
                response_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        """Close a site on whole days. Visits booked on them stay booked, and are listed."""
        asked, now = self.body(CloseDaysSerializer), timezone.now()
        asked.setdefault("last_day", asked["first_day"])
        made = closures.close(by=self.staff, now=now, **asked)
        booked = affected.by_closure(made, now=now).values_list("pk", flat=True)
        return Response(
            ClosedDaysSerializer({"closure": made, "affected": list(booked)}).data, status=201
        )

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Open the site again on these days, by its usual hours."""
        closures.take_back(closure=self.get_object(), by=self.staff, now=timezone.now())
        return Response(status=204)
