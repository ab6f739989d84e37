"""Set-up data of planning at /admin/: the settings of each site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from appointments.models import SchedulingSettings


@admin.register(SchedulingSettings)
class SchedulingSettingsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """One row a site; a site without one has the defaults."""

    list_display = ("site", "hold_minutes", "offer_minutes")
    fieldsets = (
        (None, {"fields": ("site",)}),
        ("Places kept", {"fields": ("hold_minutes", "offer_minutes")}),
        (
            "Points of a plan",
            {
                "description": "The plan with the fewest points is shown first.",
                "fields": (
                    *("early", "late", "other_provider", "other_weekday"),
                    *("off_time", "most_off_time", "finish", "device_load"),
                    *("idle_gap", "usable_minutes", "unchanged"),
                ),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The site is the key of the row: another one would be another row.
        return ("site",) if obj is not None else ()
