"""Who is on call, to list, to add and to remove."""

from __future__ import annotations

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import access, on_call
from clinic.api_fields import Body, Instant, NamedSerializer, Seen
from clinic.api_views import IdFilter, Rows
from clinic.models import OnCallShift, Staff


class ShiftSerializer(serializers.ModelSerializer[OnCallShift]):
    staff = NamedSerializer()
    starts_at = Instant()
    ends_at = Instant()

    class Meta:
        model = OnCallShift
        fields: tuple[str, ...] = ("id", "site", "staff", "starts_at", "ends_at", "phone", "email")


def _colleagues(staff: Staff) -> QuerySet[Staff]:
    return Staff.objects.filter(site_roles__site__in=access.sites_of(staff)).distinct()


class NewShiftSerializer(Body):
    site = Seen(access.sites_of)
    staff = Seen(_colleagues)
    starts_at = Instant()
    ends_at = Instant()
    phone = serializers.CharField(max_length=30, default="", allow_blank=True)
    email = serializers.EmailField(default="", allow_blank=True)


class ShiftFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    staff = IdFilter(field_name="staff", label="The id of a staff member.")

    class Meta:
        model = OnCallShift
        fields: tuple[str, ...] = ("site", "staff")


@extend_schema_view(list=extend_schema(summary="List the shifts on call that are not over."))
class OnCall(ListModelMixin, Rows):
    tag = "on-call"
    queryset = OnCallShift.objects.none()
    serializer_class = ShiftSerializer
    filterset_class = ShiftFilter

    def get_queryset(self) -> QuerySet[OnCallShift]:
        shifts = OnCallShift.objects.standing().filter(site__in=access.sites_of(self.staff))
        return shifts.filter(ends_at__gt=timezone.now()).select_related("staff", "site")

    @extend_schema(
        summary="Put somebody on call.",
        request=NewShiftSerializer,
        responses={201: ShiftSerializer},
        examples=[
            OpenApiExample(
                "A night",
                value={
                    "site": 1,
                    "staff": 4,
                    "starts_at": "2027-03-12T23:00:00Z",
                    "ends_at": "2027-03-13T12:00:00Z",
                    "phone": "+12125550123",
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        shift = on_call.add(by=self.staff, now=timezone.now(), **self.body(NewShiftSerializer))
        return Response(ShiftSerializer(shift).data, status=201)

    @extend_schema(summary="Take a shift out of the rota.")
    def destroy(self, request: Request, pk: int) -> Response:
        on_call.remove(shift=self.get_object(), by=self.staff, now=timezone.now())
        return Response(status=204)
