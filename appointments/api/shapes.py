"""What is asked of booking and what is shown of visits, in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers

from appointments.claiming import checking
from appointments.finding.free_times import FreeTime
from appointments.finding.plans import EVERY_DAY, Preference
from appointments.lifecycle import State, offered
from appointments.models import Allocation, Appointment, StatusChange
from appointments.models.series import MOST_SESSIONS
from appointments.proposing.places import ProposedPlan, ProposedVisit, VisitWish
from appointments.refusals import Refused
from clinic import access
from clinic.api_fields import (
    MOST_ID,
    Body,
    Day,
    Instant,
    NamedSerializer,
    PlaceSerializer,
    Retold,
    Seen,
    Start,
    instant_of,
)
from clinic.models import ProtocolVersion, Resource, ResourceKind, Staff
from clinic.protocols import loading as protocols
from clinic.wall_time import MINUTES_A_DAY, WallTimeMissing, WallTimeRepeats
from patients.models import Patient

REASON_LENGTH = 200


# --- What is asked --------------------------------------------------------------------------------


def _versions(staff: Staff) -> QuerySet[ProtocolVersion]:
    """Protocols are the house's: everybody sees them all."""
    return ProtocolVersion.objects.select_related("modality")


def providers_seen(staff: Staff) -> QuerySet[Resource]:
    here = access.sites_of(staff)
    return Resource.objects.filter(kind=ResourceKind.PROVIDER, hours__site__in=here).distinct()


def resources_seen(staff: Staff) -> QuerySet[Resource]:
    """Who and what is at the sites of a member of staff."""
    here = access.sites_of(staff)
    owned = Resource.objects.filter(site__in=here).exclude(kind=ResourceKind.PATIENT)
    return (owned | Resource.objects.filter(hours__site__in=here)).distinct()


class TreatmentSerializer(Body):
    """Who is to be treated with what, where."""

    patient = Seen(Patient.objects.seen_by)
    site = Seen(access.sites_of)
    protocol = Seen(_versions, source="version", help_text="The id of an approved version.")
    areas = serializers.ListField(
        child=serializers.SlugField(max_length=50), min_length=1, max_length=20
    )

    def validate_areas(self, areas: list[str]) -> list[str]:
        if len(set(areas)) < len(areas):
            raise serializers.ValidationError("Name each area once.")
        return areas


class BookableSerializer(TreatmentSerializer):
    """A treatment that may be booked, for who only asks when."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        access.require(self.context["request"].user, access.Capability.BOOK, attrs["site"])
        checking.protocol_may_be_booked(attrs["version"])
        checking.treatment_fits(protocols.get(attrs["version"]), attrs["areas"], 1)
        return attrs


class PreferenceSerializer(Body):
    """What suits the patient; without a word every day and hour does."""

    provider = Seen(providers_seen, required=False, allow_null=True, help_text="Of every visit.")
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6),
        min_length=1,
        max_length=7,
        required=False,
        help_text="0 is Monday.",
    )
    earliest = serializers.IntegerField(
        min_value=0, max_value=MINUTES_A_DAY, default=0, help_text="Minute of the day, wall time."
    )
    latest = serializers.IntegerField(
        min_value=0,
        max_value=MINUTES_A_DAY,
        default=MINUTES_A_DAY,
        help_text="Minute of the day, wall time.",
    )
    strict = serializers.BooleanField(
        default=False, help_text="Whether these are conditions, not wishes."
    )


def preference(asked: dict[str, Any]) -> Preference:
    """Takes the preference out of what was asked. Raises ValidationError."""
    if asked["latest"] < asked["earliest"]:
        raise serializers.ValidationError(
            {"latest": "The latest start must not lie before the earliest."}
        )
    weekdays = frozenset(asked.pop("weekdays", EVERY_DAY))
    return Preference(
        weekdays, asked.pop("earliest"), asked.pop("latest"), strict=asked.pop("strict")
    )


class FreeTimeSerializer(Body):
    """A free time of a resource, such as the board shows it."""

    starts_at = Instant()
    resource = Seen(resources_seen, help_text="The id of who or what is free; no patient.")

    def validate(self, attrs: dict[str, Any]) -> Any:
        return FreeTime(attrs["starts_at"], attrs["resource"].pk)


class ProposeSerializer(BookableSerializer, PreferenceSerializer):
    sessions = serializers.IntegerField(min_value=1, max_value=MOST_SESSIONS)
    first_from = Day(required=False, help_text="The first visit is not before; else tomorrow.")
    free_time = FreeTimeSerializer(
        required=False,
        allow_null=True,
        help_text="In which the first visit is to begin; else the answer says why not (`unmet`).",
    )


class FreeStartsSerializer(BookableSerializer):
    day = Day()
    provider = Seen(providers_seen, required=False, allow_null=True)


class FirstStartsSerializer(BookableSerializer):
    first_from = Day(required=False, help_text="Not before this local date; else today.")
    provider = Seen(providers_seen, required=False, allow_null=True)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)


class MoveStartsSerializer(Body):
    day = Day()
    provider = Seen(providers_seen, required=False, allow_null=True)


def _id(**more: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=MOST_ID, **more)


class VisitWishSerializer(Body):
    """A place to book, such as a proposal gives it."""

    starts_at = Start()
    provider = _id()
    room = _id()
    device = _id(required=False, allow_null=True)


def wish(asked: Mapping[str, Any], zone: str) -> VisitWish:
    """The place to book at a site in `zone`. Raises WallTimeMissing and WallTimeRepeats."""
    return VisitWish(
        instant_of(asked["starts_at"], zone), asked["provider"], asked["room"], asked.get("device")
    )


def wishes(asked: Iterable[Mapping[str, Any]], zone: str) -> list[VisitWish]:
    """The places of several `visits`; raises as `wish` does, with which of them it is about."""
    found = []
    for number, each in enumerate(asked):
        try:
            found.append(wish(each, zone))
        except (WallTimeMissing, WallTimeRepeats) as refused:
            refused.field = f"visits.{number}.{refused.field}"
            raise
    return found


@contextmanager
def among_visits() -> Iterator[None]:
    """Makes the field of a refusal name which of the `visits` that were sent it is about."""
    try:
        yield
    except Refused as refused:
        if refused.visit is not None:
            refused.field = f"visits.{refused.visit}.{refused.field}"
        raise


class OverlapField(serializers.BooleanField):
    """Always together with an `override_reason`."""

    def __init__(self) -> None:
        super().__init__(
            default=False,
            help_text="Over visits of others, for those who may; asks for an `override_reason`.",
        )


class TellPatientField(serializers.BooleanField):
    def __init__(self) -> None:
        super().__init__(
            default=True, help_text="Whether a message tells the patient that it is cancelled."
        )


class ReasonField(serializers.CharField):
    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=REASON_LENGTH, allow_blank=True, **more)


# --- What is shown --------------------------------------------------------------------------------


class BoundsSerializer(serializers.Serializer[Any]):
    """Local dates that the protocol allows."""

    earliest = serializers.DateField()
    ideal = serializers.DateField()
    latest = serializers.DateField()


class ProposedVisitSerializer(PlaceSerializer):
    session = serializers.IntegerField()
    interval_days = serializers.IntegerField(
        allow_null=True, help_text="Local days since the session before."
    )
    bounds = BoundsSerializer()
    points = serializers.SerializerMethodField(
        help_text="What it costs in the ranking, by cause; what costs nothing is left out."
    )
    reasons = serializers.ListField(child=serializers.CharField())

    def get_points(self, visit: ProposedVisit) -> dict[str, float]:
        return {cause: round(cost, 2) for cause, cost in asdict(visit.points).items() if cost}


class ProposedPlanSerializer(serializers.Serializer[Any]):
    """One whole plan; the fewer points the better."""

    points = serializers.SerializerMethodField()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why this one.")
    visits = ProposedVisitSerializer(many=True)

    def get_points(self, plan: ProposedPlan) -> float:
        return round(plan.points, 2)


class RelaxationSerializer(serializers.Serializer[Any]):
    """What would open a place."""

    kind = serializers.ChoiceField(["provider", "wishes", "interval", "waitlist"])
    sentence = serializers.CharField()
    day = serializers.DateField(allow_null=True, help_text="Where the session would then lie.")


class ProblemSerializer(serializers.Serializer[Any]):
    session = serializers.IntegerField(help_text="The first one without a place.")
    bounds = BoundsSerializer()
    binding = serializers.CharField(help_text="What is lacking: provider, room, device, site …")
    sentence = serializers.CharField()
    until = Instant(allow_null=True, help_text="When what is lacking is to be had again.")
    relaxations = RelaxationSerializer(many=True)


class ProposalSerializer(serializers.Serializer[Any]):
    """Either plans, the best first, or the problem that left none. `visits` are the best one's."""

    plans = ProposedPlanSerializer(many=True)
    visits = ProposedVisitSerializer(many=True)
    problem = ProblemSerializer(allow_null=True)
    unmet = serializers.CharField(
        allow_blank=True, help_text="Why no plan begins in the free time that was asked for."
    )
    shifted = serializers.ListField(
        child=serializers.CharField(),
        help_text="What moved the beginning to a later date than asked for, such as a washout.",
    )


class DayStartsSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    places = PlaceSerializer(many=True)
    sentence = serializers.CharField(allow_blank=True, help_text="Why there is no place.")
    binding = serializers.CharField(allow_blank=True, help_text="What is lacking.")
    until = Instant(allow_null=True, help_text="When what is lacking is to be had again.")


class FoundStartsSerializer(serializers.Serializer[Any]):
    first_day = serializers.DateField()
    last_day = serializers.DateField(help_text="So far was looked.")
    places = PlaceSerializer(many=True)
    sentence = serializers.CharField(allow_blank=True, help_text="Why there is no place.")
    binding = serializers.CharField(allow_blank=True, help_text="What is lacking.")
    until = Instant(allow_null=True, help_text="When what is lacking is to be had again.")


class AllocationSerializer(serializers.ModelSerializer[Allocation]):
    """What is held for a visit, set-up and clean-up included."""

    kind = serializers.CharField(source="resource.kind")
    name = serializers.CharField(source="resource.name")
    starts_at = Instant()
    ends_at = Instant()

    class Meta:
        model = Allocation
        fields: tuple[str, ...] = (
            *("resource", "kind", "name", "starts_at", "ends_at", "is_deliberate"),
        )


class VisitSerializer(serializers.ModelSerializer[Appointment]):
    patient = serializers.IntegerField(source="series.patient_id")
    protocol = serializers.CharField(source="series.protocol_version.protocol")
    starts_at = Instant()
    ends_at = Instant()
    booked_at = Instant()
    scheduled_at = Instant()
    done_at = Instant(allow_null=True)
    closed_at = Instant(allow_null=True)
    overrides = serializers.ListField(
        child=serializers.CharField(),
        help_text="What the reason let pass; `overlap`: it was put over another visit.",
    )
    allocations = AllocationSerializer(many=True)

    class Meta:
        model = Appointment
        fields: tuple[str, ...] = (
            *("id", "series", "patient", "site", "protocol", "session", "state"),
            *("starts_at", "ends_at", "booked_at", "scheduled_at", "done_at", "closed_at"),
            *("is_locked", "cancelled_by_patient", "override_reason", "overrides"),
            *("schedule_version", "version", "allocations"),
        )


class StatusChangeSerializer(serializers.ModelSerializer[StatusChange]):
    at = Instant()
    by = NamedSerializer(allow_null=True, help_text="Null is the patient.")
    starts_before = Instant(allow_null=True)
    ends_before = Instant(allow_null=True)
    starts_after = Instant()
    reason = Retold()
    overrides = serializers.ListField(
        child=serializers.CharField(),
        help_text="What this act let pass, for its `override_reason`.",
    )

    class Meta:
        model = StatusChange
        fields: tuple[str, ...] = (
            *("id", "at", "by", "move", "state_before", "state_after"),
            *("starts_before", "ends_before", "starts_after", "reason", "undoes"),
            *("override_reason", "overrides", "is_untold"),
        )


class VisitDetailSerializer(VisitSerializer):
    history = StatusChangeSerializer(many=True)
    moves = serializers.SerializerMethodField(help_text="The acts that its state admits.")

    class Meta(VisitSerializer.Meta):
        fields = (*VisitSerializer.Meta.fields, "history", "moves")

    def get_moves(self, visit: Appointment) -> list[str]:
        return [str(move) for move in offered(State(visit.state), is_locked=visit.is_locked)]


def rows_shown(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """With everything that a shape shows, in a constant number of queries."""
    return rows.select_related(
        "site", "series__patient", "series__site", "series__protocol_version"
    ).prefetch_related(Prefetch("allocations", queryset=_held()))


def _held() -> QuerySet[Allocation]:
    held = Allocation.objects.filter(active=True).exclude(resource__kind=ResourceKind.PATIENT)
    return held.select_related("resource")
