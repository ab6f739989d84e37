"""Treatment logs, by the id of their visit: to read and to write, to sign and to correct.

A save names the `version` that was seen (0 when nothing is written); when the draft moved on since,
or is somebody else's, it is 409.
"""

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
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.api.shapes import ReasonField, VisitSerializer, rows_shown
from appointments.charting import amending, copying, crediting, drafting, fields, listing, signing
from appointments.charting.log import NOTE_LENGTH, document_of, log_of
from appointments.charting.sheets import Sheet, sheet_of, signed_of
from appointments.models import Addendum, Appointment, SessionCredit, TreatmentRecord
from appointments.models.record import SessionOutcome
from clinic import access
from clinic.api_errors import ErrorSerializer
from clinic.api_fields import Body, Instant, NamedSerializer
from clinic.api_views import DayFilter, IdFilter, Rows


def _values(**more: Any) -> serializers.DictField:
    """Values by their names or paths."""
    return serializers.DictField(child=serializers.JSONField(), **more)


class LogSerializer(Body):
    """What a log says. `zones` are those that were treated, `regions` their parts on the map;
    `reasons` say by path (such as `zones.face.depth`) why a value is out of range."""

    session = _values(required=False)
    zones = serializers.DictField(
        required=False, child=serializers.DictField(child=serializers.JSONField())
    )
    regions = serializers.DictField(
        required=False, child=serializers.DictField(child=serializers.JSONField())
    )
    reasons = serializers.DictField(required=False, child=serializers.CharField())
    products = serializers.ListField(
        required=False, max_length=50, child=serializers.DictField(child=serializers.CharField())
    )
    cartridge = _values(required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=NOTE_LENGTH)


class SaveLogSerializer(Body):
    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="The one that was seen; 0 when there was none."
    )
    log = LogSerializer()
    copy = serializers.BooleanField(
        default=False, help_text="Whether last time's settings take the place of these."
    )


class SignLogSerializer(Body):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    complete = serializers.BooleanField(
        default=False, help_text="Whether a visit in treatment is done with it."
    )


class AmendSerializer(Body):
    reason = ReasonField()
    text = serializers.CharField(allow_blank=True, default="", max_length=NOTE_LENGTH)
    corrections = _values(required=False, help_text="By path the values as they ought to be.")


class CreditSerializer(Body):
    counts = serializers.BooleanField()
    reason = ReasonField()


class LogFindingSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    code = serializers.CharField()
    sentence = serializers.CharField()


class AddendumSerializer(serializers.ModelSerializer[Addendum]):
    at = Instant()
    by = NamedSerializer()
    corrections = _values()

    class Meta:
        model = Addendum
        fields = ("number", "at", "by", "reason", "text", "corrections", "digest")


class RecordSerializer(serializers.ModelSerializer[TreatmentRecord]):
    """A record as a row of a list."""

    version = serializers.IntegerField()
    saved_at = Instant()
    signed_at = Instant(allow_null=True)
    drafted_by = NamedSerializer()
    signed_by = NamedSerializer(allow_null=True)
    treated = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = TreatmentRecord
        fields = (
            *("appointment", "outcome", "treated", "version", "saved_at", "drafted_by"),
            *("signed_at", "signed_by", "digest"),
        )


class SheetSerializer(serializers.Serializer[Any]):
    """A visit's log as it stands."""

    appointment = serializers.IntegerField()
    protocol = serializers.IntegerField(help_text="The version whose fields it has.")
    record = RecordSerializer(allow_null=True)
    log = LogSerializer()
    totals = serializers.DictField(
        child=serializers.IntegerField(), help_text="What was delivered on the map, by field."
    )
    was = _values(help_text="Last time's settings, by path.")
    findings = LogFindingSerializer(many=True, help_text="What stands against signing it.")
    corrected = LogSerializer(allow_null=True, help_text="The signed log as its addenda left it.")
    addenda = AddendumSerializer(many=True)
    counts = serializers.BooleanField(
        allow_null=True, help_text="The decision on a session that was done in part."
    )


class RecordFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="appointment__site", label="The id of a site.")
    patient = IdFilter(field_name="appointment__series__patient", label="The id of a patient.")
    series = IdFilter(field_name="appointment__series", label="The id of a series.")
    signed = filters.BooleanFilter(
        field_name="signed_at", lookup_expr="isnull", exclude=True, label="Whether it is signed."
    )
    outcome = filters.ChoiceFilter(choices=SessionOutcome.choices)

    class Meta:
        model = TreatmentRecord
        fields = ("site", "patient", "series", "signed", "outcome")


class UnsignedFilter(filters.FilterSet):  # type: ignore[misc]
    date = DayFilter(field_name="starts_at", label="A local date of the visit's site.")

    class Meta:
        model = Appointment
        fields = ("date",)


_WHOLE = {
    "session": {
        "device_serial": "Needle 1, RM-1",
        "cartridge_lot": "LOT-7",
        "pins": 24,
        "insulated": True,
        "anaesthetic": "Lidocaine 5 %, 45 min",
        "pain": 4,
        "reaction": "redness",
        "outcome": "completed",
    },
    "zones": {"face": {"depth": 8.5, "energy": 20, "passes": 2, "endpoint": "Pinpoint bleeding"}},
    "reasons": {"zones.face.depth": "As the device asks for this area"},
    "products": [{"name": "Mineral SPF 50", "amount": "2 ml", "lot": "S-11"}],
    "cartridge": {"code": "AX-1", "expires_on": "2028-01-31", "life": 5000},
}
_SAVE = OpenApiExample("A whole log", {"version": 0, "log": _WHOLE}, request_only=True)
_CONFLICT = {
    409: OpenApiResponse(
        ErrorSerializer,
        description="The draft moved on, is somebody else's, or is signed.",
        examples=[
            OpenApiExample(
                "Somebody else writes it",
                {
                    "code": "draft_elsewhere",
                    "sentence": (
                        "Sam Okafor is writing this log, last saved Thu 4 Mar 10:40. Look at it,"
                        " or take it over."
                    ),
                    "field": "log",
                },
            )
        ],
    )
}
_INCOMPLETE = {
    400: OpenApiResponse(
        ErrorSerializer,
        description="What is to be mended before signing.",
        examples=[
            OpenApiExample(
                "A field is missing",
                {
                    "code": "log_incomplete",
                    "sentence": "Before signing: Pain 0–10 is missing.",
                    "field": "session.pain",
                    "errors": [
                        {
                            "code": "required",
                            "sentence": "Pain 0–10 is missing.",
                            "field": "session.pain",
                        }
                    ],
                },
            )
        ],
    )
}


@extend_schema_view(list=extend_schema(summary="List the treatment logs of your sites."))
class Records(ListModelMixin, Rows):
    tag = "logs"
    queryset = TreatmentRecord.objects.none()
    serializer_class = RecordSerializer
    filterset_class = RecordFilter

    def patient_of(self, row: TreatmentRecord) -> int | None:
        return row.appointment.series.patient_id

    def get_queryset(self) -> QuerySet[TreatmentRecord]:
        rows = TreatmentRecord.objects.seen_by(self.staff)
        return rows.select_related("drafted_by", "signed_by", "appointment__series")


class Logs(Rows):
    tag = "logs"
    queryset = Appointment.objects.none()
    serializer_class = SheetSerializer

    def patient_of(self, row: Appointment) -> int | None:
        return row.series.patient_id

    def get_queryset(self) -> QuerySet[Appointment]:
        return Appointment.objects.seen_by(self.staff).select_related(
            "series__patient", "site", "protocol_version"
        )

    @extend_schema(responses=SheetSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Read the log of a visit, with what it lacks and what last time's settings were."""
        return self._shown(self.get_object())

    @extend_schema(
        request=SaveLogSerializer, responses={200: SheetSerializer, **_CONFLICT}, examples=[_SAVE]
    )
    def update(self, request: Request, pk: int) -> Response:
        """Keep the draft of a log, whatever it still lacks."""
        visit, asked = self.get_object(), self.body(SaveLogSerializer)
        drafting.save(
            appointment=visit,
            log=log_of(asked["log"]),
            copy=asked["copy"],
            expected_version=asked["version"],
            by=self.staff,
            now=timezone.now(),
        )
        return self._shown(visit)

    @extend_schema(
        request=SignLogSerializer, responses={200: SheetSerializer, **_INCOMPLETE, **_CONFLICT}
    )
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: int) -> Response:
        """Sign and lock a log; from then on only addenda correct it."""
        visit, asked = self.get_object(), self.body(SignLogSerializer)
        signing.sign(
            appointment=visit,
            expected_version=asked["version"],
            complete=asked["complete"],
            by=self.staff,
            now=timezone.now(),
        )
        return self._shown(self.get_object())

    @extend_schema(request=None, responses={200: SheetSerializer, **_CONFLICT})
    @action(detail=True, methods=["post"], url_path="take-over")
    def take_over(self, request: Request, pk: int) -> Response:
        """Become the one who writes the draft of a log."""
        visit = self.get_object()
        drafting.take_over(appointment=visit, by=self.staff, now=timezone.now())
        return self._shown(visit)

    @extend_schema(
        request=AmendSerializer,
        responses={200: SheetSerializer, **_CONFLICT},
        examples=[
            OpenApiExample(
                "A value was misread",
                {"reason": "Misread the display", "corrections": {"zones.face.depth": 1.8}},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"])
    def amend(self, request: Request, pk: int) -> Response:
        """Put an addendum to a signed log."""
        visit, asked = self.get_object(), self.body(AmendSerializer)
        amending.amend(appointment=visit, by=self.staff, now=timezone.now(), **asked)
        return self._shown(visit)

    @extend_schema(request=CreditSerializer, responses={200: SheetSerializer, **_CONFLICT})
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, pk: int) -> Response:
        """Decide whether a session that was done in part counts."""
        visit, asked = self.get_object(), self.body(CreditSerializer)
        crediting.decide(appointment=visit, by=self.staff, now=timezone.now(), **asked)
        return self._shown(visit)

    def _shown(self, visit: Appointment) -> Response:
        return Response(SheetSerializer(_row(sheet_of(visit))).data)


@extend_schema_view(list=extend_schema(summary="List the visits done whose log is not signed."))
class Unsigned(ListModelMixin, Rows):
    tag = "logs"
    queryset = Appointment.objects.none()
    serializer_class = VisitSerializer
    filterset_class = UnsignedFilter

    def patient_of(self, row: Appointment) -> int | None:
        return row.series.patient_id

    def get_queryset(self) -> QuerySet[Appointment]:
        seen = Appointment.objects.seen_by(self.staff)
        open_logs = listing.unsigned_at(access.sites_of(self.staff)).values("pk")
        return rows_shown(seen.filter(pk__in=open_logs)).order_by("starts_at", "id")


def _row(sheet: Sheet) -> dict[str, Any]:
    record = sheet.record
    addenda = list(record.addenda.select_related("by")) if record is not None else []
    credit = SessionCredit.objects.filter(appointment=sheet.visit).first()
    signed = record if record is not None and record.is_signed else None
    corrected = copying.corrected(signed_of(signed)) if signed is not None else None
    return {
        "appointment": sheet.visit.pk,
        "protocol": sheet.version.pk,
        "record": record,
        "log": document_of(sheet.log),
        "totals": fields.totals(sheet.protocol, corrected or sheet.log),
        "was": sheet.was,
        "findings": () if signed is not None else sheet.findings(),
        "corrected": document_of(corrected) if corrected is not None else None,
        "addenda": addenda,
        "counts": credit.counts if credit is not None else None,
    }
