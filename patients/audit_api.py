"""The audit trail: to read, and nothing else."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from clinic import access
from clinic.access import Capability
from clinic.api_fields import Instant, NamedSerializer, Retold
from clinic.api_views import IdFilter, Rows
from clinic.models import AuditEntry
from clinic.origin import Via
from patients.trail import exporting, searching
from patients.trail.searching import Asked


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    at = Instant()
    by = NamedSerializer(allow_null=True, help_text="Null: the system, or a patient.")
    patient = serializers.IntegerField(source="patient_id", allow_null=True)
    before = serializers.JSONField(help_text="Only what changed.")
    after = serializers.JSONField(help_text="Only what changed; the ids of a list of patients.")
    reason = Retold()
    via = serializers.ChoiceField(choices=Via.choices)
    device = serializers.CharField(source="agent", help_text="Beginning of the agent's digest.")

    class Meta:
        model = AuditEntry
        fields: tuple[str, ...] = (
            *("id", "at", "by", "action", "subject_type", "subject_id", "site", "patient"),
            *("before", "after", "reason", "via", "ip", "device", "request"),
        )


class AuditFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    by = IdFilter(field_name="by", label="The id of a staff member.")
    patient = IdFilter(
        field_name="patient_id",
        method="about",
        label="The id of a patient; lists with them included.",
    )
    action = filters.CharFilter(label="Such as `patient.change` or `record.view`.")
    via = filters.ChoiceFilter(choices=Via.choices)
    subject = filters.CharFilter(
        label="One row of the house, as `appointments.appointment:812`.", method="of_row"
    )
    ip = filters.CharFilter(label="An IP address.", method="from_ip")
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", label="From this instant")
    until = filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt", label="Before it.")

    class Meta:
        model = AuditEntry
        fields: tuple[str, ...] = (
            "by",
            "patient",
            "action",
            "via",
            "subject",
            "ip",
            "since",
            "until",
        )

    def about(self, rows: QuerySet[AuditEntry], name: str, patient: int) -> QuerySet[AuditEntry]:
        return rows.filter(searching.about(patient))

    def of_row(self, rows: QuerySet[AuditEntry], name: str, row: str) -> QuerySet[AuditEntry]:
        kind, _, pk = row.partition(":")
        return rows.filter(subject_type=kind, subject_id=pk)

    def from_ip(self, rows: QuerySet[AuditEntry], name: str, ip: str) -> QuerySet[AuditEntry]:
        try:
            return rows.filter(ip=serializers.IPAddressField().run_validation(ip))
        except serializers.ValidationError:
            return rows.none()


class Latest(CursorPagination):
    """Pages that stay where they are while entries are added above them."""

    page_size = 50
    ordering = ("-at", "-id")


@extend_schema_view(
    list=extend_schema(
        summary="Search what was done to and seen of records at the sites that you manage.",
        examples=[
            OpenApiExample(
                "A look",
                {
                    "id": 81,
                    "at": "2027-03-04T15:00:00Z",
                    "by": {"id": 4, "name": "Ana Front"},
                    "action": "record.view",
                    "subject_type": "appointments.appointment",
                    "subject_id": "812",
                    "site": 1,
                    "patient": 31,
                    "before": {},
                    "after": {},
                    "reason": "",
                    "via": "page",
                    "ip": "203.0.113.7",
                    "device": "1f0c6a2be4d95a07",
                    "request": "8a5b0a1c9f0e4c62b5a1f6d1c0ffee00",
                },
                response_only=True,
            )
        ],
    )
)
class AuditTrail(ListModelMixin, Rows):
    tag = "audit"
    queryset = AuditEntry.objects.none()
    serializer_class = AuditEntrySerializer
    filterset_class = AuditFilter
    pagination_class = Latest

    def patient_of(self, row: AuditEntry) -> int | None:
        return row.patient_id

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        access.require(self.staff, Capability.SEE_AUDIT)

    def get_queryset(self) -> QuerySet[AuditEntry]:
        return searching.seen_by(self.staff).select_related("by")

    @extend_schema(
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "All that fits.")},
        parameters=[],
    )
    @action(detail=False, methods=["get"], url_path="csv", pagination_class=None)
    def as_file(self, request: Request) -> StreamingHttpResponse:
        """Take what the filters find out as a file. That it was taken is written down."""
        found = AuditFilter(request.query_params, queryset=AuditEntry.objects.none())
        if not found.form.is_valid():
            raise serializers.ValidationError(found.form.errors)
        asked: dict[str, Any] = {k: v for k, v in found.form.cleaned_data.items() if v}
        lines = exporting.as_csv(asked=Asked(**asked), by=self.staff, now=timezone.now())
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return answer
