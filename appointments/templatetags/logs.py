"""Values of a treatment log by their path."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def of(values: Mapping[str, str] | None, path: str) -> str:
    """The value at a path; empty when there is none."""
    return values.get(path, "") if values else ""
