"""Set-up data at /admin/: sites, people, hours, resources. Everything else has its own screen."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest

from clinic.models import (
    Closure,
    Credential,
    HoursException,
    Modality,
    OnCallShift,
    OpeningHours,
    ProviderHours,
    Resource,
    ResourceKind,
    Site,
    SiteRole,
    Staff,
)

admin.site.site_header = admin.site.site_title = "Afterglow set-up"


class OpeningHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    model = OpeningHours
    extra = 0


class ReadInline(admin.TabularInline):  # type: ignore[type-arg]
    """To read: it is changed at /hours/, which writes the audit trail."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ClosureInline(ReadInline):
    model = Closure


class HoursExceptionInline(ReadInline):
    """Of a site, those of its providers too; of a provider, those at each site."""

    model = HoursException


@admin.register(Site)
class SiteAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "zone", "phone", "live_from")
    prepopulated_fields = {"slug": ("name",)}
    exclude = ("revision", "planned_revision")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (OpeningHoursInline, ClosureInline, HoursExceptionInline)

    def save_model(
        self, request: HttpRequest, obj: Site, form: ModelForm[Site], change: bool
    ) -> None:
        # Planned messages depend on the zone, the name and the hold.
        if change and form.changed_data:
            obj.revision += 1
        super().save_model(request, obj, form, change)


class SiteRoleInline(admin.TabularInline):  # type: ignore[type-arg]
    model = SiteRole
    extra = 1


@admin.register(Staff)
class StaffAdmin(UserAdmin):  # type: ignore[type-arg]
    ordering = ("name",)
    list_display = ("name", "email", "is_active")
    list_filter = ("is_active", "site_roles__site", "site_roles__role")
    search_fields = ("name", "email")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("name", "email", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "email", "password1", "password2")}),)
    inlines = (SiteRoleInline,)


@admin.register(Modality)
class ModalityAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "slug", "code")


class CredentialInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Credential
    extra = 0


class ProviderHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ProviderHours
    extra = 0


@admin.register(Resource)
class ResourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Providers, rooms and devices; a patient's resource is made with the patient."""

    list_display = ("name", "kind", "site", "room_kind", "modality", "is_active")
    list_filter = ("kind", "site", "is_active")
    inlines = (CredentialInline, ProviderHoursInline, HoursExceptionInline)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(kind=ResourceKind.PATIENT)


@admin.register(OnCallShift)
class OnCallShiftAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("site", "staff", "starts_at", "ends_at")
    list_filter = ("site",)
