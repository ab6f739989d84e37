"""Who treats, where and with what: to list, add, name, retire, and give hours and leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.absences import retiring
from clinic import access, equipping, treating
from clinic.access import Capability
from clinic.api.weekly_hours import WeekOfSerializer, WeekSerializer, set_week
from clinic.api_fields import Body, Day, Seen
from clinic.api_views import IdFilter, Rows
from clinic.models import Credential, Modality, Resource, ResourceKind, Site, Staff

ADD: dict[str, Callable[..., Resource]] = {
    ResourceKind.ROOM: equipping.add_room,
    ResourceKind.DEVICE: equipping.add_device,
    ResourceKind.PROVIDER: treating.add_provider,
}
# Of each kind, the fields that it needs and those that it may have.
OWN = {
    ResourceKind.PROVIDER: (
        frozenset[str](),
        {"staff", "name", "modalities", "valid_from", "valid_until"},
    ),
    ResourceKind.ROOM: ({"name", "room_kind"}, frozenset[str]()),
    ResourceKind.DEVICE: ({"name", "modality"}, {"serial"}),
}


def _managed(staff: Staff) -> QuerySet[Site]:
    return access.sites_with(staff, Capability.MANAGE_SITE)


def _colleagues(staff: Staff) -> QuerySet[Staff]:
    return Staff.objects.filter(site_roles__site__in=_managed(staff)).distinct()


class CredentialSerializer(serializers.ModelSerializer[Credential]):
    class Meta:
        model = Credential
        fields: tuple[str, ...] = ("modality", "valid_from", "valid_until")


class OneResourceSerializer(serializers.ModelSerializer[Resource]):
    credentials = CredentialSerializer(many=True)

    class Meta:
        model = Resource
        fields: tuple[str, ...] = (
            *("id", "kind", "name", "site", "staff", "room_kind", "modality", "serial"),
            *("is_active", "credentials"),
        )


class NewResourceSerializer(Body):
    site = Seen(_managed)
    kind = serializers.ChoiceField(
        [ResourceKind.PROVIDER, ResourceKind.ROOM, ResourceKind.DEVICE],
        help_text="`provider` takes `staff`, or `name` without a login, and leave to treat; `room`"
        " name and room_kind; `device` name, modality.",
    )
    name = serializers.CharField(max_length=60, required=False)
    room_kind = serializers.SlugField(max_length=50, required=False)
    modality = serializers.PrimaryKeyRelatedField(queryset=Modality.objects.all(), required=False)
    serial = serializers.CharField(max_length=40, required=False, allow_blank=True)
    staff = Seen(_colleagues, required=False)
    modalities = serializers.PrimaryKeyRelatedField(
        queryset=Modality.objects.all(), many=True, required=False, help_text="Of a provider."
    )
    valid_from = Day(required=False, help_text="Of the leave; left out: today.")
    valid_until = Day(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Each kind has fields that it needs and others that it may have."""
        needed, more = OWN[attrs["kind"]]
        given = set(attrs) - {"site", "kind"}
        for name in sorted(needed - given):
            raise serializers.ValidationError({name: "This kind needs it."}, code="required")
        for name in sorted(given - needed - more):
            raise serializers.ValidationError({name: "This kind has none."}, code="unknown_field")
        return attrs


class NamedAsSerializer(Body):
    name = serializers.CharField(max_length=60)
    serial = serializers.CharField(max_length=40, allow_blank=True, default="")


class LeaveSerializer(Body):
    site = Seen(_managed)
    modality = serializers.PrimaryKeyRelatedField(queryset=Modality.objects.all())
    valid_from = Day()
    valid_until = Day(required=False, allow_null=True)


class ProviderLoginSerializer(Body):
    site = Seen(_managed)
    staff = Seen(_colleagues, required=False, help_text="Somebody with a role that treats there.")
    email = serializers.EmailField(
        max_length=254, required=False, help_text="Of an account, which is made if there is none."
    )


class AtSiteSerializer(Body):
    site = Seen(_managed)


class ProviderWeekSerializer(WeekSerializer):
    site = Seen(_managed)


class ResourceFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    kind = filters.ChoiceFilter(choices=ResourceKind.choices)
    site = IdFilter(field_name="site", label="The id of a site; providers belong to none.")

    class Meta:
        model = Resource
        fields: tuple[str, ...] = ("kind", "site")


@extend_schema_view(
    list=extend_schema(summary="List rooms, devices and providers of your sites."),
    retrieve=extend_schema(summary="Show one of them."),
)
class Resources(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "resources"
    queryset = Resource.objects.none()
    serializer_class = OneResourceSerializer
    filterset_class = ResourceFilter

    def get_queryset(self) -> QuerySet[Resource]:
        here = equipping.at(access.sites_of(self.staff))
        return here.prefetch_related("credentials").order_by("kind", "pk")

    @extend_schema(
        summary="Add a room or device, or let somebody be booked.",
        request=NewResourceSerializer,
        responses={201: OneResourceSerializer},
        examples=[
            OpenApiExample(
                "A room",
                value={"site": 1, "kind": "room", "name": "Room 3", "room_kind": "treatment"},
                request_only=True,
            ),
            OpenApiExample(
                "Who treats with two modalities",
                value={
                    "site": 1,
                    "kind": "provider",
                    "staff": 7,
                    "modalities": ["ipl", "rf_microneedling"],
                    "valid_from": "2027-01-04",
                    "valid_until": "2028-12-31",
                },
                request_only=True,
            ),
            OpenApiExample(
                "Who treats and does not sign in",
                value={"site": 1, "kind": "provider", "name": "Dr Eva Novak"},
                request_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        asked = self.body(NewResourceSerializer)
        add = ADD[asked.pop("kind")]
        return self._shown(add(by=self.staff, now=timezone.now(), **asked), status=201)

    @extend_schema(
        summary="Rename a room or device.",
        request=NamedAsSerializer,
        responses={200: OneResourceSerializer},
    )
    @action(detail=True, methods=["post"])
    def rename(self, request: Request, pk: int) -> Response:
        resource = self.get_object()
        site = retiring.site_of(resource)
        asked = self.body(NamedAsSerializer)
        equipping.rename(resource=resource, site=site, by=self.staff, now=timezone.now(), **asked)
        return self._shown(resource)

    @extend_schema(
        summary="Take a room or device out of use for good.",
        request=None,
        responses={200: OneResourceSerializer},
    )
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: int) -> Response:
        resource = self.get_object()
        retiring.retire(resource=resource, by=self.staff, now=timezone.now())
        return self._shown(resource)

    @extend_schema(
        summary="Let a retired room or device be booked again.",
        request=None,
        responses={200: OneResourceSerializer},
    )
    @action(detail=True, methods=["post"], url_path="bring-back")
    def bring_back(self, request: Request, pk: int) -> Response:
        resource = self.get_object()
        retiring.bring_back(resource=resource, by=self.staff, now=timezone.now())
        return self._shown(resource)

    @extend_schema(
        summary="Give a provider leave to treat with a modality, or change its end.",
        request=LeaveSerializer,
        responses={200: OneResourceSerializer},
    )
    @action(detail=True, methods=["post"])
    def credentials(self, request: Request, pk: int) -> Response:
        provider = self.get_object()
        asked = self.body(LeaveSerializer)
        treating.give_leave(provider=provider, by=self.staff, now=timezone.now(), **asked)
        return self._shown(provider)

    @extend_schema(
        summary="Let a provider who has no login sign in.",
        description="As `staff`, or with an `email`, whose account is made if there is none.",
        request=ProviderLoginSerializer,
        responses={200: OneResourceSerializer},
        examples=[
            OpenApiExample(
                "By address", value={"site": 1, "email": "eva@clinic.example"}, request_only=True
            )
        ],
    )
    @action(detail=True, methods=["post"])
    def login(self, request: Request, pk: int) -> Response:
        provider, asked = self.get_object(), self.body(ProviderLoginSerializer)
        treating.give_login(provider=provider, by=self.staff, now=timezone.now(), **asked)
        return self._shown(provider)

    @extend_schema(
        summary="Let nobody sign in as a provider, who can still be booked.",
        request=AtSiteSerializer,
        responses={200: OneResourceSerializer},
        examples=[OpenApiExample("At a site", value={"site": 1}, request_only=True)],
    )
    @action(detail=True, methods=["post"], url_path="take-login")
    def take_login(self, request: Request, pk: int) -> Response:
        provider, asked = self.get_object(), self.body(AtSiteSerializer)
        treating.take_login(provider=provider, by=self.staff, now=timezone.now(), **asked)
        return self._shown(provider)

    @extend_schema(
        summary="Give a provider hours of every week at a site; none: not to be booked there.",
        request=ProviderWeekSerializer,
        responses={200: WeekOfSerializer},
        examples=[
            OpenApiExample(
                "Monday from nine to five",
                value={"site": 1, "hours": [{"weekday": 0, "starts": 540, "ends": 1020}]},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"])
    def week(self, request: Request, pk: int) -> Response:
        provider = self.get_object()
        asked = self.body(ProviderWeekSerializer)
        stands = set_week(site=asked["site"], asked=asked, by=self.staff, provider=provider)
        return Response(WeekOfSerializer(stands).data)

    def _shown(self, resource: Resource, *, status: int = 200) -> Response:
        stored = Resource.objects.prefetch_related("credentials").get(pk=resource.pk)
        return Response(OneResourceSerializer(stored).data, status=status)
