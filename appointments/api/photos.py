"""Photos: to read, to add, to say what they show, to take out."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.models import AdverseEvent, Appointment, Photo
from appointments.photos import adding, changing, preparing
from appointments.views.photos import content_of, picture_of
from clinic import access
from clinic.api_fields import Body, Instant, NamedSerializer, Seen
from clinic.api_views import IdFilter, Rows
from patients.models import Patient


class PhotoSerializer(serializers.ModelSerializer[Photo]):
    taken_at = Instant()
    added_at = Instant()
    added_by = NamedSerializer(allow_null=True)
    reviewed_at = Instant(allow_null=True)

    class Meta:
        model = Photo
        fields = (
            *(
                "id",
                "patient",
                "site",
                "appointment",
                "event",
                "area",
                "view",
                "source",
                "width",
                "height",
            ),
            *("taken_at", "is_dated", "added_at", "added_by", "reviewed_at", "digest"),
        )


class AddPhotoSerializer(Body):
    patient = Seen(Patient.objects.seen_by)
    site = Seen(access.sites_of)
    appointment = Seen(Appointment.objects.seen_by, required=False, allow_null=True, default=None)
    event = Seen(
        AdverseEvent.objects.seen_by,
        required=False,
        allow_null=True,
        default=None,
        help_text="The adverse event that it shows.",
    )
    area = serializers.SlugField(max_length=50)
    view = serializers.SlugField(max_length=50)
    file = serializers.FileField(
        help_text=f"JPEG, PNG or HEIC of at most {preparing.MOST_BYTES // 1024 // 1024} MB."
    )

    def validate(self, typed: dict[str, Any]) -> dict[str, Any]:
        visit: Appointment | None = typed["appointment"]
        if visit is not None and visit.series.patient_id != typed["patient"].pk:
            raise serializers.ValidationError({"appointment": "This visit is another patient's."})
        return typed


class ReviewPhotoSerializer(Body):
    area = serializers.SlugField(max_length=50)
    view = serializers.SlugField(max_length=50)


class AttachPhotoSerializer(Body):
    event = Seen(AdverseEvent.objects.seen_by, allow_null=True, help_text="None: it shows none.")


class RemovePhotoSerializer(Body):
    reason = serializers.CharField(max_length=500)


class PhotoFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = IdFilter(field_name="patient", label="The id of a patient.")
    event = IdFilter(field_name="event", label="The id of an adverse event that they show.")

    class Meta:
        model = Photo
        fields: tuple[str, ...] = ("patient", "event", "area", "view")


@extend_schema_view(
    list=extend_schema(summary="List the photos of the patients of your sites."),
    retrieve=extend_schema(summary="Read what is known of a photo."),
)
class Photos(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "photos"
    most_bytes = preparing.MOST_BYTES
    queryset = Photo.objects.none()
    serializer_class = PhotoSerializer
    filterset_class = PhotoFilter

    def patient_of(self, row: Photo) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[Photo]:
        return Photo.objects.seen_by(self.staff).select_related("site", "added_by")

    def get_parsers(self) -> list[Any]:
        is_upload = self.request is not None and self.action_map.get("post") == "create"
        return [MultiPartParser()] if is_upload else super().get_parsers()

    @extend_schema(
        request={"multipart/form-data": AddPhotoSerializer},
        responses={201: PhotoSerializer},
        filters=False,
    )
    def create(self, request: Request) -> Response:
        """Add a photo of a standard view. Everything but its pixels and its time is left out."""
        asked = self.body(AddPhotoSerializer)
        content = content_of(asked.pop("file"))
        made = adding.add(content=content, by=self.staff, now=timezone.now(), **asked)
        return Response(PhotoSerializer(made).data, status=201)

    @extend_schema(request=ReviewPhotoSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def review(self, request: Request, pk: int) -> Response:
        """Say which area and view a photo shows."""
        reviewed = changing.review(
            photo=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(ReviewPhotoSerializer),
        )
        return Response(PhotoSerializer(reviewed).data)

    @extend_schema(request=AttachPhotoSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def attach(self, request: Request, pk: int) -> Response:
        """Say which adverse event a photo shows, if any."""
        attached = changing.attach(
            photo=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(AttachPhotoSerializer),
        )
        return Response(PhotoSerializer(attached).data)

    @extend_schema(request=RemovePhotoSerializer, responses={204: None})
    @action(detail=True, methods=["post"], filterset_class=None)
    def remove(self, request: Request, pk: int) -> Response:
        """Take a photo out of the record, with a reason."""
        changing.remove(
            photo=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(RemovePhotoSerializer),
        )
        return Response(status=204)

    @extend_schema(
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("size", str, enum=list(preparing.RENDITIONS))],
        filters=False,
    )
    @action(detail=True, methods=["get"], filterset_class=None)
    def picture(self, request: Request, pk: int) -> HttpResponse:
        """Get the picture as JPEG; never to be kept by a cache."""
        return picture_of(self.get_object(), request.query_params.get("size", "full"))
