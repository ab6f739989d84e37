"""Forms of the clinic's own pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.db.models import QuerySet

from clinic.models import Modality, Resource, ResourceKind, Site, Staff


class SignInForm(AuthenticationForm):
    """E-mail and password. One sentence for an unknown address and for a wrong password."""

    username = forms.EmailField(
        label="E-mail",
        error_messages={"required": "Enter your e-mail address."},
        widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        error_messages={"required": "Enter your password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    error_messages = {
        "invalid_login": "E-mail and password do not match. Check both and try again.",
        "inactive": "E-mail and password do not match. Check both and try again.",
    }

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()


class PreferencesForm(forms.Form):
    theme = forms.ChoiceField(
        choices=[("device", "As the device"), ("light", "Light"), ("dark", "Dark")],
        label="Colours",
        widget=forms.RadioSelect,
    )
    keys = forms.BooleanField(
        required=False,
        label="One-key shortcuts",
        help_text="Such as / for finding a patient. Switch them off if you dictate text.",
    )


class ServiceForm(forms.Form):
    """A plain service: one visit of some minutes, without a series and without care steps."""

    name = forms.CharField(
        max_length=60, label="Name", error_messages={"required": "Enter a name."}
    )
    name_es = forms.CharField(
        max_length=60,
        label="Name in Spanish",
        error_messages={"required": "Enter the name in Spanish."},
    )
    code = forms.RegexField(
        regex=r"^[A-Z]{2}$",
        label="Code",
        help_text="Two capital letters on the day list, such as TX.",
        error_messages={
            "required": "Enter a code of two capital letters.",
            "invalid": "A code is two capital letters, such as TX.",
        },
    )
    id = forms.SlugField(
        max_length=40,
        label="Id",
        help_text="Small letters and underscores, such as toxin. The id of an existing service "
        "makes its next version.",
        error_messages={"required": "Enter an id."},
    )
    minutes = forms.IntegerField(
        min_value=5, max_value=480, step_size=5, initial=30, label="Minutes with the patient"
    )
    set_up_minutes = forms.IntegerField(
        min_value=0, max_value=120, step_size=5, initial=0, label="Set-up minutes before"
    )
    clean_up_minutes = forms.IntegerField(
        min_value=0, max_value=120, step_size=5, initial=0, label="Clean-up minutes after"
    )
    room_kind = forms.ChoiceField(label="Kind of room")
    device = forms.ModelChoiceField(
        Modality.objects.none(),
        required=False,
        label="Device",
        empty_label="No device",
        help_text="Every visit then holds a device of this kind.",
    )
    providers = forms.ModelMultipleChoiceField(
        Resource.objects.none(),
        label="Who offers it",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one person, or nobody can be booked."},
    )

    def __init__(self, *args: Any, sites: QuerySet[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rooms = Resource.objects.filter(kind=ResourceKind.ROOM, is_active=True)
        kinds = sorted(set(rooms.values_list("room_kind", flat=True)))
        self["room_kind"].field.choices = [(kind, kind.capitalize()) for kind in kinds]  # type: ignore[attr-defined]
        self["device"].field.queryset = Modality.objects.filter(  # type: ignore[attr-defined]
            devices__is_active=True
        ).distinct()
        self["providers"].field.queryset = Resource.objects.filter(  # type: ignore[attr-defined]
            kind=ResourceKind.PROVIDER, is_active=True, hours__site__in=sites
        ).distinct()


def _wall(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        input_formats=["%Y-%m-%dT%H:%M"],
        error_messages={"required": "Choose a day and time."},
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )


class ShiftForm(forms.Form):
    """Somebody on call; times are those of the site's clock."""

    staff = forms.ModelChoiceField(
        queryset=Staff.objects.none(),
        label="Who",
        empty_label="Choose",
        error_messages={"required": "Choose somebody."},
    )
    starts_at = _wall("From")
    ends_at = _wall("Until")
    phone = forms.CharField(
        max_length=30, required=False, label="Mobile phone", help_text="Like +1 212 555 0123."
    )
    email = forms.EmailField(
        required=False,
        label="E-mail",
        help_text="With neither, it is the address they sign in with.",
    )

    def __init__(self, *args: Any, site: Site, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["staff"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = Staff.objects.filter(site_roles__site=site, is_active=True).distinct()

    def clean(self) -> dict[str, Any]:
        """Wall time has no zone yet: the site gives it."""
        asked = super().clean() or {}
        return {
            name: value.replace(tzinfo=None) if isinstance(value, datetime) else value
            for name, value in asked.items()
        }
