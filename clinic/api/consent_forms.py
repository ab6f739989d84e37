"""Consent forms to read, to write and to publish."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic.api_fields import Body, Instant, NamedSerializer
from clinic.api_views import Rows
from clinic.consent_forms import drafting, publishing
from clinic.consent_forms.in_force import Subject
from clinic.consent_forms.wording import LANGUAGES, LONGEST_BODY, LONGEST_TITLE, Words
from clinic.models import ConsentForm, ConsentPurpose, ProtocolVersion


class ConsentFormSerializer(serializers.ModelSerializer[ConsentForm]):
    created_at = Instant()
    published_at = Instant(allow_null=True)
    published_by = NamedSerializer(allow_null=True)
    retired_at = Instant(allow_null=True)

    class Meta:
        model = ConsentForm
        fields = (
            *("id", "purpose", "protocol", "number", "state", "title_en", "body_en"),
            *("title_es", "body_es", "valid_for", "asks_anew", "digest", "digest_en"),
            *("digest_es", "created_at", "published_at", "published_by", "retired_at"),
        )


class ConsentFormFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    class Meta:
        model = ConsentForm
        fields: tuple[str, ...] = ("purpose", "protocol", "state")


class SeenSerializer(Body):
    seen = serializers.CharField(
        max_length=64, allow_blank=True, default="", help_text="The digest of the draft you read."
    )


class PublishFormSerializer(SeenSerializer):
    asks_anew = serializers.BooleanField(
        default=True, help_text="Whether who signed an earlier edition signs again."
    )


class DraftFormSerializer(SeenSerializer):
    """The words of a form in every language; `protocol` for a treatment only."""

    purpose = serializers.ChoiceField(ConsentPurpose.choices)
    protocol = serializers.SlugField(max_length=50, allow_blank=True, default="")
    title_en = serializers.CharField(max_length=LONGEST_TITLE)
    body_en = serializers.CharField(max_length=LONGEST_BODY)
    title_es = serializers.CharField(max_length=LONGEST_TITLE)
    body_es = serializers.CharField(max_length=LONGEST_BODY)
    valid_for = serializers.CharField(
        max_length=12, allow_blank=True, default="", help_text="Such as P12M; empty has no end."
    )

    def validate(self, typed: dict[str, Any]) -> dict[str, Any]:
        is_treatment = typed["purpose"] == ConsentPurpose.TREATMENT
        known = ProtocolVersion.objects.filter(protocol=typed["protocol"]).exists()
        if is_treatment != bool(typed["protocol"]) or (is_treatment and not known):
            raise serializers.ValidationError(
                {"protocol": "Name the protocol for a treatment, and none for photos."}
            )
        return typed


_DRAFT = OpenApiExample(
    "A new edition",
    {
        "purpose": "treatment",
        "protocol": "rf_microneedling",
        "title_en": "Consent to RF microneedling",
        "body_en": "## The treatment\nFine needles …\n\n## Risks\n- burns\n- scarring",
        "title_es": "Consentimiento para radiofrecuencia con microagujas",
        "body_es": "## El tratamiento\nAgujas finas …\n\n## Riesgos\n- quemaduras\n- cicatrices",
        "valid_for": "P12M",
        "seen": "",
    },
    request_only=True,
)


@extend_schema_view(
    list=extend_schema(summary="List the editions of every consent form."),
    retrieve=extend_schema(summary="Read one edition of a consent form in every language."),
)
class ConsentForms(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "consent-forms"
    queryset = ConsentForm.objects.select_related("published_by")
    serializer_class = ConsentFormSerializer
    filterset_class = ConsentFormFilter

    @extend_schema(
        request=DraftFormSerializer, responses={201: ConsentFormSerializer}, examples=[_DRAFT]
    )
    def create(self, request: Request) -> Response:
        """Save the draft of a form, as the clinical lead."""
        typed = self.body(DraftFormSerializer)
        subject: Subject = (typed["purpose"], typed["protocol"])
        saved = drafting.save(
            subject=subject,
            words={
                each: Words(typed[f"title_{each}"], typed[f"body_{each}"]) for each in LANGUAGES
            },
            valid_for=typed["valid_for"],
            seen=typed["seen"],
            by=self.staff,
            now=timezone.now(),
        )
        return Response(ConsentFormSerializer(saved).data, status=201)

    @extend_schema(request=PublishFormSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def publish(self, request: Request, pk: int) -> Response:
        """Let patients sign a draft from now on, as the clinical lead."""
        published = publishing.publish(
            draft=self.get_object(),
            by=self.staff,
            now=timezone.now(),
            **self.body(PublishFormSerializer),
        )
        return Response(ConsentFormSerializer(published).data)

    @extend_schema(request=SeenSerializer, responses={204: None})
    @action(detail=True, methods=["post"], filterset_class=None)
    def discard(self, request: Request, pk: int) -> Response:
        """Throw a draft away, as the clinical lead."""
        drafting.discard(
            draft=self.get_object(), by=self.staff, now=timezone.now(), **self.body(SeenSerializer)
        )
        return Response(status=204)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def retire(self, request: Request, pk: int) -> Response:
        """Ask patients for the published edition no more, as the clinical lead."""
        retired = publishing.retire(form=self.get_object(), by=self.staff, now=timezone.now())
        return Response(ConsentFormSerializer(retired).data)
