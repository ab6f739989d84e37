"""The forms of /staff/: somebody new, and the roles, the account and the leave of somebody."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic.models import Modality, Role, Staff
from clinic.when_fields import DayField

# What a role is for, beside its name; the exact capabilities are in `clinic.access`.
_FOR = {
    Role.FRONT_DESK: _("books, moves, checks in, answers messages"),
    Role.PROVIDER: _("treats, writes and signs logs, decides on screening"),
    Role.MANAGER: _("runs the site: people, hours, words, records, reports"),
    Role.CLINICAL_LEAD: _("approves protocols and consent forms, treats"),
}


def _choices() -> list[tuple[str, str]]:
    return [(role.value, f"{role.label}: {what}") for role, what in _FOR.items()]


def _roles(*, required: bool) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=_choices,
        label=_("Roles"),
        required=required,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one role.")},
    )


class NewStaffForm(forms.Form):
    name = forms.CharField(
        max_length=80,
        label=_("Name"),
        help_text=_("As patients read it, such as Dr Eva Novak."),
        error_messages={"required": _("Enter a name.")},
    )
    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("They sign in with it."),
        error_messages={"required": _("Enter an e-mail address.")},
    )
    roles = _roles(required=True)


class AccountForm(forms.Form):
    """The name and the address, and beside them unseen those that were shown."""

    name = forms.CharField(
        max_length=80, label=_("Name"), error_messages={"required": _("Enter a name.")}
    )
    email = forms.EmailField(
        max_length=254,
        label=_("E-mail"),
        help_text=_("They sign in with it."),
        error_messages={"required": _("Enter an e-mail address.")},
    )
    seen_name = forms.CharField(required=False, widget=forms.HiddenInput)
    seen_email = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, staff: Staff) -> None:
        shown = {"name": staff.name, "email": staff.email}
        initial = shown | {f"seen_{each}": value for each, value in shown.items()}
        super().__init__(data, initial=initial, prefix="account")

    @property
    def seen(self) -> dict[str, str]:
        return {each: self.cleaned_data[f"seen_{each}"] for each in ("name", "email")}

    def upon(self, stands: Mapping[str, str]) -> QueryDict:
        """The same input as a change of what stands now, so that it can be saved."""
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        for each, value in stands.items():
            data[self.add_prefix(f"seen_{each}")] = value
        return data


class RolesForm(forms.Form):
    """The roles at the site, and beside them unseen those that were shown."""

    roles = _roles(required=False)

    def __init__(self, data: QueryDict | None, *, stands: Collection[str]) -> None:
        super().__init__(data)
        self.fields["roles"].initial = sorted(stands)
        self.fields["roles"].help_text = _("Without any role they no longer work here.")
        self.fields["seen"] = forms.CharField(
            required=False, initial=_written(stands), widget=forms.HiddenInput
        )

    @property
    def seen(self) -> frozenset[str]:
        return frozenset(self.cleaned_data["seen"].split())

    def upon(self, stands: Collection[str]) -> QueryDict:
        """The same input as a change of what stands now, so that it can be saved."""
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        data["seen"] = _written(stands)
        return data


class TreatsForm(forms.Form):
    """What a new provider has leave to treat with, all of it for the same days."""

    modalities = forms.ModelMultipleChoiceField(
        Modality.objects.all(),
        required=False,
        label=_("Leave to treat with"),
        widget=forms.CheckboxSelectMultiple,
    )
    valid_from = DayField(required=False, label=_("From"), help_text=_("Empty: from today."))
    valid_until = DayField(
        required=False, label=_("Up to and with"), help_text=_("Empty: without an end.")
    )


def _written(roles: Collection[str]) -> str:
    return " ".join(sorted(roles))
