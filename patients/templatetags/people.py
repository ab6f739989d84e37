"""Words about patients that several pages share: purposes and channels of consent."""

from __future__ import annotations

from django import template

from patients.models import ConsentChannel, Purpose
from patients.models.consent import ConsentSource
from patients.trail import words

register = template.Library()


@register.filter
def purpose_name(purpose: str) -> str:
    """A purpose of consent in words: "Care messages"."""
    return str(Purpose(purpose).label)


@register.filter
def consent_channel(channel: str) -> str:
    """How a consent is used: "text message"; nothing for what is not sent."""
    return "" if channel == ConsentChannel.ANY else str(ConsentChannel(channel).label).lower()


@register.filter
def consent_source(source: str) -> str:
    """Where a consent was given or withdrawn: "at the front desk"."""
    return str(ConsentSource(source).label).lower()


@register.filter
def value_in_words(value: str, field: str) -> str:
    """What a field of a record holds, such as "Fri 11 Feb 1972" of a birth date."""
    return words.value_in_words(value, field, "UTC")
