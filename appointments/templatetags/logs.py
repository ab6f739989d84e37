"""Values of a treatment log by their path, and their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django import template

from appointments.charting import fields

register = template.Library()
register.filter("told_unit", fields.told_unit)

Each = TypeVar("Each")


@register.filter
def of(values: Mapping[str, Each] | None, path: str) -> Each | str:
    """The value at a path; empty when there is none."""
    return values.get(path, "") if values else ""
