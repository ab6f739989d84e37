"""How a site plans: to read and to change, for those who manage it."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.models import SchedulingSettings
from appointments.proposing import tuning
from clinic.api_fields import Body
from clinic.api_views import OfSite


class SettingsSerializer(serializers.ModelSerializer[SchedulingSettings]):
    class Meta:
        model = SchedulingSettings
        fields: tuple[str, ...] = ("site", *tuning.LIMITS, *tuning.TEXTS)


def _points(name: str) -> serializers.FloatField:
    least, most = tuning.LIMITS[name]
    return serializers.FloatField(min_value=least, max_value=most, required=False)


def _whole(name: str) -> serializers.IntegerField:
    least, most = tuning.LIMITS[name]
    return serializers.IntegerField(min_value=least, max_value=most, required=False)


def _text(name: str) -> serializers.CharField:
    return serializers.CharField(max_length=tuning.TEXTS[name], allow_blank=True, required=False)


class TuneSerializer(Body):
    """The settings to change; what is left out stays."""

    hold_minutes = _whole("hold_minutes")
    offer_minutes = _whole("offer_minutes")
    early = _points("early")
    late = _points("late")
    other_provider = _points("other_provider")
    other_weekday = _points("other_weekday")
    off_time = _points("off_time")
    most_off_time = _points("most_off_time")
    finish = _points("finish")
    device_load = _points("device_load")
    idle_gap = _points("idle_gap")
    usable_minutes = _whole("usable_minutes")
    unchanged = _points("unchanged")
    notice_hours = _whole("notice_hours")
    late_terms_en = _text("late_terms_en")
    late_terms_es = _text("late_terms_es")


_SHOWN = {
    "site": 1,
    "hold_minutes": 5,
    "offer_minutes": 15,
    "early": 1.5,
    "late": 1.0,
    "other_provider": 0.0,
    "other_weekday": 6.0,
    "off_time": 1.0,
    "most_off_time": 8.0,
    "finish": 0.05,
    "device_load": 3.0,
    "idle_gap": 2.0,
    "usable_minutes": 30,
    "unchanged": 1000.0,
    "notice_hours": 24,
    "late_terms_en": "A visit that is cancelled later than a day before it costs 50 dollars.",
    "late_terms_es": "",
}


class Scheduling(OfSite):
    @extend_schema(
        methods=["get"],
        summary="Read how a site plans: minutes that places are kept, and points of plans.",
        responses=SettingsSerializer,
        examples=[OpenApiExample("Settings", _SHOWN, response_only=True)],
    )
    @extend_schema(
        methods=["patch"],
        summary="Change how a site plans.",
        request=TuneSerializer,
        responses=SettingsSerializer,
        examples=[
            OpenApiExample("Providers may change freely", {"other_provider": 0}, request_only=True),
            OpenApiExample("Settings", _SHOWN, response_only=True),
        ],
    )
    @action(detail=True, methods=["get", "patch"])
    def scheduling(self, request: Request, pk: int) -> Response:
        """How a site plans."""
        site = self.get_object()
        if request.method == "GET":
            return Response(SettingsSerializer(tuning.settings_of(site=site, by=self.staff)).data)
        changes = self.body(TuneSerializer)
        tuned = tuning.tune(site=site, changes=changes, by=self.staff, now=timezone.now())
        return Response(SettingsSerializer(tuned).data)
