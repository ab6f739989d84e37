"""Protocols to read, approve and retire, and plain services to add."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import access
from clinic.adding_service import add_service
from clinic.api_fields import Body, Instant, NamedSerializer, Seen
from clinic.api_views import Rows
from clinic.models import ProtocolVersion, Resource, ResourceKind, Staff
from clinic.protocols import deciding, drafting, loading
from clinic.protocols.schema import Text


class ProtocolFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    class Meta:
        model = ProtocolVersion
        fields: tuple[str, ...] = ("protocol", "status", "kind", "modality")


class ProtocolSerializer(serializers.ModelSerializer[ProtocolVersion]):
    approved_at = Instant(allow_null=True)
    approved_by = NamedSerializer(allow_null=True)
    created_at = Instant()

    class Meta:
        model = ProtocolVersion
        fields: tuple[str, ...] = (
            *("id", "protocol", "version", "kind", "name", "modality", "status", "is_demo"),
            *("digest", "created_at", "approved_at", "approved_by"),
        )


class ProtocolDetailSerializer(ProtocolSerializer):
    document = serializers.DictField(help_text="The whole protocol: areas, intervals, steps …")

    class Meta(ProtocolSerializer.Meta):
        fields = (*ProtocolSerializer.Meta.fields, "document")


class TextSerializer(Body):
    protocol = serializers.SlugField(max_length=50, help_text="The id of a protocol that is here.")
    text = serializers.CharField(
        max_length=drafting.MOST_LETTERS, trim_whitespace=False, help_text="The protocol as TOML."
    )

    def validate_protocol(self, protocol: str) -> str:
        if not ProtocolVersion.objects.filter(protocol=protocol).exists():
            raise serializers.ValidationError(f"There is no protocol '{protocol}'.")
        return protocol


class ProtocolTextSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="The version as TOML, to be edited.")


class RetireSerializer(Body):
    reason = serializers.CharField(
        max_length=200,
        allow_blank=True,
        default="",
        help_text="Kept in the history; nothing is retired without it: reason_missing.",
    )


def _providers(staff: Staff) -> QuerySet[Resource]:
    here = access.sites_of(staff)
    return Resource.objects.filter(
        kind=ResourceKind.PROVIDER, is_active=True, hours__site__in=here
    ).distinct()


class ServiceSerializer(Body):
    id = serializers.SlugField(max_length=40, help_text="It stays; no other has it.")
    name = serializers.CharField(max_length=60)
    name_es = serializers.CharField(max_length=60)
    code = serializers.RegexField(r"^[A-Z]{2}$", max_length=2, help_text="Two capital letters.")
    minutes = serializers.IntegerField(min_value=5, max_value=480)
    room_kind = serializers.SlugField(max_length=50)
    providers = serializers.ListField(
        child=Seen(_providers), min_length=1, max_length=50, help_text="Who offers it."
    )
    device = serializers.SlugField(
        max_length=50, default="", allow_blank=True, help_text="A modality whose device it holds."
    )
    set_up_minutes = serializers.IntegerField(min_value=0, max_value=120, default=0)
    clean_up_minutes = serializers.IntegerField(min_value=0, max_value=120, default=0)

    def validate_room_kind(self, kind: str) -> str:
        if not Resource.objects.filter(room_kind=kind, is_active=True).exists():
            raise serializers.ValidationError(f"There is no room of kind '{kind}'.")
        return kind

    def validate_device(self, modality: str) -> str:
        if modality and not Resource.objects.filter(modality=modality, is_active=True).exists():
            raise serializers.ValidationError(f"There is no device for '{modality}'.")
        return modality


@extend_schema_view(
    list=extend_schema(summary="List the versions of every protocol."),
    retrieve=extend_schema(summary="Read one version with its whole document."),
)
class Protocols(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "protocols"
    queryset = ProtocolVersion.objects.select_related("approved_by")
    filterset_class = ProtocolFilter

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return ProtocolSerializer if self.action == "list" else ProtocolDetailSerializer

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def approve(self, request: Request, pk: int) -> Response:
        """Let a draft be booked, as the clinical lead. The version before it is retired."""
        row = loading.approve(
            version=self.get_object(), by=self.staff, now=timezone.now(), demo=settings.DEMO
        )
        return Response(ProtocolDetailSerializer(row).data)

    @extend_schema(request=RetireSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def retire(self, request: Request, pk: int) -> Response:
        """Take a version out of use for new series, as the clinical lead."""
        row = loading.retire(
            version=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(RetireSerializer),
        )
        return Response(ProtocolDetailSerializer(row).data)

    @extend_schema(responses=ProtocolTextSerializer)
    @action(detail=True, methods=["get"], filterset_class=None)
    def text(self, request: Request, pk: int) -> Response:
        """Read one version as the text that the next one is written from."""
        return Response({"text": drafting.text_of(self.get_object())})

    @extend_schema(
        request=TextSerializer,
        responses={201: ProtocolDetailSerializer},
        filters=False,
        examples=[
            OpenApiExample(
                "The next version",
                {"protocol": "ipl", "text": 'id = "ipl"\nversion = "1.1.0"\n…'},
                request_only=True,
            )
        ],
    )
    @action(detail=False, methods=["post"], filterset_class=None)
    def versions(self, request: Request) -> Response:
        """Store the next version of a protocol as a draft, as the clinical lead, or of a plain
        service as who manages every site; what is wrong with the text is told line by line."""
        row = drafting.store_text(**self.body(TextSerializer), by=self.staff, now=timezone.now())
        return Response(ProtocolDetailSerializer(row).data, status=201)

    @extend_schema(
        request=ServiceSerializer,
        responses={201: ProtocolDetailSerializer},
        filters=False,
        examples=[
            OpenApiExample(
                "Toxin",
                {
                    "id": "toxin",
                    "name": "Toxin",
                    "name_es": "Toxina",
                    "code": "TX",
                    "minutes": 30,
                    "room_kind": "treatment",
                    "providers": [4],
                },
                request_only=True,
            )
        ],
    )
    @action(detail=False, methods=["post"], filterset_class=None)
    def services(self, request: Request) -> Response:
        """Add a plain service and put it in use, as who manages every site. Its next version is
        stored as that of every protocol."""
        deciding.require_adding_services(self.staff)
        given = self.body(ServiceSerializer)
        name = Text(en=given.pop("name"), es=given.pop("name_es"))
        row = add_service(
            name=name, modality=given.pop("device"), by=self.staff, now=timezone.now(), **given
        )
        return Response(ProtocolDetailSerializer(row).data, status=201)
