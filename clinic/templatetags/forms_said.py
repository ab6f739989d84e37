"""Filters of pages that show consent forms."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext

from clinic.durations import in_words, parse
from clinic.printing import Heading
from clinic.reader_language import reader_language

register = template.Library()


@register.filter
def is_heading(block: object) -> bool:
    return isinstance(block, Heading)


@register.filter
def valid_for(text: str) -> str:
    """How long a signature counts, in words: "12 months"."""
    return in_words(parse(text), reader_language()) if text else gettext("until it is withdrawn")
