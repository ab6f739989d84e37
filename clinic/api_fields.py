"""What endpoints of every room read and write: instants, wall time, days, rows one may see.

Input is taken strictly: an unknown field, a time without a zone or a number beyond the database
is an error and never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clinic import wall_time
from clinic.models import Staff
from clinic.retelling import retold

# Nothing of a clinic lies outside, and no arithmetic with durations leaves the calendar.
FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_ID = 2**63 - 1


class NotSeen(Exception):
    """A row that is not there, or not at the sites of who asks: the answer is the same."""

    code = "not_found"

    def __init__(self, field: str, pk: int) -> None:
        self.field = field
        self.sentence = f"There is no {field} {pk} at your sites."
        super().__init__(self.sentence)


class Body(serializers.Serializer[Any]):
    """What may be sent, and nothing else: a mistyped field would otherwise be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            known = ", ".join(self.fields) or "nothing"
            raise serializers.ValidationError(
                {
                    name[:80]: serializers.ErrorDetail(
                        f"This field is not known here. Known are: {known}.", code="unknown_field"
                    )
                    for name in sorted(unknown)[:20]
                }
            )
        return super().to_internal_value(data)


class Retold(serializers.CharField):
    """A stored sentence, in the language of who asks."""

    def to_representation(self, value: Any) -> str:
        return retold(value)


class Instant(serializers.DateTimeField):
    """An instant, in UTC with a `Z`; an offset is understood, a time without one is not."""

    default_error_messages = {
        "naive": "Write an instant with its offset, such as 2027-03-12T15:00:00Z.",
        "range": f"Write an instant between the years {FIRST_YEAR} and {LAST_YEAR}.",
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("naive")
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            self.fail("range")
        return value.astimezone(UTC)


class Day(serializers.DateField):
    """A local date of the site."""

    default_error_messages = {"range": Instant.default_error_messages["range"]}

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail("range")
        return day


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall time that waits for its zone; `fold` chooses of a repeated one."""

    at: datetime
    fold: int | None


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "format": "date-time"},
            {
                "type": "object",
                "properties": {
                    "wall": {"type": "string", "example": "2027-03-12T10:00"},
                    "fold": {"type": "integer", "enum": [0, 1]},
                },
                "required": ["wall"],
                "additionalProperties": False,
            },
        ],
        "description": "An instant, or wall time of the site; `fold` says which of a repeated one.",
    }
)
class Start(Instant):
    """When a visit starts: an instant, or `{"wall": "2027-03-12T10:00"}` in the site's zone."""

    default_error_messages = {
        "wall": 'Write {{"wall": "2027-03-12T10:00", "fold": 0}}; fold is 0, 1 or left out.',
    }

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return super().to_internal_value(value)
        wall, fold = value.get("wall"), value.get("fold")
        if set(value) - {"wall", "fold"} or isinstance(fold, bool) or fold not in (None, 0, 1):
            self.fail("wall")
        try:
            at = datetime.fromisoformat(wall) if isinstance(wall, str) else None
        except ValueError:
            at = None
        if at is None or at.tzinfo is not None:
            self.fail("wall")
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            self.fail("range")
        return Wall(at, fold)


def instant_of(start: datetime | Wall, zone: str, *, field: str = "starts_at") -> datetime:
    """The instant of a `Start` at a site.

    Raises WallTimeMissing and WallTimeRepeats, about `field`.
    """
    if not isinstance(start, Wall):
        return start
    try:
        return wall_time.resolve(start.at, zone, fold=start.fold)
    except (wall_time.WallTimeMissing, wall_time.WallTimeRepeats) as refused:
        refused.field = field
        raise


class Seen(serializers.IntegerField):
    """The id of a row among those that `rows` gives for who asks; becomes the row. Else 404."""

    def __init__(self, rows: Callable[[Staff], QuerySet[Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = rows

    def to_internal_value(self, data: Any) -> Any:
        pk = super().to_internal_value(data)
        row: Model | None = self.rows(self.context["request"].user).filter(pk=pk).first()
        if row is None:
            raise NotSeen(self.field_name or self.parent.field_name or "row", pk)
        return row


class NamedSerializer(serializers.Serializer[Any]):
    """A row by its id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PlaceSerializer(serializers.Serializer[Any]):
    """A free place: a start with who and what is free for it. Nothing is held by it."""

    starts_at = Instant()
    ends_at = Instant()
    provider = NamedSerializer()
    room = NamedSerializer()
    device = NamedSerializer(allow_null=True)


class BarSerializer(serializers.Serializer[Any]):
    """One thing that stands between a patient and a treatment, and what asks for it."""

    code = serializers.CharField(help_text="For programs; stable.")
    outcome = serializers.ChoiceField(
        [("review", "review"), ("defer", "defer"), ("block", "block")],
        help_text="Somebody decides or completes it; not before a date; not at all.",
    )
    acts = serializers.SerializerMethodField(help_text="What it bars: `book`, `start`.")
    sentence = serializers.CharField(help_text="For people; says what to do.")
    since = serializers.DateField(allow_null=True, help_text="First local date that it bars.")
    until = serializers.DateField(allow_null=True, help_text="First local date after it.")
    rule = serializers.CharField(allow_blank=True, help_text="What asks for it, in words.")
    evidence = serializers.ListField(child=serializers.CharField(), help_text="Its sources.")
    about = serializers.CharField(
        allow_blank=True, help_text="What it is about, such as the id of a question."
    )
    passes_with = serializers.CharField(
        allow_blank=True,
        help_text="The capability whose holder may pass it with an `override_reason`; empty: none.",
    )
    decides_with = serializers.CharField(
        allow_blank=True, help_text="The capability whose holder may decide on it; empty: none."
    )

    def get_acts(self, bar: Any) -> list[str]:
        return sorted(bar.acts)


class VersionSerializer(Body):
    """The `version` that was seen; when the row has moved on since, the answer is 409."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
