"""Values of a treatment log by their path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django import template

register = template.Library()

Each = TypeVar("Each")


@register.filter
def of(values: Mapping[str, Each] | None, path: str) -> Each | str:
    """The value at a path; empty when there is none."""
    return values.get(path, "") if values else ""
