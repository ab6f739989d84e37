"""The forms of /resources/: a room, a device, somebody who treats, and leave to treat."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import Modality, Staff
from clinic.views.staffing_form import TreatsForm
from clinic.when_fields import DayField


def _name(label: Any) -> forms.CharField:
    return forms.CharField(
        max_length=60, label=label, error_messages={"required": _("Enter a name.")}
    )


def _serial() -> forms.CharField:
    return forms.CharField(max_length=40, required=False, label=_("Serial number"))


class RoomForm(forms.Form):
    name = _name(_("Name of the room"))
    room_kind = forms.SlugField(
        label=_("Kind of room"),
        help_text=_("What protocols ask for: treatment, laser, consult."),
        initial="treatment",
        error_messages={
            "required": _("Enter a kind of room, such as treatment."),
            "invalid": _("Write one word, such as treatment."),
        },
    )


class DeviceForm(forms.Form):
    name = _name(_("Name of the device"))
    modality = forms.ModelChoiceField(
        Modality.objects.all(),
        label=_("Treats with"),
        empty_label=_("Choose"),
        error_messages={"required": _("Choose what it treats with.")},
    )
    serial = _serial()


class _WithPeople(forms.Form):
    """One of `people`, or what is written into `other`; without any there is no choice."""

    other = ""

    def __init__(self, *args: Any, people: list[Staff], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["staff"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = Staff.objects.filter(pk__in=[each.pk for each in people])
        if not people:
            del self.fields["staff"]
            self.fields[self.other].required = True


class ProviderForm(_WithPeople, TreatsForm):
    other = "name"
    staff = forms.ModelChoiceField(
        Staff.objects.none(),
        required=False,
        label=_("Who"),
        empty_label=_("Somebody without a login"),
        help_text=_("Who has a role that treats here and cannot be booked yet."),
    )
    name = forms.CharField(
        max_length=60,
        required=False,
        label=_("Name"),
        help_text=_("Of somebody without a login; a login can be given later."),
        error_messages={"required": _("Enter a name.")},
    )
    field_order = ("staff", "name")


class LoginForm(_WithPeople):
    other = "email"
    staff = forms.ModelChoiceField(
        Staff.objects.none(),
        required=False,
        label=_("Who works here already"),
        empty_label=_("Somebody else, by the address below"),
    )
    email = forms.EmailField(
        max_length=254,
        required=False,
        label=_("E-mail"),
        help_text=_("They sign in with it, with the role of a provider here."),
        error_messages={"required": _("Enter an e-mail address.")},
    )


class NameForm(forms.Form):
    name = _name(_("Name"))
    serial = _serial()


class LeaveForm(forms.Form):
    modality = forms.ModelChoiceField(
        Modality.objects.all(),
        label=_("Treats with"),
        empty_label=_("Choose"),
        error_messages={"required": _("Choose what they may treat with.")},
    )
    valid_from = DayField(label=_("From"), error_messages={"required": _("Enter the first day.")})
    valid_until = DayField(label=_("Up to and with"), required=False)
