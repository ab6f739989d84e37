"""Blocks: times in which resources are not to be had, also over visits that are booked."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
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

from appointments.absences import affected, blocks
from appointments.api.relocation import Relocating
from appointments.api.shapes import resources_seen
from appointments.models import Appointment, Block, BlockKind
from clinic import access
from clinic.api_errors import ErrorSerializer
from clinic.api_fields import Body, Instant, Seen, Start, instant_of
from clinic.api_views import IdFilter
from clinic.models import Resource

REASON_LENGTH = 120


class HeldSerializer(serializers.ModelSerializer[Resource]):
    class Meta:
        model = Resource
        fields: tuple[str, ...] = ("id", "kind", "name")


class BlockSerializer(serializers.ModelSerializer[Block]):
    starts_at = Instant()
    ends_at = Instant()
    created_at = Instant()
    released_at = Instant(allow_null=True)
    resources = HeldSerializer(many=True)

    class Meta:
        model = Block
        fields: tuple[str, ...] = (
            *("id", "site", "kind", "starts_at", "ends_at", "resources", "reason"),
            *("created_at", "released_at"),
        )


class MakeBlockSerializer(Body):
    site = Seen(access.sites_of)
    kind = serializers.ChoiceField(choices=BlockKind.choices)
    resources = serializers.ListField(
        child=Seen(resources_seen), min_length=1, max_length=50, help_text="Ids; no patients."
    )
    starts_at = Start()
    ends_at = Start()
    reason = serializers.CharField(max_length=REASON_LENGTH, allow_blank=True, default="")
    over_visits = serializers.BooleanField(
        default=False,
        help_text="Also where visits are booked: those are then `affected`, to be moved.",
    )


class ChangeEndSerializer(Body):
    ends_at = Start()
    over_visits = serializers.BooleanField(default=False, help_text="When it ends later.")


class BlockFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    resource = IdFilter(field_name="resources", label="The id of a resource.")
    standing = filters.BooleanFilter(
        field_name="released_at", lookup_expr="isnull", label="Whether it was not released."
    )

    class Meta:
        model = Block
        fields = ("site", "resource", "standing")


_IN_THE_WAY = OpenApiExample(
    "Visits are booked in that time",
    {
        "code": "visits_in_the_way",
        "sentence": (
            "2 visits are booked in that time. Move or cancel first, or block the time over what"
            " is booked: the visits are then listed, to be moved."
        ),
        "field": "starts_at",
        "appointments": [812, 815],
    },
)
_CONFLICT = {
    409: OpenApiResponse(
        ErrorSerializer, description="The time is not free.", examples=[_IN_THE_WAY]
    )
}
_MAKE = OpenApiExample(
    "A device is out of order for a week, whatever is booked",
    {
        "site": 1,
        "kind": "maintenance",
        "resources": [12],
        "starts_at": {"wall": "2027-03-04T08:00"},
        "ends_at": {"wall": "2027-03-11T08:00"},
        "reason": "Handpiece is broken",
        "over_visits": True,
    },
    request_only=True,
)


@extend_schema_view(
    list=extend_schema(summary="List the blocks of your sites."),
    retrieve=extend_schema(summary="Read a block."),
)
class Blocks(ListModelMixin, RetrieveModelMixin, Relocating):
    tag = "blocks"
    queryset = Block.objects.none()
    serializer_class = BlockSerializer
    filterset_class = BlockFilter

    def get_queryset(self) -> QuerySet[Block]:
        rows = Block.objects.seen_by(self.staff).select_related("site")
        return rows.prefetch_related("resources")

    def affected_visits(self) -> QuerySet[Appointment]:
        visits = affected.by_block(self.get_object(), now=timezone.now())
        return visits.filter(pk__in=Appointment.objects.seen_by(self.staff).values("pk"))

    @extend_schema(
        request=MakeBlockSerializer,
        responses={201: BlockSerializer, **_CONFLICT},
        examples=[_MAKE],
    )
    def create(self, request: Request) -> Response:
        """Keep providers, rooms or devices free of visits for a time. With `over_visits` also
        where visits are booked: nothing new is booked there, and the visits are work until they
        are moved."""
        asked: dict[str, Any] = self.body(MakeBlockSerializer)
        zone = asked["site"].zone
        for name in ("starts_at", "ends_at"):
            asked[name] = instant_of(asked[name], zone, field=name)
        made = blocks.block(by=self.staff, now=timezone.now(), **asked)
        return Response(BlockSerializer(made).data, status=201)

    @extend_schema(
        request=ChangeEndSerializer,
        responses={200: BlockSerializer, **_CONFLICT},
        examples=[
            OpenApiExample(
                "The device is back two days early",
                {"ends_at": {"wall": "2027-03-09T08:00"}},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"], url_path="change-end", filterset_class=None)
    def change_end(self, request: Request, pk: int) -> Response:
        """Let a block end earlier, or later."""
        block, asked = self.get_object(), self.body(ChangeEndSerializer)
        changed = blocks.change_end(
            block=block,
            ends_at=instant_of(asked["ends_at"], block.site.zone, field="ends_at"),
            over_visits=asked["over_visits"],
            by=self.staff,
            now=timezone.now(),
        )
        return Response(BlockSerializer(changed).data)

    @extend_schema(request=None, responses=BlockSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def release(self, request: Request, pk: int) -> Response:
        """Give the time of a block back."""
        released = blocks.release(block=self.get_object(), by=self.staff, now=timezone.now())
        return Response(BlockSerializer(released).data)
