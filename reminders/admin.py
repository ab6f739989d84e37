"""Set-up data of sending at /admin/: the pace of each provider's account."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from reminders.models import ProviderAccount


@admin.register(ProviderAccount)
class ProviderAccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The limits of an account; its row appears with the first call."""

    list_display = ("channel", "provider", "rate", "burst", "most_at_once", "blocked_until")
    fields = (*list_display, "answers_keywords")
    readonly_fields = ("channel", "provider")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
