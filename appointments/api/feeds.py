"""Calendar feeds: to list, make and revoke. The calendars themselves are at their addresses."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.api.shapes import providers_seen
from appointments.feeds import subscriptions
from appointments.models import CalendarFeed, FeedDetail
from clinic import access
from clinic.api_fields import Body, Instant, NamedSerializer, Seen
from clinic.api_views import IdFilter, Rows


class FeedSerializer(serializers.ModelSerializer[CalendarFeed]):
    provider = NamedSerializer(allow_null=True, help_text="Null is everybody at the site.")
    made_by = NamedSerializer()
    made_at = Instant()
    read_at = Instant(allow_null=True, help_text="When it was last read, to a few minutes.")
    revoked_at = Instant(allow_null=True)

    class Meta:
        model = CalendarFeed
        fields: tuple[str, ...] = (
            *("id", "site", "provider", "detail"),
            *("made_by", "made_at", "read_at", "revoked_at"),
        )


class MadeFeedSerializer(FeedSerializer):
    """The feed with its address, which is told this once."""

    address = serializers.SerializerMethodField(help_text="For a calendar program; keep it secret.")

    class Meta(FeedSerializer.Meta):
        fields = (*FeedSerializer.Meta.fields, "address")

    def get_address(self, feed: CalendarFeed) -> str:
        return subscriptions.address(self.context["token"])


class MakeSerializer(Body):
    site = Seen(access.sites_of)
    provider = Seen(
        providers_seen, required=False, allow_null=True, help_text="Everybody when left out."
    )
    detail = serializers.ChoiceField(FeedDetail.choices, default=FeedDetail.BUSY)


class FeedFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    provider = IdFilter(field_name="provider", label="The id of a provider.")
    open = filters.BooleanFilter(
        field_name="revoked_at", lookup_expr="isnull", label="Whether it is not revoked."
    )

    class Meta:
        model = CalendarFeed
        fields = ("site", "provider", "open")


@extend_schema_view(list=extend_schema(summary="List the calendar feeds of your sites."))
class Feeds(ListModelMixin, Rows):
    tag = "calendar feeds"
    queryset = CalendarFeed.objects.none()
    serializer_class = FeedSerializer
    filterset_class = FeedFilter

    def get_queryset(self) -> QuerySet[CalendarFeed]:
        return CalendarFeed.objects.seen_by(self.staff).select_related("provider", "made_by")

    @extend_schema(
        request=MakeSerializer,
        responses={201: MadeFeedSerializer},
        examples=[
            OpenApiExample(
                "A provider's visits with initials",
                {"site": 1, "provider": 4, "detail": "initials"},
                request_only=True,
            ),
            OpenApiExample("All visits of a site as busy", {"site": 1}, request_only=True),
            OpenApiExample(
                "The address is told once",
                {
                    "id": 3,
                    "site": 1,
                    "provider": {"id": 4, "name": "Sam Okafor"},
                    "detail": "initials",
                    "made_by": {"id": 2, "name": "Sam Okafor"},
                    "made_at": "2027-03-04T15:00:00Z",
                    "read_at": None,
                    "revoked_at": None,
                    "address": "https://clinic.example/feeds/7sQm…Zk.ics",
                },
                response_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        """Make a feed of a provider's or a whole site's visits. Its address is told this once."""
        asked: dict[str, Any] = {"provider": None, **self.body(MakeSerializer)}
        asked["detail"] = FeedDetail(asked["detail"])
        token, made = subscriptions.make(by=self.staff, now=timezone.now(), **asked)
        return Response(MadeFeedSerializer(made, context={"token": token}).data, status=201)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None)
    def revoke(self, request: Request, pk: int) -> Response:
        """Close a feed for good. Its address never opens again."""
        revoked = subscriptions.revoke(feed=self.get_object(), by=self.staff, now=timezone.now())
        return Response(FeedSerializer(revoked).data)
