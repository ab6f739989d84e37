"""Patients, how they are reached, and what they agreed to."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import access
from clinic.api_fields import Body, Instant, Seen
from clinic.api_views import IdFilter, Rows, router
from patients import consent, registration
from patients.audit_api import AuditTrail
from patients.models import ConsentChannel, ContactConsent, ContactPoint, Language, Patient, Purpose
from patients.models.consent import ConsentSource
from patients.registration import RecordMerged
from patients.signed_forms_api import AskedSerializer, SignedForms
from patients.signing import asking

NOTES_LENGTH = 10_000


# --- Shapes ---------------------------------------------------------------------------------------


class ContactPointSerializer(serializers.ModelSerializer[ContactPoint]):
    class Meta:
        model = ContactPoint
        fields = ("kind", "value", "is_preferred")


class PatientSerializer(serializers.ModelSerializer[Patient]):
    contact_points = ContactPointSerializer(many=True, help_text="Those in use.")
    created_at = Instant()
    deceased_at = Instant(allow_null=True)
    sites = serializers.SerializerMethodField(help_text="Ids of the sites that treat the patient.")

    class Meta:
        model = Patient
        fields = (
            *("id", "legal_given", "legal_family", "preferred_name", "birth_date", "language"),
            *("zone", "quiet_from", "quiet_until", "notes", "sites", "contact_points"),
            *("created_at", "deceased_at", "version"),
        )

    def get_sites(self, patient: Patient) -> list[int]:
        return [site.pk for site in patient.sites.all()]


class _Details(Body):
    """What is written down of a patient."""

    preferred_name = serializers.CharField(max_length=60, allow_blank=True, required=False)
    language = serializers.ChoiceField(Language.choices, required=False)
    zone = serializers.CharField(
        max_length=64, allow_blank=True, required=False, help_text="IANA; empty is the site's."
    )
    quiet_from = serializers.TimeField(
        allow_null=True, required=False, help_text="The patient's own quiet hours, with the other."
    )
    quiet_until = serializers.TimeField(allow_null=True, required=False)
    notes = serializers.CharField(max_length=NOTES_LENGTH, allow_blank=True, required=False)
    phone = serializers.CharField(
        max_length=40, allow_blank=True, required=False, help_text="Mobile; stored as E.164."
    )
    email = serializers.CharField(max_length=254, allow_blank=True, required=False)


class RegisterSerializer(_Details):
    legal_given = serializers.CharField(max_length=60)
    legal_family = serializers.CharField(max_length=60)
    birth_date = serializers.DateField()
    site = Seen(access.sites_of)


class ChangeSerializer(_Details):
    """What changes; what is left out stays. An empty `phone` or `email` is retired."""

    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, help_text="The one that was seen."
    )
    legal_given = serializers.CharField(max_length=60, required=False)
    legal_family = serializers.CharField(max_length=60, required=False)
    birth_date = serializers.DateField(required=False)


class ConsentSerializer(serializers.ModelSerializer[ContactConsent]):
    opened_at = Instant()
    closed_at = Instant(allow_null=True)

    class Meta:
        model = ContactConsent
        fields = (
            *("id", "purpose", "channel", "wording", "opened_at", "opened_by", "opened_source"),
            *("closed_at", "closed_by", "closed_source"),
        )


class ConsentBodySerializer(Body):
    purpose = serializers.ChoiceField(Purpose.choices)
    channel = serializers.ChoiceField(ConsentChannel.choices)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # the name is the field's here
        ConsentSource.choices, default=ConsentSource.FRONT_DESK
    )


class WithdrawnSerializer(serializers.Serializer[Any]):
    withdrawn = serializers.BooleanField(help_text="False when there was nothing to withdraw.")


class PossibleDuplicatesSerializer(Body):
    legal_given = serializers.CharField(max_length=60)
    legal_family = serializers.CharField(max_length=60)
    birth_date = serializers.DateField()
    phone = serializers.CharField(max_length=40, allow_blank=True, default="")


# --- Endpoints ------------------------------------------------------------------------------------


class PatientFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    q = filters.CharFilter(
        method="found",
        label="Beginnings of names, a birth date, four digits or more of a number, or `#` and id.",
        max_length=100,
    )
    site = IdFilter(field_name="sites", label="The id of one of your sites.")

    class Meta:
        model = Patient
        fields = ("q", "site")

    def found(self, rows: QuerySet[Patient], name: str, query: str) -> QuerySet[Patient]:
        found = registration.search(staff=self.request.user, query=query)
        return _whole(found)  # type: ignore[arg-type]


_AGREED = OpenApiExample(
    "Care by text message",
    {"purpose": "care", "channel": "sms", "source": "front_desk"},
    request_only=True,
)


@extend_schema_view(
    list=extend_schema(summary="List or search the patients of your sites."),
    retrieve=extend_schema(summary="Read a patient."),
)
class Patients(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "patients"
    queryset = Patient.objects.none()
    serializer_class = PatientSerializer
    filterset_class = PatientFilter

    def patient_of(self, row: Patient) -> int | None:
        return row.pk

    def get_queryset(self) -> QuerySet[Patient]:
        return _whole(Patient.objects.seen_by(self.staff))

    def get_object(self) -> Patient:
        try:
            found: Patient = super().get_object()
        except Http404:
            kept = registration.stands_as(staff=self.staff, patient_id=self.kwargs["pk"])
            if kept is not None:
                raise RecordMerged(kept.pk) from None
            raise
        return found

    @extend_schema(
        request=RegisterSerializer,
        responses={201: PatientSerializer},
        examples=[
            OpenApiExample(
                "A new patient",
                {
                    "legal_given": "Elena",
                    "legal_family": "Sato",
                    "birth_date": "1988-05-04",
                    "phone": "+1 212 555 0123",
                    "email": "elena@patients.example",
                    "language": "es",
                    "site": 1,
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Register a patient at one of your sites."""
        new = registration.register(
            by=self.staff, now=timezone.now(), **self.body(RegisterSerializer)
        )
        return Response(self._shown(new), status=201)

    @extend_schema(request=ChangeSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is sent, if the patient is still at the `version` that was seen."""
        patient, changes = self.get_object(), self.body(ChangeSerializer)
        changed = registration.change(
            patient=patient,
            expected_version=changes.pop("version"),
            by=self.staff,
            now=timezone.now(),
            **changes,
        )
        return Response(self._shown(changed))

    @extend_schema(
        request=PossibleDuplicatesSerializer, responses=PatientSerializer(many=True), filters=False
    )
    @action(detail=False, methods=["post"], url_path="possible-duplicates", pagination_class=None)
    def possible_duplicates(self, request: Request) -> Response:
        """Find the patients who may be the person that you are about to register."""
        found = registration.possible_duplicates(
            staff=self.staff, **self.body(PossibleDuplicatesSerializer)
        )
        rows = _whole(Patient.objects.filter(pk__in=[patient.pk for patient in found]))
        self.listed(rows)
        return Response(PatientSerializer(rows, many=True).data)

    @extend_schema(responses=ConsentSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def consents(self, request: Request, pk: int) -> Response:
        """List every consent of a patient, the open and the closed, the latest first."""
        rows = self.get_object().consents.all()
        return Response(ConsentSerializer(rows, many=True).data)

    @extend_schema(
        request=ConsentBodySerializer, responses={201: ConsentSerializer}, examples=[_AGREED]
    )
    @consents.mapping.post
    def give_consent(self, request: Request, pk: int) -> Response:
        """Write down that the patient agreed. An open consent is given back as it is."""
        given = consent.give(
            patient=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(ConsentBodySerializer),
        )
        return Response(ConsentSerializer(given).data, status=201)

    @extend_schema(request=ConsentBodySerializer, responses=WithdrawnSerializer, examples=[_AGREED])
    @action(detail=True, methods=["post"], url_path="consents/withdraw")
    def withdraw_consent(self, request: Request, pk: int) -> Response:
        """Withdraw a consent. It counts from the next message on."""
        closed = consent.withdraw(
            patient=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(ConsentBodySerializer),
        )
        return Response({"withdrawn": closed})

    @extend_schema(
        responses=AskedSerializer(many=True),
        filters=False,
        parameters=[OpenApiParameter("protocol", str, description="Its id, such as `ipl`.")],
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def forms(self, request: Request, pk: int) -> Response:
        """List the consent forms in force for photos and a protocol, and where they stand."""
        protocol = str(request.query_params.get("protocol", ""))[:50].replace("\x00", "")
        protocols = [protocol] if protocol else []
        asked = asking.of_patient(self.get_object(), protocols, now=timezone.now())
        return Response(AskedSerializer(asked, many=True).data)

    def _shown(self, patient: Patient) -> Any:
        return PatientSerializer(_whole(Patient.objects.filter(pk=patient.pk)).get()).data


def _whole(rows: QuerySet[Patient]) -> QuerySet[Patient]:
    standing = ContactPoint.objects.filter(retired_at=None)
    return rows.prefetch_related("sites", Prefetch("contact_points", queryset=standing))


_router = router()
_router.register("patients", Patients, basename="api-patients")
_router.register("audit", AuditTrail, basename="api-audit")
_router.register("signed-forms", SignedForms, basename="api-signed-forms")

urlpatterns = _router.urls
