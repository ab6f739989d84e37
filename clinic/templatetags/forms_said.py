"""Filters of pages that show consent forms."""

from __future__ import annotations

from django import template

from clinic.durations import in_words, parse
from clinic.printing import Heading

register = template.Library()


@register.filter
def is_heading(block: object) -> bool:
    return isinstance(block, Heading)


@register.filter
def valid_for(text: str) -> str:
    """How long a signature counts, in words: "12 months"."""
    return in_words(parse(text), "en") if text else "until it is withdrawn"
