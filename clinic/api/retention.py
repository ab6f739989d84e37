"""How long treatment records are kept, to list and to decide."""

from __future__ import annotations

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import access, retention
from clinic.access import Capability
from clinic.api_fields import Body, Day, Instant, NamedSerializer, Seen
from clinic.api_views import IdFilter, Rows
from clinic.models import RecordRetention


class RetentionSerializer(serializers.ModelSerializer[RecordRetention]):
    decided_by = NamedSerializer()
    decided_at = Instant()

    class Meta:
        model = RecordRetention
        fields: tuple[str, ...] = (
            *("id", "site", "begins_on", "years", "basis", "decided_by", "decided_at"),
        )


class NewRetentionSerializer(Body):
    site = Seen(access.sites_of)
    begins_on = Day()
    years = serializers.IntegerField(help_text="After the last treatment.")
    basis = serializers.CharField(
        max_length=retention.BASIS_LENGTH, help_text="The law or rule that asks for it."
    )


class RetentionFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")

    class Meta:
        model = RecordRetention
        fields: tuple[str, ...] = ("site",)


@extend_schema_view(
    list=extend_schema(
        summary="List what was decided on keeping treatment records, the latest first."
    )
)
class Retentions(ListModelMixin, Rows):
    tag = "record-retention"
    queryset = RecordRetention.objects.none()
    serializer_class = RetentionSerializer
    filterset_class = RetentionFilter

    def get_queryset(self) -> QuerySet[RecordRetention]:
        access.require(self.staff, Capability.MANAGE_SITE)
        sites = access.sites_with(self.staff, Capability.MANAGE_SITE)
        return RecordRetention.objects.filter(site__in=sites).select_related("decided_by")

    @extend_schema(
        summary="Decide for how many years a site keeps treatment records, from a day on.",
        request=NewRetentionSerializer,
        responses={201: RetentionSerializer},
        examples=[
            OpenApiExample(
                "Six years",
                {
                    "site": 1,
                    "begins_on": "2027-03-01",
                    "years": 6,
                    "basis": "New York: 8 NYCRR 29.2(a)(3)",
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        asked = self.body(NewRetentionSerializer)
        made = retention.decide(by=self.staff, now=timezone.now(), **asked)
        return Response(RetentionSerializer(made).data, status=201)
