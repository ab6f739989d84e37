"""The days that forms take: in the years that the API knows (`api_fields`)."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from clinic.api_fields import FIRST_YEAR, LAST_YEAR


def in_known_years(day: date) -> None:
    """A form field's validator, of a day or of a wall time."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        said = gettext("Choose a day between the years %(first)s and %(last)s.")
        raise ValidationError(said % {"first": FIRST_YEAR, "last": LAST_YEAR})
