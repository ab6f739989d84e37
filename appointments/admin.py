"""Set-up data of planning at /admin/: the settings of each site, to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from appointments.models import SchedulingSettings


@admin.register(SchedulingSettings)
class SchedulingSettingsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """They are changed at /scheduling/ and over the API, which write the audit trail."""

    list_display = ("site", "hold_minutes", "offer_minutes")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
