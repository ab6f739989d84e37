"""Phrases for the notes of treatment logs: of each site, to list, add and remove."""

from __future__ import annotations

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.charting import phrasing
from appointments.models import Phrase
from appointments.models.phrase import PHRASE_LENGTH
from clinic import access
from clinic.api_fields import Body, Seen
from clinic.api_views import IdFilter, Rows


class PhraseSerializer(serializers.ModelSerializer[Phrase]):
    class Meta:
        model = Phrase
        fields: tuple[str, ...] = ("id", "site", "text")


class AddPhraseSerializer(Body):
    site = Seen(access.sites_of)
    text = serializers.CharField(max_length=PHRASE_LENGTH, help_text="Name no patient.")


class PhraseFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")

    class Meta:
        model = Phrase
        fields = ("site",)


@extend_schema_view(list=extend_schema(summary="List the phrases of your sites."))
class Phrases(ListModelMixin, Rows):
    tag = "logs"
    queryset = Phrase.objects.none()
    serializer_class = PhraseSerializer
    filterset_class = PhraseFilter

    def get_queryset(self) -> QuerySet[Phrase]:
        return Phrase.objects.filter(site__in=access.sites_of(self.staff)).select_related("site")

    @extend_schema(
        request=AddPhraseSerializer,
        responses={201: PhraseSerializer},
        examples=[
            OpenApiExample(
                "What is often seen",
                {"site": 1, "text": "Cooled for ten minutes after treating."},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Add a phrase for the notes of a site's logs."""
        made = phrasing.add(by=self.staff, now=timezone.now(), **self.body(AddPhraseSerializer))
        return Response(PhraseSerializer(made).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Offer a phrase no more; notes that have it keep it."""
        phrasing.remove(phrase=self.get_object(), by=self.staff, now=timezone.now())
        return Response(status=204)
