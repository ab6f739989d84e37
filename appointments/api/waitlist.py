"""The wait-list: who waits, what opened, who matches it, and the offers made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.api.shapes import VisitSerializer, providers_seen, rows_shown
from appointments.claiming import gaps
from appointments.models import (
    Appointment,
    Gap,
    Invitation,
    Offer,
    TreatmentSeries,
    WaitlistEntry,
)
from appointments.waitlist import entries, matching, offering
from appointments.waitlist.entries import EarlierVisit, FirstVisit, NextSession, Target
from appointments.waitlist.wishes import MOST_NOTICE, MOST_PRIORITY, NOTE_LENGTH, Wishes
from clinic import access
from clinic.api_errors import ErrorSerializer
from clinic.api_fields import Body, Day, Instant, NamedSerializer, PlaceSerializer, Retold, Seen
from clinic.api_views import DayFilter, IdFilter, Rows
from clinic.models import ProtocolVersion, Staff
from clinic.wall_time import MINUTES_A_DAY
from patients.models import Patient

# --- What is asked --------------------------------------------------------------------------------


def _versions(staff: Staff) -> QuerySet[ProtocolVersion]:
    return ProtocolVersion.objects.all()


class WishesSerializer(Body):
    """Conditions on the place; what is left out is none."""

    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6),
        max_length=7,
        default=list,
        help_text="0 is Monday; empty is any.",
    )
    earliest = serializers.IntegerField(
        min_value=0, max_value=MINUTES_A_DAY, default=0, help_text="Minute of the wall clock."
    )
    latest = serializers.IntegerField(
        min_value=0, max_value=MINUTES_A_DAY, default=MINUTES_A_DAY, help_text="Of the start."
    )
    first_day = Day(allow_null=True, default=None)
    last_day = Day(allow_null=True, default=None)
    provider = Seen(providers_seen, allow_null=True, default=None, help_text="The id of one.")
    notice_minutes = serializers.IntegerField(min_value=0, max_value=MOST_NOTICE, default=120)
    priority = serializers.IntegerField(min_value=0, max_value=MOST_PRIORITY, default=0)
    note = serializers.CharField(max_length=NOTE_LENGTH, allow_blank=True, default="")


class AddEntrySerializer(WishesSerializer):
    """`appointment` for an earlier time of it, `series` for its next session, or `patient`,
    `site`, `protocol` and `areas` for a first visit."""

    appointment = Seen(Appointment.objects.seen_by, required=False)
    series = Seen(TreatmentSeries.objects.seen_by, required=False)
    patient = Seen(Patient.objects.seen_by, required=False)
    site = Seen(access.sites_of, required=False)
    protocol = Seen(_versions, required=False, help_text="The id of an approved version.")
    areas = serializers.ListField(
        child=serializers.SlugField(max_length=50), max_length=20, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first = {"patient", "site", "protocol", "areas"} & set(attrs)
        given = [name for name in ("appointment", "series") if name in attrs]
        if len(given) + bool(first) != 1 or (first and len(first) < 4):
            raise serializers.ValidationError(
                "Send appointment, or series, or patient with site, protocol and areas."
            )
        return attrs


def _target(asked: dict[str, Any]) -> Target:
    """What is waited for, taken out of what was asked: the wishes are left."""
    names = ("appointment", "series", "patient", "site", "protocol", "areas")
    sent = {name: asked.pop(name, None) for name in names}
    if sent["appointment"]:
        return EarlierVisit(sent["appointment"])
    if sent["series"]:
        return NextSession(sent["series"])
    return FirstVisit(sent["patient"], sent["site"], sent["protocol"], tuple(sent["areas"]))


def _entries(staff: Staff) -> QuerySet[WaitlistEntry]:
    return WaitlistEntry.objects.seen_by(staff).select_related("patient", "site")


class OfferGapSerializer(Body):
    entries = serializers.ListField(
        child=Seen(_entries), min_length=1, max_length=offering.MOST_INVITED, help_text="Ids."
    )


class BookGapSerializer(Body):
    entry = Seen(_entries, help_text="The id of an entry that matches.")


# --- What is shown --------------------------------------------------------------------------------


class EntrySerializer(serializers.ModelSerializer[WaitlistEntry]):
    protocol = serializers.IntegerField(source="protocol_version_id")
    asked_start = Instant(allow_null=True, help_text="Of the visit when they asked.")
    created_at = Instant()
    closed_at = Instant(allow_null=True)

    class Meta:
        model = WaitlistEntry
        fields: tuple[str, ...] = (
            *("id", "site", "patient", "protocol", "areas", "series", "appointment"),
            *("asked_start", "weekdays", "earliest", "latest", "first_day", "last_day"),
            *("provider", "notice_minutes", "priority", "note", "created_at"),
            *("closed_at", "closed_as"),
        )


class GapSerializer(serializers.ModelSerializer[Gap]):
    starts_at = Instant()
    ends_at = Instant()
    provider = NamedSerializer()
    room = NamedSerializer()
    device = NamedSerializer(allow_null=True)
    closed_at = Instant(allow_null=True)

    class Meta:
        model = Gap
        fields: tuple[str, ...] = (
            *("id", "site", "starts_at", "ends_at", "provider", "room", "device"),
            *("closed_at", "closed_as"),
        )


class MatchSerializer(serializers.Serializer[Any]):
    """One who matches, best first."""

    entry = EntrySerializer()
    place = PlaceSerializer()
    ripples = serializers.BooleanField(help_text="Whether later visits have to move along.")
    reasons = serializers.ListField(child=Retold())
    hears_at = Instant(
        allow_null=True,
        help_text="When a message may reach the patient: at night not before the morning, and an"
        " offer stands until they had time to answer. Call whoever should know sooner.",
    )


class NoMatchSerializer(serializers.Serializer[Any]):
    entry = EntrySerializer()
    sentence = serializers.CharField(help_text="Why not.")


class MatchesSerializer(serializers.Serializer[Any]):
    matches = MatchSerializer(many=True)
    others = NoMatchSerializer(many=True, help_text="Some of those who do not match.")


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    starts_at = Instant()
    ends_at = Instant()
    provider = NamedSerializer()
    room = NamedSerializer()
    device = NamedSerializer(allow_null=True)
    answered_at = Instant(allow_null=True)
    reasons = serializers.ListField(child=Retold())

    class Meta:
        model = Invitation
        fields: tuple[str, ...] = (
            *("id", "offer", "entry", "starts_at", "ends_at", "provider", "room", "device"),
            *("reasons", "answer", "answered_at", "appointment"),
        )


class OfferSerializer(serializers.ModelSerializer[Offer]):
    made_by = NamedSerializer()
    made_at = Instant()
    expires_at = Instant(help_text="Until then its places are held.")
    closed_at = Instant(allow_null=True)
    invitations = InvitationSerializer(many=True)

    class Meta:
        model = Offer
        fields: tuple[str, ...] = (
            *("id", "gap", "made_by", "made_at", "expires_at", "closed_at", "closed_as"),
            "invitations",
        )


# --- The endpoints --------------------------------------------------------------------------------


class EntryFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    site = IdFilter(field_name="site", label="The id of a site.")
    patient = IdFilter(field_name="patient", label="The id of a patient.")
    waiting = filters.BooleanFilter(
        field_name="closed_at", lookup_expr="isnull", label="Whether it is not closed."
    )

    class Meta:
        model = WaitlistEntry
        fields = ("site", "patient", "waiting")


class GapFilter(filters.FilterSet):  # type: ignore[misc]
    site = IdFilter(field_name="site", label="The id of a site.")
    date = DayFilter(field_name="starts_at", label="A local date of the site.")
    open = filters.BooleanFilter(
        field_name="closed_at", lookup_expr="isnull", label="Whether it is not closed."
    )

    class Meta:
        model = Gap
        fields = ("site", "date", "open")


class OfferFilter(filters.FilterSet):  # type: ignore[misc]
    site = IdFilter(field_name="gap__site", label="The id of a site.")
    gap = IdFilter(field_name="gap", label="The id of a gap.")
    open = filters.BooleanFilter(
        field_name="closed_at", lookup_expr="isnull", label="Whether it is not closed."
    )

    class Meta:
        model = Offer
        fields = ("site", "gap", "open")


def _conflict(code: str, sentence: str, field: str) -> Mapping[int, OpenApiResponse]:
    body = {"code": code, "sentence": sentence, "field": field}
    return {
        409: OpenApiResponse(
            ErrorSerializer,
            description="The rows have moved on.",
            examples=[OpenApiExample("Moved on", body)],
        )
    }


_WAITING = _conflict(
    "already_waiting",
    "Noor is on the wait-list for this already. Change that entry instead.",
    "patient",
)
_NO_MATCH = _conflict("no_match", "Noor Haddad: Comes on Mondays only.", "entries")
_GONE = _conflict(
    "offer_closed", "Somebody else was first. The patient stays on the wait-list.", "offer"
)
_AFTERNOONS = {"weekdays": [1, 3], "earliest": 840, "latest": 1020, "notice_minutes": 240}


@extend_schema_view(
    list=extend_schema(summary="List who waits, by site and patient."),
    retrieve=extend_schema(summary="Read an entry of the wait-list."),
)
class Entries(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "waitlist"
    queryset = WaitlistEntry.objects.none()
    serializer_class = EntrySerializer
    filterset_class = EntryFilter

    def patient_of(self, row: WaitlistEntry) -> int | None:
        return row.patient_id

    def get_queryset(self) -> QuerySet[WaitlistEntry]:
        return _entries(self.staff)

    @extend_schema(
        request=AddEntrySerializer,
        responses={201: EntrySerializer, **_WAITING},
        examples=[
            OpenApiExample(
                "Earlier than a booked visit, on two afternoons",
                {"appointment": 812, **_AFTERNOONS},
                request_only=True,
            ),
            OpenApiExample(
                "A first visit",
                {"patient": 31, "site": 1, "protocol": 7, "areas": ["face"]},
                request_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        """Put a patient on the wait-list: for an earlier time, a next session or a first visit."""
        asked = self.body(AddEntrySerializer)
        target = _target(asked)
        made = entries.add(target=target, wishes=Wishes(**asked), by=self.staff, now=timezone.now())
        return Response(EntrySerializer(made).data, status=201)

    @extend_schema(
        request=WishesSerializer,
        responses={200: EntrySerializer},
        examples=[OpenApiExample("Two afternoons", _AFTERNOONS, request_only=True)],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def change(self, request: Request, pk: int) -> Response:
        """Give an entry other wishes, all of them at once."""
        entry, asked = self.get_object(), self.body(WishesSerializer)
        changed = entries.change(
            entry=entry, wishes=Wishes(**asked), by=self.staff, now=timezone.now()
        )
        return Response(EntrySerializer(changed).data)

    @extend_schema(request=None, responses=EntrySerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def withdraw(self, request: Request, pk: int) -> Response:
        """Take a patient off the list."""
        entry = entries.withdraw(entry=self.get_object(), by=self.staff, now=timezone.now())
        return Response(EntrySerializer(entry).data)


@extend_schema_view(
    list=extend_schema(summary="List the places that cancellations and moves gave back."),
    retrieve=extend_schema(summary="Read one gap and what it had."),
)
class Gaps(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "waitlist"
    queryset = Gap.objects.none()
    serializer_class = GapSerializer
    filterset_class = GapFilter

    def get_queryset(self) -> QuerySet[Gap]:
        # What was taken back with its act is no gap any more.
        seen = Gap.objects.seen_by(self.staff).filter(opened_by__undone_by=None)
        return seen.select_related("site", "provider", "room", "device")

    @extend_schema(responses=MatchesSerializer)
    @action(detail=True, methods=["get"], filterset_class=None)
    def matches(self, request: Request, pk: int) -> Response:
        """List who of the wait-list could have a gap, best first, and why others could not."""
        found = matching.matches_of(gap=self.get_object(), now=timezone.now())
        suits = [*(each.entry for each in found.matches), *(each.entry for each in found.others)]
        self.named(each.patient_id for each in suits)
        return Response(MatchesSerializer(found).data)

    @extend_schema(
        request=OfferGapSerializer,
        responses={201: OfferSerializer, **_NO_MATCH},
        examples=[OpenApiExample("To two", {"entries": [5, 9]}, request_only=True)],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def offer(self, request: Request, pk: int) -> Response:
        """Offer a gap to some who match: its places are held, and the first who accepts has it."""
        gap, asked = self.get_object(), self.body(OfferGapSerializer)
        made = offering.offer(gap=gap, by=self.staff, now=timezone.now(), **asked)
        return Response(OfferSerializer(made).data, status=201)

    @extend_schema(
        request=BookGapSerializer,
        responses={201: VisitSerializer, **_NO_MATCH},
        examples=[OpenApiExample("For one who said yes", {"entry": 5}, request_only=True)],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def book(self, request: Request, pk: int) -> Response:
        """Give a gap to an entry at once, on the patient's behalf; the visit."""
        gap, asked = self.get_object(), self.body(BookGapSerializer)
        visit = offering.book(gap=gap, by=self.staff, now=timezone.now(), **asked)
        return Response(_visit(visit), status=201)

    @extend_schema(request=None, responses=GapSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def dismiss(self, request: Request, pk: int) -> Response:
        """Offer a gap to nobody."""
        gap = gaps.dismiss(gap=self.get_object(), by=self.staff, now=timezone.now())
        return Response(GapSerializer(gap).data)

    @extend_schema(request=None, responses=GapSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def reopen(self, request: Request, pk: int) -> Response:
        """Take the dismissal of a gap back."""
        gap = gaps.reopen(gap=self.get_object(), by=self.staff, now=timezone.now())
        return Response(GapSerializer(gap).data)


@extend_schema_view(
    list=extend_schema(summary="List the offers of your sites."),
    retrieve=extend_schema(summary="Read an offer with whom it was made to."),
)
class Offers(ListModelMixin, RetrieveModelMixin, Rows):
    tag = "waitlist"
    queryset = Offer.objects.none()
    serializer_class = OfferSerializer
    filterset_class = OfferFilter

    def get_queryset(self) -> QuerySet[Offer]:
        rows = Offer.objects.seen_by(self.staff).select_related("made_by", "gap__site")
        return rows.prefetch_related(
            "invitations__provider",
            "invitations__room",
            "invitations__device",
            "invitations__entry",
        )

    def get_object(self) -> Offer:
        offer: Offer = super().get_object()
        self.named(each.entry.patient_id for each in offer.invitations.all())
        return offer

    def listed(self, rows: Iterable[Offer]) -> None:
        self.named(each.entry.patient_id for row in rows for each in row.invitations.all())

    @extend_schema(request=None, responses={200: OfferSerializer, **_GONE})
    @action(detail=True, methods=["post"], filterset_class=None)
    def withdraw(self, request: Request, pk: int) -> Response:
        """Take an offer back; all who were asked stay on the list."""
        offering.withdraw(offer=self.get_object(), by=self.staff, now=timezone.now())
        return Response(OfferSerializer(self.get_object()).data)


@extend_schema_view(
    retrieve=extend_schema(summary="Read whom a place was offered to, and the answer."),
)
class Invitations(RetrieveModelMixin, Rows):
    tag = "waitlist"
    queryset = Invitation.objects.none()
    serializer_class = InvitationSerializer

    def patient_of(self, row: Invitation) -> int | None:
        return row.entry.patient_id

    def get_queryset(self) -> QuerySet[Invitation]:
        rows = Invitation.objects.seen_by(self.staff)
        return rows.select_related("offer", "entry__patient", "provider", "room", "device")

    @extend_schema(request=None, responses={200: VisitSerializer, **_GONE})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: int) -> Response:
        """Accept a place on the patient's behalf; the visit that they have by it."""
        visit = offering.accept(invitation=self.get_object(), by=self.staff, now=timezone.now())
        return Response(_visit(visit))

    @extend_schema(request=None, responses={200: InvitationSerializer, **_GONE})
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: int) -> Response:
        """Write down that the patient does not want the place; they stay on the list."""
        declined = offering.decline(invitation=self.get_object(), by=self.staff, now=timezone.now())
        return Response(InvitationSerializer(declined).data)


def _visit(visit: Appointment) -> Any:
    return VisitSerializer(rows_shown(Appointment.objects.all()).get(pk=visit.pk)).data
