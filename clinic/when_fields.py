"""Fields of forms for a day, a time of day and a time on the wall.

Browsers' own pickers give and take ISO dates in every language, so these show no localized ones.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.api_fields import FIRST_YEAR, LAST_YEAR


def in_known_years(day: date) -> None:
    """A validator: of a day, or of a wall time, in the years that the API knows (`api_fields`)."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        said = gettext("Choose a day between the years %(first)s and %(last)s.")
        raise ValidationError(said % {"first": FIRST_YEAR, "last": LAST_YEAR})


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayField(forms.DateField):
    widget = DayInput
    input_formats = ["%Y-%m-%d"]
    default_validators = [in_known_years]
    default_error_messages = {
        "required": _("Enter a date."),
        "invalid": _("Enter a date such as 2027-03-18."),
    }


class ClockInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%H:%M")


class ClockField(forms.TimeField):
    widget = ClockInput
    default_error_messages = dict.fromkeys(
        ("required", "invalid"), _("Enter a time such as 09:00.")
    )


class WallInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class WallField(forms.DateTimeField):
    """Day and time as one, on the clock of a site; its zone is the caller's to know."""

    widget = WallInput
    input_formats = ["%Y-%m-%dT%H:%M"]
    default_validators = [in_known_years]
    default_error_messages = dict.fromkeys(("required", "invalid"), _("Choose a day and time."))
