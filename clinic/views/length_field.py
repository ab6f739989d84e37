"""How long something counts, as a number and its unit, in forms of Django's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.protocols import filling
from clinic.views.protocol_words import UNITS


class _Widget(forms.MultiWidget):
    template_name = "clinic/length_field.html"

    def __init__(self, units: tuple[str, ...]) -> None:
        self.units = units
        amount = forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "aria-label": _("Number")}
        )
        unit = forms.Select(
            attrs={"aria-label": _("Unit")}, choices=[(each, UNITS[each]) for each in units]
        )
        super().__init__({"": amount, "unit": unit})

    def decompress(self, value: str | None) -> list[str]:
        return list(filling.split_length(value or None, self.units[0]))

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        given = value if isinstance(value, list) else self.decompress(value)
        # A browser sends the first unit in place of one that it was not offered.
        if given[1] in UNITS and given[1] not in self.units:
            units = (*self.units, given[1])
            select = self.widgets[1]
            assert isinstance(select, forms.Select)
            select.choices = [(each, UNITS[each]) for each in units]
        context: dict[str, Any] = super().get_context(name, given, attrs)
        widget = context["widget"]
        # What was refused is looked for by the name of the whole.
        widget["subwidgets"][0]["attrs"]["id"] = widget["attrs"].get("id", name)
        return context


class LengthField(forms.MultiValueField):
    """Kept as ISO-8601; what is no whole number stands as it was typed, for who judges it."""

    def __init__(self, *, units: tuple[str, ...], **said: Any) -> None:
        fields = (forms.CharField(max_length=12), forms.CharField(max_length=12))
        super().__init__(fields, widget=_Widget(units), required=False, **said)

    def compress(self, values: list[str]) -> str:
        return filling.as_length(*values) if values and values[0] else ""
