"""What a site says of itself and how it sends: to read and to change, for those who manage it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import site_settings
from clinic.api_fields import Body, Day, Instant
from clinic.api_views import OfSite
from clinic.models import Site


class SiteSettingsSerializer(serializers.ModelSerializer[Site]):
    live_from = Instant(allow_null=True)

    class Meta:
        model = Site
        fields: tuple[str, ...] = ("id", "slug", "zone", *site_settings.SETTINGS)


def _text(most: int, help_text: str = "", **kwargs: Any) -> serializers.CharField:
    return serializers.CharField(max_length=most, required=False, help_text=help_text, **kwargs)


def _day(help_text: str) -> Day:
    return Day(required=False, allow_null=True, help_text=help_text)


def _whole(name: str, help_text: str) -> serializers.IntegerField:
    least, most = site_settings.LIMITS[name]
    return serializers.IntegerField(
        min_value=least, max_value=most, required=False, help_text=help_text
    )


class SeenSiteSettingsSerializer(Body):
    name = _text(80)
    address = _text(200)
    phone = _text(30, "E.164; printed in messages.")
    sms_name = _text(24, "How texts are signed; plain letters.")
    sms_number = _text(20, "The sender of texts, as their provider knows it.")
    email_address = _text(254, "The sender of e-mail.")
    reply_to = _text(254, "A mailbox that staff read.")
    canary_number = _text(30, "Gets the test texts; empty: none.", allow_blank=True)
    live_from = Instant(required=False, allow_null=True, help_text="null: nothing is sent at all.")
    notice_hold_seconds = _whole("notice_hold_seconds", "How long a notice can be undone.")
    spread_minutes = _whole("spread_minutes", "Over which what falls due for many leaves.")
    week_reminders_from = _day("From when on visits have a reminder a week before; null: never.")
    nudges_from = _day("From when on who has not confirmed gets one more text; null: never.")
    clearance_from = _day("From when on treatment starts only when nothing is lacking.")
    review_url = _text(200, "An address with https.", allow_blank=True)
    reviews_from = _day("From when on patients are asked for a review; null: nobody is.")
    birthdays_from = _day("From when on patients are greeted; null: nobody is.")
    words_kept_days = _whole("words_kept_days", "Then the words of sent messages are emptied.")


class ChangeSiteSettingsSerializer(SeenSiteSettingsSerializer):
    """The settings to change; what is left out stays."""

    seen = SeenSiteSettingsSerializer(
        required=False, help_text="The values in whose place these are meant; 409 for others."
    )


SHOWN = {
    "id": 1,
    "slug": "harbour",
    "zone": "America/New_York",
    "name": "Harbour Skin Clinic",
    "address": "1 Harbour Street, New York, NY 10004",
    "phone": "+12125550100",
    "sms_name": "Harbour Skin",
    "sms_number": "+12125550101",
    "email_address": "harbour@clinic.example",
    "reply_to": "desk@clinic.example",
    "canary_number": "",
    "live_from": "2027-01-04T14:00:00Z",
    "notice_hold_seconds": 180,
    "spread_minutes": 10,
    "week_reminders_from": None,
    "nudges_from": None,
    "clearance_from": None,
    "review_url": "",
    "reviews_from": None,
    "birthdays_from": None,
    "words_kept_days": 2557,
}


class SiteSettings(OfSite):
    @extend_schema(
        methods=["get"],
        summary="Read the settings of a site.",
        responses=SiteSettingsSerializer,
        examples=[OpenApiExample("Its settings", SHOWN, response_only=True)],
    )
    @extend_schema(
        methods=["patch"],
        summary="Change the settings of a site.",
        request=ChangeSiteSettingsSerializer,
        responses=SiteSettingsSerializer,
        examples=[
            OpenApiExample(
                "Another number",
                {"phone": "+12125550111", "seen": {"phone": "+12125550100"}},
                request_only=True,
            ),
            OpenApiExample("Its settings", SHOWN, response_only=True),
        ],
    )
    @action(detail=True, methods=["get", "patch"], url_path="settings", url_name="settings")
    def of_site(self, request: Request, pk: int) -> Response:
        """What the site says of itself, and how and from when on it sends."""
        site = self.get_object()
        if request.method == "GET":
            site_settings.settings_of(site, by=self.staff)
            return Response(SiteSettingsSerializer(site).data)
        changes = self.body(ChangeSiteSettingsSerializer)
        seen = changes.pop("seen", None)
        changed = site_settings.change(
            site=site, changes=changes, seen=seen, by=self.staff, now=timezone.now()
        )
        return Response(SiteSettingsSerializer(changed).data)
