"""The sites of who asks."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from clinic import access, opening_sites, site_settings, travel
from clinic.api.weekly_hours import (
    WeekOfSerializer,
    WeekSerializer,
    set_week,
    stretches,
    week_from,
)
from clinic.api_fields import Body, Instant, NamedSerializer, Seen
from clinic.api_views import Rows
from clinic.models import OpeningHours, Resource, ResourceKind, Site
from clinic.readiness import Step
from clinic.wall_time import MINUTES_A_DAY


class OpeningHoursSerializer(serializers.ModelSerializer[OpeningHours]):
    class Meta:
        model = OpeningHours
        fields: tuple[str, ...] = ("weekday", "opens", "closes")


class ResourceSerializer(serializers.ModelSerializer[Resource]):
    class Meta:
        model = Resource
        fields: tuple[str, ...] = ("id", "kind", "name", "room_kind", "modality")


class SiteSerializer(serializers.ModelSerializer[Site]):
    opening_hours = OpeningHoursSerializer(many=True)

    class Meta:
        model = Site
        fields: tuple[str, ...] = (
            "id",
            "slug",
            "name",
            "zone",
            "address",
            "phone",
            "opening_hours",
        )


class SiteDetailSerializer(SiteSerializer):
    resources = serializers.SerializerMethodField(help_text="Who and what a visit may hold here.")
    live_from = Instant(
        allow_null=True, help_text="What falls due before is never sent; null: nothing is sent yet."
    )

    class Meta(SiteSerializer.Meta):
        fields = (*SiteSerializer.Meta.fields, "live_from", "resources")

    def get_resources(self, site: Site) -> list[dict[str, Any]]:
        return [dict(row) for row in ResourceSerializer(resources_of(site), many=True).data]


class GoLiveSerializer(Body):
    live_from = Instant(allow_null=True, help_text="null: nothing is sent at all.")


class TravelSerializer(serializers.Serializer[Any]):
    other = NamedSerializer()
    minutes = serializers.IntegerField(
        allow_null=True, help_text="null: nobody said so yet; it counts as no way off."
    )


class SetTravelSerializer(Body):
    other = Seen(lambda _: Site.objects.all(), help_text="The id of another site.")
    minutes = serializers.IntegerField(min_value=0, max_value=MINUTES_A_DAY)


class NewSiteSerializer(Body):
    name = serializers.CharField(max_length=80)
    slug = serializers.CharField(max_length=50, help_text="Its word in addresses; it stays.")
    zone = serializers.CharField(max_length=64, help_text="IANA, America/New_York; it stays.")
    address = serializers.CharField(max_length=200)
    phone = serializers.CharField(max_length=30, help_text="E.164; printed in messages.")
    sms_name = serializers.CharField(max_length=24, help_text="How texts are signed.")
    sms_number = serializers.CharField(max_length=20, help_text="The sender of texts.")
    email_address = serializers.CharField(max_length=254, help_text="The sender of e-mail.")
    reply_to = serializers.CharField(max_length=254, help_text="A mailbox that staff read.")
    hours = stretches(help_text="Of every week; none: never open.")


class StandingSerializer(serializers.Serializer[Any]):
    step = serializers.ChoiceField([(each.value, each.value) for each in Step])
    is_done = serializers.BooleanField()
    sentence = serializers.CharField(help_text="What there is, or what to do.")


_WAYS = [
    {"other": {"id": 2, "name": "Sunset Clinic"}, "minutes": 30},
    {"other": {"id": 3, "name": "Uptown Clinic"}, "minutes": None},
]


def resources_of(site: Site) -> QuerySet[Resource]:
    """The rooms and devices of a site, and the providers who work there."""
    owned = Resource.objects.filter(site=site).exclude(kind=ResourceKind.PROVIDER)
    work_here = Resource.objects.filter(kind=ResourceKind.PROVIDER, hours__site=site)
    return (owned | work_here).filter(is_active=True).distinct()


@extend_schema_view(
    list=extend_schema(summary="List the sites at which you work."),
    retrieve=extend_schema(summary="Read a site with its providers, rooms and devices."),
)
class Sites(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "sites"
    queryset = Site.objects.none()

    def get_queryset(self) -> QuerySet[Site]:
        return access.sites_of(self.staff).prefetch_related("opening_hours")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return SiteDetailSerializer if self.action == "retrieve" else SiteSerializer

    @extend_schema(
        summary="Open another site, which you manage then.",
        description="For who manages every site. It sends nothing until it goes live.",
        request=NewSiteSerializer,
        responses={201: SiteDetailSerializer},
        examples=[
            OpenApiExample(
                "In the west",
                {
                    "name": "Harbour West",
                    "slug": "harbour-west",
                    "zone": "America/Denver",
                    "address": "9 Mesa Street, Denver, CO 80202",
                    "phone": "+13035550100",
                    "sms_name": "Harbour West",
                    "sms_number": "+13035550101",
                    "email_address": "west@clinic.example",
                    "reply_to": "desk@clinic.example",
                    "hours": [{"weekday": 0, "starts": 540, "ends": 1020}],
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        asked = self.body(NewSiteSerializer)
        site = opening_sites.open_site(
            slug=asked["slug"],
            zone=asked["zone"],
            said={name: asked[name] for name in opening_sites.SAID},
            week=week_from(asked["hours"]),
            by=self.staff,
            now=timezone.now(),
        )
        return Response(SiteDetailSerializer(site).data, status=201)

    @extend_schema(
        summary="Read what a site still needs, to be booked at and to send.",
        responses=StandingSerializer(many=True),
        examples=[
            OpenApiExample(
                "Of a new site",
                [
                    {"step": "hours", "is_done": True, "sentence": "The site has opening hours."},
                    {
                        "step": "rooms",
                        "is_done": False,
                        "sentence": "Add a room: every visit is in one.",
                    },
                ],
                response_only=True,
            )
        ],
    )
    @action(detail=True, methods=["get"], filter_backends=(), pagination_class=None)
    def readiness(self, request: Request, pk: int) -> Response:
        found = opening_sites.readiness(self.get_object(), by=self.staff, now=timezone.now())
        return Response(StandingSerializer(found, many=True).data)

    @extend_schema(
        methods=["get"],
        summary="Read how long the ways from a site to the others take.",
        responses=TravelSerializer(many=True),
        examples=[OpenApiExample("Two other sites", _WAYS, response_only=True)],
    )
    @extend_schema(
        methods=["put"],
        summary="Say how long the way from a site to another one takes.",
        request=SetTravelSerializer,
        responses=TravelSerializer(many=True),
        examples=[
            OpenApiExample("Half an hour", {"other": 2, "minutes": 30}, request_only=True),
            OpenApiExample("Two other sites", _WAYS, response_only=True),
        ],
    )
    @action(detail=True, methods=["get", "put"])
    def travel(self, request: Request, pk: int) -> Response:
        """The minutes that a patient needs to each other site, the same in either direction."""
        site = self.get_object()
        if request.method == "PUT":
            asked = self.body(SetTravelSerializer)
            way = {asked["other"]: asked["minutes"]}
            travel.set_minutes(site=site, minutes=way, by=self.staff, now=timezone.now())
        minutes = travel.minutes_from(site)
        ways = [{"other": other, "minutes": minutes.get(other.pk)} for other in travel.others(site)]
        return Response(TravelSerializer(ways, many=True).data)

    @extend_schema(
        request=GoLiveSerializer,
        responses=SiteDetailSerializer,
        examples=[
            OpenApiExample("On a Monday", {"live_from": "2027-03-01T14:00:00Z"}, request_only=True)
        ],
    )
    @action(detail=True, methods=["put"], url_path="go-live")
    def go_live(self, request: Request, pk: int) -> Response:
        """Say from when on the site sends. What falls due before is never sent."""
        asked = self.body(GoLiveSerializer)
        site = site_settings.change(
            site=self.get_object(), changes=asked, by=self.staff, now=timezone.now()
        )
        return Response(SiteDetailSerializer(site).data)

    @extend_schema(
        summary="Give the site opening hours of every week.",
        request=WeekSerializer,
        responses={200: WeekOfSerializer},
    )
    @action(detail=True, methods=["post"])
    def week(self, request: Request, pk: int) -> Response:
        site = self.get_object()
        stands = set_week(site=site, asked=self.body(WeekSerializer), by=self.staff)
        return Response(WeekOfSerializer(stands).data)
