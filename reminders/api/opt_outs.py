"""Closed numbers and addresses: why, since when, by whom; closing one and opening it again."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.api.shapes import ReasonField
from clinic.api_fields import Body, Instant, Seen
from clinic.api_views import Rows
from patients.models import ContactPoint, Patient
from reminders.catalogue import Channel
from reminders.ledger import opting_out
from reminders.models import Suppression, SuppressionSource


class OptOutSerializer(serializers.ModelSerializer[Suppression]):
    since = Instant()

    class Meta:
        model = Suppression
        fields = ("id", "channel", "address", "reason", "source", "by", "note", "code", "since")


class CloseContactSerializer(Body):
    contact_point = Seen(
        lambda staff: ContactPoint.objects.filter(
            patient__in=Patient.objects.seen_by(staff), retired_at=None
        )
    )
    reason = ReasonField(help_text="What the person said, and how.")


class LiftOptOutSerializer(Body):
    reason = ReasonField(help_text="Why it may be used again.")


class LiftedSerializer(serializers.Serializer[Any]):
    lifted = serializers.BooleanField(help_text="False when somebody had lifted it before.")


class OptOutFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    channel = filters.ChoiceFilter(choices=[(each.value, each.value) for each in Channel])

    class Meta:
        model = Suppression
        fields: tuple[str, ...] = ("channel",)


@extend_schema_view(
    list=extend_schema(summary="List the closed numbers and addresses of your patients.")
)
class OptOuts(ListModelMixin, Rows):
    tag = "opt-outs"
    queryset = Suppression.objects.none()
    serializer_class = OptOutSerializer
    filterset_class = OptOutFilter

    def get_queryset(self) -> QuerySet[Suppression]:
        known = ContactPoint.objects.filter(
            patient__in=Patient.objects.seen_by(self.staff), retired_at=None
        )
        return Suppression.objects.filter(
            lifted_at=None, address__in=known.values("value")
        ).order_by("-since", "-id")

    @extend_schema(request=CloseContactSerializer, responses={201: OptOutSerializer})
    def create(self, request: Request) -> Response:
        """Send nothing more to a number or address, for everybody who shares it."""
        asked = self.body(CloseContactSerializer)
        point: ContactPoint = asked["contact_point"]
        channel = opting_out.CHANNEL_OF[point.kind]
        opting_out.opt_out(
            channel=channel,
            address=point.value,
            source=SuppressionSource.STAFF,
            by=self.staff,
            now=timezone.now(),
            reason=asked["reason"],
        )
        closed = Suppression.objects.get(channel=channel, address=point.value, lifted_at=None)
        return Response(OptOutSerializer(closed).data, status=201)

    @extend_schema(request=LiftOptOutSerializer, responses=LiftedSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def lift(self, request: Request, pk: int) -> Response:
        """Open again what staff closed. Who opted out themselves sends START."""
        closed: Suppression = self.get_object()
        lifted = opting_out.opt_in(
            channel=Channel(closed.channel),
            address=closed.address,
            source=SuppressionSource.STAFF,
            by=self.staff,
            now=timezone.now(),
            **self.body(LiftOptOutSerializer),
        )
        return Response({"lifted": lifted})
