"""The words of messages: drafts, versions, and what the linter says of them."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import access
from clinic.access import Capability
from clinic.api_views import IdFilter, Rows
from reminders.api import wording_shapes as shapes
from reminders.catalogue import Kind
from reminders.journeys import addressing
from reminders.models import WordingState, WordingVersion
from reminders.rewording import checking, drafting, publishing, scopes
from reminders.wording import versions
from reminders.wording.phrases import PhraseError
from reminders.wording.samples import TextSample, samples


class WordingFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site; those of all sites have none.")
    kind = filters.MultipleChoiceFilter(choices=[(each.value, each.value) for each in Kind])
    language = filters.CharFilter()
    state = filters.MultipleChoiceFilter(choices=WordingState.choices)

    class Meta:
        model = WordingVersion
        fields: tuple[str, ...] = ("site", "kind", "language", "state")


class DetailSerializer(shapes.WordingDetailSerializer):
    @extend_schema_field(shapes.FindingSerializer(many=True))
    def get_findings(self, row: WordingVersion) -> Any:
        return shapes.FindingSerializer(checking.of_row(row), many=True).data

    def get_waiting(self, row: WordingVersion) -> int:
        return publishing.waiting_messages(row.site, Kind(row.kind), row.language)


@extend_schema_view(
    list=extend_schema(summary="List versions by site, kind, language and state."),
    retrieve=extend_schema(summary="Read a version with all that is to be said of it."),
)
class Wordings(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "wordings"
    queryset = WordingVersion.objects.none()
    filterset_class = WordingFilter

    def get_queryset(self) -> QuerySet[WordingVersion]:
        rows = scopes.seen_by(self.staff).select_related("site")
        return rows.order_by("kind", "language", "site_id", "-number")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return shapes.WordingSerializer if self.action == "list" else DetailSerializer

    @extend_schema(
        request=shapes.DraftSerializer,
        responses={200: DetailSerializer},
        examples=[OpenApiExample("A new draft", shapes.EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Save the draft of a kind in a language, or make it. Patients read it once published."""
        sent = self.body(shapes.DraftSerializer)
        sources = shapes.sources_of(sent)
        row = drafting.save(
            scope=sent["site"],
            kind=Kind(sent["kind"]),
            language=sent["language"],
            sources=sources,
            seen=sent["digest"],
            by=self.staff,
            now=timezone.now(),
        )
        return Response(DetailSerializer(row).data)

    @extend_schema(
        request=shapes.ForSerializer,
        responses={200: shapes.CheckedSerializer},
        examples=[OpenApiExample("What is to be said of it", shapes.EXAMPLE, request_only=True)],
    )
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def check(self, request: Request) -> Response:
        """Lint phrases and show how patients would read them. Nothing is stored."""
        sent = self.body(shapes.ForSerializer)
        access.require(self.staff, Capability.MANAGE_MESSAGES, sent["site"])
        sources = versions.tidied(shapes.sources_of(sent))
        kind, language, scope = Kind(sent["kind"]), sent["language"], sent["site"]
        found = checking.findings(sources, kind=kind, language=language, scope=scope)
        shown = self._samples(sources, kind, language, scope)
        return Response(shapes.CheckedSerializer({"findings": found, "samples": shown}).data)

    @extend_schema(
        request=shapes.PublishSerializer,
        responses={200: DetailSerializer},
        examples=[
            OpenApiExample(
                "With one warning accepted",
                {"digest": "5d41…", "accepted": ["perhaps_offer:opening:free"]},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def publish(self, request: Request, pk: int) -> Response:
        """Put a draft in force. It is in the next message; nothing is planned anew."""
        sent = self.body(shapes.PublishSerializer)
        publishing.publish(
            draft=self.get_object(),
            seen=sent["digest"],
            accepted=sent["accepted"],
            by=self.staff,
            now=timezone.now(),
        )
        return self._fresh()

    @extend_schema(request=None, responses={200: DetailSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def retire(self, request: Request, pk: int) -> Response:
        """Take a version out of force. Those of all sites hold again, else those of the product."""
        publishing.retire(version=self.get_object(), by=self.staff, now=timezone.now())
        return self._fresh()

    @extend_schema(request=None, responses={200: DetailSerializer})
    @action(detail=True, methods=["post"], filterset_class=None, url_path="take-up")
    def take_up(self, request: Request, pk: int) -> Response:
        """Begin a draft with the words of a version that was published before."""
        row = drafting.take_up(version=self.get_object(), by=self.staff, now=timezone.now())
        return Response(DetailSerializer(row).data)

    @extend_schema(request=shapes.DigestSerializer, responses={204: None})
    @action(detail=True, methods=["post"], filterset_class=None)
    def discard(self, request: Request, pk: int) -> Response:
        """Throw a draft away. What patients read stays."""
        sent = self.body(shapes.DigestSerializer)
        drafting.discard(
            draft=self.get_object(), seen=sent["digest"], by=self.staff, now=timezone.now()
        )
        return Response(status=204)

    def _fresh(self) -> Response:
        return Response(DetailSerializer(self.get_object()).data)

    def _samples(
        self, sources: versions.Sources, kind: Kind, language: str, scope: scopes.Scope
    ) -> tuple[TextSample, ...]:
        """How the text message reads; none while the notation cannot be read."""
        site = scope or access.sites_of(self.staff)[0]
        try:
            wording = versions.version(sources).wording
        except (PhraseError, KeyError):
            return ()
        return samples(
            wording,
            kind=kind,
            language=language,
            sender=addressing.sender_of(site),
            link=checking.sample_link(),
        ).texts
