"""Addresses at which a booking begins."""

from __future__ import annotations

from datetime import datetime

from django import template

from clinic.models import Resource
from reminders.views.book_series import draft as drafts

register = template.Library()


@register.filter
def free_time_of(starts_at: datetime, resource: Resource) -> str:
    """The free time of a resource as the parameter `at` of the form of a series."""
    return drafts.free_time(starts_at, resource.pk)
