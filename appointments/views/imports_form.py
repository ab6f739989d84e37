"""Forms of imports: the file, what its columns are, and when the site goes live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.importing.columns import BY_NAME, CONSENT, FIELDS, IMPORT, PATIENT, VISIT
from appointments.importing.naming import Offered
from appointments.models import Import
from clinic import wall_time
from clinic.models import Site
from clinic.when_fields import WallField

LEAVE_OUT = ("", _("Leave out"))
GROUPS = (PATIENT, CONSENT, VISIT, IMPORT)
CHOICES = [
    LEAVE_OUT,
    *((_(group), [(each.name, _(each.label)) for each in FIELDS if each.group == group])
      for group in GROUPS),
]  # fmt: skip


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, at most 200 MB. A row is a patient, and a visit if it has one."),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("This file is empty. Export it again and upload that."),
        },
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
    )


class ColumnsForm(forms.Form):
    """One choice for each column of the file."""

    date_order = forms.ChoiceField(
        label=_("Dates such as 03/04/2026"),
        required=False,
        choices=[
            ("", _("As the file's own dates tell")),
            ("dmy", _("Day first: 3 April")),
            ("mdy", _("Month first: March 4")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(
        self,
        data: Any,
        *,
        source: Import,
        offer: Offered,
        sample: Sequence[Sequence[str]],
        asks_order: bool = False,
    ) -> None:
        super().__init__(data, initial={"date_order": offer.date_order})
        self._columns: list[str] = source.columns
        by_column = {column: field for field, column in offer.mapping.items()}
        for number, column in enumerate(source.columns):
            cells = [row[number] for row in sample if row[number].strip()]
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=column,
                required=False,
                choices=CHOICES,
                initial=by_column.get(column, ""),
                help_text=", ".join(cell[:40] for cell in cells)
                or gettext("empty in the first rows"),
            )

    @property
    def mapping(self) -> dict[str, str]:
        """Column by field."""
        return {
            self.cleaned_data[f"column_{number}"]: column
            for number, column in enumerate(self._columns)
            if self.cleaned_data.get(f"column_{number}")
        }

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[f"column_{number}"] for number in range(len(self._columns))]

    def clean(self) -> dict[str, Any]:
        seen: dict[str, str] = {}
        for number, column in enumerate(self._columns):
            field = self.cleaned_data.get(f"column_{number}")
            if field and field in seen:
                said = gettext("“%(field)s” is the %(label)s already.") % {
                    "field": seen[field],
                    "label": gettext(BY_NAME[field].label).lower(),
                }
                self.add_error(f"column_{number}", said)
            elif field:
                seen[field] = column
        return self.cleaned_data

    def refuse(self, problems: Mapping[str, str]) -> None:
        """Show what keeps the columns from being used, at their column if they have one."""
        taken = {column: field for field, column in self.mapping.items()}
        for field, said in problems.items():
            place = next(
                (f"column_{n}" for n, each in enumerate(self._columns) if taken.get(each) == field),
                None,
            )
            self.add_error(place, said)


class GoLiveForm(forms.Form):
    """From when on a site sends, on its own clock."""

    wall = WallField(
        label=_("Goes live on"), required=False, help_text=_("Empty: nothing is sent at all.")
    )
    live_from: datetime | None = None

    def __init__(self, data: Any = None, *, site: Site) -> None:
        at = site.live_from and wall_time.local(site.live_from, site.zone).replace(tzinfo=None)
        super().__init__(data, initial={"wall": at})
        self._zone = site.zone

    def clean_wall(self) -> datetime | None:
        wall: datetime | None = self.cleaned_data["wall"]
        if wall is not None:
            try:
                self.live_from = wall_time.resolve(wall.replace(tzinfo=None), self._zone, fold=0)
            except wall_time.WallTimeMissing as missing:
                raise forms.ValidationError(missing.sentence) from None
        return wall
