"""The ways of treating that the company knows: to read, and to add and rename by who manages every
site."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import modalities
from clinic.api_fields import Body
from clinic.api_views import Rows
from clinic.models import Modality


class ModalitySerializer(serializers.ModelSerializer[Modality]):
    class Meta:
        model = Modality
        fields: tuple[str, ...] = ("slug", "name", "code")


class ModalityNamesSerializer(Body):
    name = serializers.CharField(max_length=60)
    code = serializers.CharField(max_length=2, help_text="Two capital letters on the day list.")


class NewModalitySerializer(ModalityNamesSerializer):
    slug = serializers.CharField(max_length=50, help_text="What protocols name it by; it stays.")


@extend_schema_view(list=extend_schema(summary="List the ways of treating."))
class Modalities(ListModelMixin, Rows):
    tag = "resources"
    queryset = Modality.objects.all()
    serializer_class = ModalitySerializer
    lookup_value_converter = "slug"
    filter_backends = ()

    @extend_schema(
        summary="Add a way of treating.",
        description="By who manages every site of the company.",
        request=NewModalitySerializer,
        responses={201: ModalitySerializer},
        examples=[
            OpenApiExample(
                "LED",
                {"slug": "led_therapy", "name": "LED therapy", "code": "LD"},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        asked = self.body(NewModalitySerializer)
        made = modalities.add(by=self.staff, now=timezone.now(), **asked)
        return Response(ModalitySerializer(made).data, status=201)

    @extend_schema(
        summary="Give a way of treating another name or code.",
        description="By who manages every site of the company.",
        request=ModalityNamesSerializer,
        responses={200: ModalitySerializer},
        examples=[OpenApiExample("LED", {"name": "Red light", "code": "RL"}, request_only=True)],
    )
    @action(detail=True, methods=["post"])
    def rename(self, request: Request, pk: str) -> Response:
        modality, asked = self.get_object(), self.body(ModalityNamesSerializer)
        modalities.rename(modality=modality, by=self.staff, now=timezone.now(), **asked)
        return Response(ModalitySerializer(Modality.objects.get(pk=modality.pk)).data)
