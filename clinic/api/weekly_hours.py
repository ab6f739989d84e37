"""The shape of a week's hours, and writing what was sent of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from clinic import weekly_hours
from clinic.api_fields import Body
from clinic.models import Resource, Site, Staff
from clinic.stretches import MOST_STRETCHES, Stretch
from clinic.wall_time import MINUTES_A_DAY


class WeeklyStretchSerializer(Body):
    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text="0 is Monday.")
    starts = serializers.IntegerField(
        min_value=0, max_value=MINUTES_A_DAY, help_text="Minute of the day, wall time."
    )
    ends = serializers.IntegerField(
        min_value=0, max_value=MINUTES_A_DAY, help_text="Minute of the day, exclusive."
    )


def stretches(**kwargs: Any) -> serializers.ListField:
    child = WeeklyStretchSerializer()
    return serializers.ListField(child=child, max_length=7 * MOST_STRETCHES, **kwargs)


class WeekSerializer(Body):
    hours = stretches()
    seen = stretches(
        required=False, help_text="The hours in whose place these are meant; 409 when others stand."
    )


class WeekOfSerializer(serializers.Serializer[Any]):
    hours = WeeklyStretchSerializer(many=True)


def set_week(
    *, site: Site, asked: Mapping[str, Any], by: Staff, provider: Resource | None = None
) -> dict[str, Any]:
    """Write the week that was asked for; the week as it stands then, as `WeekOfSerializer`."""
    weekly_hours.set_week(
        site=site,
        provider=provider,
        week=week_from(asked["hours"]),
        seen=week_from(asked["seen"]) if "seen" in asked else None,
        by=by,
        now=timezone.now(),
    )
    stands = weekly_hours.week_of(site, provider)
    rows = [
        {"weekday": day, "starts": starts, "ends": ends}
        for day, hours in stands.items()
        for starts, ends in hours
    ]
    return {"hours": rows}


def week_from(rows: Iterable[Mapping[str, int]]) -> dict[int, list[Stretch]]:
    week: dict[int, list[Stretch]] = {}
    for row in rows:
        week.setdefault(row["weekday"], []).append((row["starts"], row["ends"]))
    return {day: sorted(hours) for day, hours in week.items()}
