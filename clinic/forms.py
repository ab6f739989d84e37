"""Forms of the clinic's own pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import Modality, Resource, ResourceKind, Site, Staff
from clinic.models.retention import FEWEST_YEARS, MOST_YEARS
from clinic.protocols.house_words import room_word
from clinic.protocols.loading import NO_REASON
from clinic.when_fields import DayField, WallField


class SignInForm(AuthenticationForm):
    """E-mail and password. One sentence for an unknown address and for a wrong password."""

    username = forms.EmailField(
        label=_("E-mail"),
        error_messages={"required": _("Enter your e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    error_messages = {
        "invalid_login": _("E-mail and password do not match. Check both and try again."),
        "inactive": _("E-mail and password do not match. Check both and try again."),
    }

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(
        choices=[("browser", _("As the browser")), ("en", "English"), ("es", "Español")],
        label=_("Language"),
        widget=forms.RadioSelect,
    )
    theme = forms.ChoiceField(
        choices=[("device", _("As the device")), ("light", _("Light")), ("dark", _("Dark"))],
        label=_("Colours"),
        widget=forms.RadioSelect,
    )
    compact = forms.BooleanField(
        required=False,
        label=_("Close together"),
        help_text=_("More hours of the board and more rows of a list at once."),
    )
    keys = forms.BooleanField(
        required=False,
        label=_("One-key shortcuts"),
        help_text=_("Such as / for finding a patient. Switch them off if you dictate text."),
    )


class RetireForm(forms.Form):
    """Why a version of a protocol goes out of use."""

    reason = forms.CharField(
        max_length=200, label=_("Reason"), error_messages={"required": NO_REASON}
    )


class ServiceForm(forms.Form):
    """A plain service: one visit of some minutes, without a series and without care steps."""

    name = forms.CharField(
        max_length=60, label=_("Name"), error_messages={"required": _("Enter a name.")}
    )
    name_es = forms.CharField(
        max_length=60,
        label=_("Name in Spanish"),
        error_messages={"required": _("Enter the name in Spanish.")},
    )
    code = forms.RegexField(
        regex=r"^[A-Z]{2}$",
        label=_("Code"),
        help_text=_("Two capital letters on the day list, such as TX."),
        error_messages={
            "required": _("Enter a code of two capital letters."),
            "invalid": _("A code is two capital letters, such as TX."),
        },
    )
    id = forms.SlugField(
        max_length=40,
        label=_("Id"),
        help_text=_("Small letters and underscores, such as toxin. It stays."),
        error_messages={"required": _("Enter an id.")},
    )
    minutes = forms.IntegerField(
        min_value=5, max_value=480, step_size=5, initial=30, label=_("Minutes with the patient")
    )
    set_up_minutes = forms.IntegerField(
        min_value=0, max_value=120, step_size=5, initial=0, label=_("Set-up minutes before")
    )
    clean_up_minutes = forms.IntegerField(
        min_value=0, max_value=120, step_size=5, initial=0, label=_("Clean-up minutes after")
    )
    room_kind = forms.ChoiceField(label=_("Kind of room"))
    device = forms.ModelChoiceField(
        Modality.objects.none(),
        required=False,
        label=_("Device"),
        empty_label=_("No device"),
        help_text=_("Every visit then holds a device of this kind."),
    )
    providers = forms.ModelMultipleChoiceField(
        Resource.objects.none(),
        label=_("Who offers it"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one person, or nobody can be booked.")},
    )

    def __init__(self, *args: Any, sites: QuerySet[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rooms = Resource.objects.filter(kind=ResourceKind.ROOM, is_active=True)
        kinds = sorted(set(rooms.values_list("room_kind", flat=True)))
        self["room_kind"].field.choices = [(kind, room_word(kind).capitalize()) for kind in kinds]  # type: ignore[attr-defined]
        self["device"].field.queryset = Modality.objects.filter(  # type: ignore[attr-defined]
            devices__is_active=True
        ).distinct()
        self["providers"].field.queryset = Resource.objects.filter(  # type: ignore[attr-defined]
            kind=ResourceKind.PROVIDER, is_active=True, hours__site__in=sites
        ).distinct()


class RetentionForm(forms.Form):
    """For how long treatment records are kept, from which day on, and why."""

    begins_on = DayField(label=_("From"))
    years = forms.IntegerField(
        label=_("Years after the last treatment"),
        widget=forms.NumberInput(attrs={"min": FEWEST_YEARS, "max": MOST_YEARS}),
        error_messages={
            "required": _("Write how many years."),
            "invalid": _("Write how many years."),
        },
    )
    basis = forms.CharField(
        max_length=200,
        label=_("By which law or rule"),
        error_messages={"required": _("Write the law or rule that asks for it.")},
    )


class ShiftForm(forms.Form):
    """Somebody on call; times are those of the site's clock."""

    staff = forms.ModelChoiceField(
        queryset=Staff.objects.none(),
        label=_("Who"),
        empty_label=_("Choose"),
        error_messages={"required": _("Choose somebody.")},
    )
    starts_at = WallField(label=_("From"))
    ends_at = WallField(label=_("Until"))
    phone = forms.CharField(
        max_length=30, required=False, label=_("Mobile phone"), help_text=_("Like +1 212 555 0123.")
    )
    email = forms.EmailField(
        required=False,
        label=_("E-mail"),
        help_text=_("With neither, it is the address they sign in with."),
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
