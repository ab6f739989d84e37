"""Who works at the sites one manages: to list, employ, give other roles and let go."""

from __future__ import annotations

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

from clinic import access, staffing
from clinic.access import Capability
from clinic.api_fields import Body, Seen
from clinic.api_views import IdFilter, Rows
from clinic.models import Role, Site, SiteRole, Staff


def _managed(staff: Staff) -> QuerySet[Site]:
    return access.sites_with(staff, Capability.MANAGE_SITE)


class SiteRoleSerializer(serializers.ModelSerializer[SiteRole]):
    class Meta:
        model = SiteRole
        fields: tuple[str, ...] = ("site", "role")


class StaffSerializer(serializers.ModelSerializer[Staff]):
    """A person, with the roles at the sites that whoever asks manages."""

    roles = serializers.SerializerMethodField()

    class Meta:
        model = Staff
        fields: tuple[str, ...] = ("id", "name", "email", "roles")

    def get_roles(self, staff: Staff) -> list[dict[str, Any]]:
        managed = {site.pk for site in _managed(self.context["request"].user)}
        held = [each for each in staff.site_roles.all() if each.site_id in managed]
        return list(SiteRoleSerializer(held, many=True).data)


class RolesSerializer(Body):
    site = Seen(_managed)
    roles = serializers.ListField(child=serializers.ChoiceField(Role.choices), max_length=4)


class ChangedRolesSerializer(RolesSerializer):
    seen = serializers.ListField(
        child=serializers.ChoiceField(Role.choices),
        max_length=4,
        required=False,
        help_text="The roles in whose place these are meant; 409 when others stand.",
    )


class NewStaffSerializer(RolesSerializer):
    name = serializers.CharField(max_length=80)
    email = serializers.EmailField(max_length=254)


class SeenAccountSerializer(Body):
    name = serializers.CharField(max_length=80)
    email = serializers.CharField(max_length=254)


class AccountSerializer(Body):
    name = serializers.CharField(max_length=80)
    email = serializers.EmailField(max_length=254)
    seen = SeenAccountSerializer(
        required=False, help_text="What these are meant in the place of; 409 when others stand."
    )


class WelcomeSerializer(serializers.Serializer[Any]):
    link = serializers.URLField(help_text="Good once, for three days. It is shown this once.")


class StaffFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site_roles__site", label="The id of a site.")

    class Meta:
        model = Staff
        fields: tuple[str, ...] = ("site",)


@extend_schema_view(
    list=extend_schema(summary="List who works at the sites you manage."),
    retrieve=extend_schema(summary="Show one person."),
)
class People(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "staff"
    queryset = Staff.objects.none()
    serializer_class = StaffSerializer
    filterset_class = StaffFilter

    def get_queryset(self) -> QuerySet[Staff]:
        people = Staff.objects.filter(site_roles__site__in=_managed(self.staff), is_active=True)
        return people.distinct().prefetch_related("site_roles")

    @extend_schema(
        summary="Employ somebody.",
        request=NewStaffSerializer,
        responses={201: StaffSerializer},
        examples=[
            OpenApiExample(
                "A nurse",
                value={
                    "site": 1,
                    "name": "Sam Okafor",
                    "email": "sam@clinic.example",
                    "roles": ["provider"],
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        staff = staffing.employ(by=self.staff, now=timezone.now(), **self.body(NewStaffSerializer))
        return Response(self.get_serializer(staff).data, status=201)

    @extend_schema(
        summary="Give other roles at a site; none lets go.",
        request=ChangedRolesSerializer,
        responses={200: StaffSerializer},
        examples=[
            OpenApiExample(
                "Also a manager",
                value={"site": 1, "roles": ["provider", "manager"], "seen": ["provider"]},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"])
    def roles(self, request: Request, pk: int) -> Response:
        staff = self.get_object()
        asked = self.body(ChangedRolesSerializer)
        staffing.change_roles(staff=staff, by=self.staff, now=timezone.now(), **asked)
        return Response(self.get_serializer(Staff.objects.get(pk=staff.pk)).data)

    @extend_schema(
        summary="Give a person another name, or another address to sign in with.",
        description="With another address, a link to choose a password made before is void.",
        request=AccountSerializer,
        responses={200: StaffSerializer},
        examples=[
            OpenApiExample(
                "Married",
                value={"name": "Sam Vidal", "email": "sam@clinic.example"},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"])
    def account(self, request: Request, pk: int) -> Response:
        staff = self.get_object()
        asked = self.body(AccountSerializer)
        staffing.change_account(staff=staff, by=self.staff, now=timezone.now(), **asked)
        return Response(self.get_serializer(Staff.objects.get(pk=staff.pk)).data)

    @extend_schema(
        summary="Make the link by which a person chooses a password.",
        request=None,
        responses={201: WelcomeSerializer},
    )
    @action(detail=True, methods=["post"])
    def invite(self, request: Request, pk: int) -> Response:
        path = staffing.invite(staff=self.get_object(), by=self.staff, now=timezone.now())
        link = request.build_absolute_uri(path)
        return Response(WelcomeSerializer({"link": link}).data, status=201)
