"""Signed forms: to read, to sign at the clinic, to withdraw."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import access, origin
from clinic.access import Capability
from clinic.api_fields import Body, Instant, NamedSerializer, Seen
from clinic.api_views import IdFilter, Rows
from clinic.models import ConsentForm, Staff
from patients.models import Language, Patient, SignedForm, Signer
from patients.models.consent import ConsentSource
from patients.signing import drawing, signing, withdrawing
from patients.signing.signing import Signature
from patients.signing.standing import Standing
from patients.views.signed_forms import sheet_of


class SignedFormSerializer(serializers.ModelSerializer[SignedForm]):
    purpose = serializers.CharField(source="form.purpose")
    protocol = serializers.CharField(source="form.protocol")
    number = serializers.IntegerField(source="form.number", help_text="Of the edition.")
    handed_by = NamedSerializer(allow_null=True)
    signed_at = Instant()
    withdrawn_at = Instant(allow_null=True)
    withdrawn_by = NamedSerializer(allow_null=True)

    class Meta:
        model = SignedForm
        fields = (
            *("id", "patient", "form", "purpose", "protocol", "number", "language", "site"),
            *("signer", "signer_name", "relation", "way", "place", "handed_by", "ip", "signed_at"),
            *("wording_digest", "facts_digest", "sheet_digest"),
            *("withdrawn_at", "withdrawn_by", "withdrawn_source", "withdrawn_reason"),
        )


class AskedSerializer(serializers.Serializer[Any]):
    """A form in force and where the patient stands with it."""

    form = serializers.IntegerField(source="form.pk", help_text="The edition to sign.")
    purpose = serializers.CharField(source="form.purpose")
    protocol = serializers.CharField(source="form.protocol")
    number = serializers.IntegerField(source="form.number")
    standing = serializers.ChoiceField([(each.value, each.value) for each in Standing])
    signed = serializers.IntegerField(allow_null=True, help_text="The signature that says so.")
    until = Instant(allow_null=True, help_text="When it stops counting by itself.")


def _editions(staff: Staff) -> QuerySet[ConsentForm]:
    return ConsentForm.objects.all()


class SignSerializer(Body):
    patient = Seen(Patient.objects.seen_by)
    site = Seen(access.sites_of)
    forms = serializers.ListField(child=Seen(_editions), min_length=1, max_length=10)
    name = serializers.CharField(max_length=signing.LONGEST_NAME)
    signer = serializers.ChoiceField(Signer.choices, default=Signer.PATIENT)
    relation = serializers.CharField(
        max_length=signing.LONGEST_RELATION, allow_blank=True, default=""
    )
    drawing = serializers.CharField(
        max_length=drawing.LONGEST,
        allow_blank=True,
        default="",
        help_text=f"An SVG path of `M` and `L` in whole numbers within {drawing.WIDTH} × "
        f"{drawing.HEIGHT}; empty, and the name stands for it.",
    )
    language = serializers.ChoiceField(Language.choices)


class WithdrawSerializer(Body):
    source = serializers.ChoiceField(  # type: ignore[assignment]  # the name is the field's here
        [ConsentSource.FRONT_DESK, ConsentSource.PHONE], default=ConsentSource.FRONT_DESK
    )
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class SignedFormFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    patient = IdFilter(field_name="patient", label="The id of a patient.")

    class Meta:
        model = SignedForm
        fields: tuple[str, ...] = ("patient",)


_SIGNED = OpenApiExample(
    "Drawn on a tablet",
    {
        "patient": 31,
        "site": 1,
        "forms": [4, 9],
        "name": "Elena Sato",
        "drawing": "M20 100L60 40L100 120L140 60L180 110",
        "language": "en",
    },
    request_only=True,
)


@extend_schema_view(
    list=extend_schema(summary="List what the patients of your sites signed."),
    retrieve=extend_schema(summary="Read one signature."),
)
class SignedForms(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "signed-forms"
    queryset = SignedForm.objects.none()
    serializer_class = SignedFormSerializer
    filterset_class = SignedFormFilter

    def patient_of(self, row: SignedForm) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[SignedForm]:
        mine = SignedForm.objects.filter(patient__in=Patient.objects.seen_by(self.staff))
        return mine.select_related("form", "handed_by", "withdrawn_by").defer("sheet")

    @extend_schema(
        request=SignSerializer,
        responses={201: SignedFormSerializer(many=True)},
        examples=[_SIGNED],
        filters=False,
    )
    def create(self, request: Request) -> Response:
        """Keep a signature that the patient gave at the clinic, under each of the forms."""
        asked = self.body(SignSerializer)
        access.require(self.staff, Capability.RUN_VISIT, asked["site"])
        signed = signing.sign(
            patient=asked["patient"],
            forms=signing.forms_of([form.pk for form in asked["forms"]]),
            signature=Signature(
                asked["name"], Signer(asked["signer"]), asked["relation"], asked["drawing"]
            ),
            language=asked["language"],
            site=asked["site"],
            handed_by=self.staff,
            ip=origin.current().ip,
            now=timezone.now(),
        )
        return Response(SignedFormSerializer(signed, many=True).data, status=201)

    @extend_schema(request=WithdrawSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def withdraw(self, request: Request, pk: int) -> Response:
        """Write down that the patient withdraws what they signed."""
        row = withdrawing.withdraw(
            signed=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(WithdrawSerializer),
        )
        return Response(SignedFormSerializer(row).data)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def sheet(self, request: Request, pk: int) -> HttpResponse:
        """Get the PDF that was kept of the signature."""
        return sheet_of(self.get_object())
