"""Imports: a file of a former system is uploaded, its columns named, checked, run and looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.importing import naming, reporting, uploading, working
from appointments.models import Import, ImportRow, RowOutcome
from clinic import access
from clinic.access import Capability
from clinic.api_fields import Body, Instant, NamedSerializer, Retold, Seen
from clinic.api_views import IdFilter, Rows


class ImportSerializer(serializers.ModelSerializer[Import]):
    """An import; `done` and `total` are of its phase, `outcomes` are rows by what becomes of them
    and `written` what a run wrote."""

    made_by = NamedSerializer()
    made_at = Instant()
    started_at = Instant(allow_null=True)
    finished_at = Instant(allow_null=True)
    has_file = serializers.SerializerMethodField()
    outcomes = serializers.SerializerMethodField()
    problem = Retold()
    written = serializers.DictField(source="counts", child=serializers.IntegerField())
    columns = serializers.ListField(child=serializers.CharField())
    mapping = serializers.DictField(child=serializers.CharField(), help_text="Column by field.")

    class Meta:
        model = Import
        fields: tuple[str, ...] = (
            *("id", "site", "name", "size", "digest", "encoding", "columns", "mapping"),
            *("date_order", "state", "phase", "rows", "done", "total", "problem", "has_file"),
            *("outcomes", "written", "made_at", "made_by", "started_at", "finished_at"),
        )

    def get_has_file(self, source: Import) -> bool:
        return bool(source.file)

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
    def get_outcomes(self, source: Import) -> dict[str, int]:
        return dict(reporting.counts(source))


class UploadSerializer(Body):
    site = Seen(access.sites_of)
    file = serializers.FileField(help_text="CSV of at most 200 MB.")


class NameSerializer(Body):
    mapping = serializers.DictField(
        child=serializers.CharField(max_length=400), help_text="Column by field."
    )
    date_order = serializers.ChoiceField(
        [("dmy", "Day first"), ("mdy", "Month first")],
        required=False,
        help_text="Of dates such as 03/04/2026; left out, the file's own dates tell.",
    )


class ColumnOfferSerializer(serializers.Serializer[Any]):
    """How the columns are most likely named; `remembered` from an earlier file like it."""

    mapping = serializers.DictField(child=serializers.CharField())
    date_order = serializers.CharField()
    remembered = serializers.BooleanField()


class RowSerializer(serializers.ModelSerializer[ImportRow]):
    sentence = Retold()

    class Meta:
        model = ImportRow
        fields: tuple[str, ...] = ("number", "outcome", "sentence", "patient", "appointment")


class ImportFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")

    class Meta:
        model = Import
        fields = ("site",)


@extend_schema_view(
    list=extend_schema(summary="List the imports of your sites."),
    retrieve=extend_schema(summary="Read one import: how far it is and what becomes of its rows."),
)
class Imports(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "imports"
    most_bytes = uploading.MOST_BYTES
    queryset = Import.objects.none()
    serializer_class = ImportSerializer
    filterset_class = ImportFilter

    def get_queryset(self) -> QuerySet[Import]:
        access.require(self.staff, Capability.IMPORT)
        seen = Import.objects.filter(site__in=access.sites_with(self.staff, Capability.IMPORT))
        return seen.select_related("site", "made_by", "run_by")

    @extend_schema(
        request={"multipart/form-data": UploadSerializer}, responses={201: ImportSerializer}
    )
    def create(self, request: Request) -> Response:
        """Upload a file. It is kept privately and deleted after 30 days; nothing is written yet."""
        asked = self.body(UploadSerializer)
        made = uploading.take_in(
            blocks=asked["file"].chunks(),
            name=asked["file"].name,
            site=asked["site"],
            by=self.staff,
            now=timezone.now(),
        )
        return Response(ImportSerializer(made).data, status=201)

    def get_parsers(self) -> list[Any]:
        is_upload = self.request is not None and self.action_map.get("post") == "create"
        return [MultiPartParser()] if is_upload else super().get_parsers()

    @extend_schema(request=None, responses=ColumnOfferSerializer)
    @action(detail=True, methods=["get"], filterset_class=None)
    def offer(self, request: Request, pk: int) -> Response:
        """Read how the columns are most likely named: as last time, or guessed."""
        return Response(ColumnOfferSerializer(naming.offered(self.get_object())).data)

    @extend_schema(
        request=NameSerializer,
        responses=ImportSerializer,
        examples=[
            OpenApiExample(
                "Patients with a telephone",
                {
                    "mapping": {
                        "patient_id": "Patient no",
                        "given": "First name",
                        "family": "Last name",
                        "birth_date": "DOB",
                        "phone": "Mobile",
                    },
                    "date_order": "mdy",
                },
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["put"], filterset_class=None)
    def mapping(self, request: Request, pk: int) -> Response:
        """Say what the columns are; it is remembered for files with the same header."""
        asked = self.body(NameSerializer)
        named = naming.name(source=self.get_object(), by=self.staff, now=timezone.now(), **asked)
        return Response(ImportSerializer(named).data)

    @extend_schema(request=None, responses={202: ImportSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def check(self, request: Request, pk: int) -> Response:
        """Begin to look what would become of each row. Nothing else is written."""
        begun = working.check(source=self.get_object(), by=self.staff, now=timezone.now())
        return Response(ImportSerializer(begun).data, status=202)

    @extend_schema(request=None, responses={202: ImportSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def run(self, request: Request, pk: int) -> Response:
        """Begin to write what the check showed."""
        begun = working.run(source=self.get_object(), by=self.staff, now=timezone.now())
        return Response(ImportSerializer(begun).data, status=202)

    @extend_schema(request=None, responses=ImportSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def stop(self, request: Request, pk: int) -> Response:
        """Stop after the batch that is being written. What was written stays."""
        stopped = working.stop(source=self.get_object(), by=self.staff, now=timezone.now())
        return Response(ImportSerializer(stopped).data)

    @extend_schema(
        responses=RowSerializer(many=True),
        parameters=[OpenApiParameter("outcome", str, enum=RowOutcome.values)],
    )
    @action(detail=True, methods=["get"], filterset_class=None)
    def rows(self, request: Request, pk: int) -> Response:
        """List the rows with what becomes of each."""
        source = get_object_or_404(self.get_queryset(), pk=pk)
        found = ImportRow.objects.filter(source=source).exclude(outcome="")
        if outcome := request.query_params.get("outcome"):
            found = found.filter(outcome=outcome)
        page = self.paginate_queryset(found.order_by("number"))
        self.named(row.patient_id for row in page or [])
        return self.get_paginated_response(RowSerializer(page or [], many=True).data)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True, methods=["get"], filterset_class=None)
    def errors(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Download the rows to be mended or decided, as they were and with the problem."""
        return errors_file(self.get_object())

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Delete the file and its rows now. The import stays, with its counts."""
        uploading.delete(source=self.get_object(), by=self.staff, now=timezone.now())
        return Response(status=204)


def errors_file(source: Import) -> StreamingHttpResponse:
    """The rows to be mended as an answer to download, with the mark that spreadsheets look for."""
    lines = reporting.to_be_mended(source)

    def marked() -> Iterator[str]:
        yield "\ufeff"
        yield from lines

    name = f"to-be-mended-{source.pk}.csv"
    return StreamingHttpResponse(
        marked(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
