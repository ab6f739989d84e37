"""What other settings of a site would change, before they are saved."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import site_settings
from clinic.api.site_settings import SeenSiteSettingsSerializer
from clinic.api_views import OfSite
from reminders.journeys import resetting


class PlanEffectSerializer(serializers.Serializer[Any]):
    patients = serializers.IntegerField(help_text="Whom it may concern.")
    looked_at = serializers.IntegerField(help_text="How many of them were planned both ways.")
    touched = serializers.IntegerField(help_text="How many of these would get other messages.")
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    gone = serializers.IntegerField()


class SiteEffectSerializer(serializers.Serializer[Any]):
    plan = PlanEffectSerializer(allow_null=True, help_text="null: nothing is planned otherwise.")
    texts = serializers.IntegerField(help_text="That wait and would leave with it.")
    emails = serializers.IntegerField(help_text="That wait and would leave with it.")
    silenced = serializers.IntegerField(help_text="Messages that would never be sent.")
    voiced = serializers.IntegerField(help_text="Messages that would be sent after all.")
    visits = serializers.IntegerField(help_text="To come that would have to be complete to start.")
    emptied = serializers.IntegerField(help_text="Sent messages that would lose their words.")


class SiteEffect(OfSite):
    @extend_schema(
        summary="See what other settings of a site would change, and save nothing.",
        request=SeenSiteSettingsSerializer,
        responses=SiteEffectSerializer,
        examples=[
            OpenApiExample("Not live any more", {"live_from": None}, request_only=True),
        ],
    )
    @action(detail=True, methods=["post"], url_path="settings/effect", url_name="settings-effect")
    def effect(self, request: Request, pk: int) -> Response:
        """How many messages, visits and kept words these values would touch."""
        site = self.get_object()
        site_settings.settings_of(site, by=self.staff)
        wanted = site_settings.checked(site, self.body(SeenSiteSettingsSerializer))
        found = resetting.foresee(site=site, changes=wanted, now=timezone.now())
        return Response(SiteEffectSerializer(found).data)
