"""The forms of an adverse event: three fields at once, the rest later, and its closing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.charting.reporting import TEXT_LENGTH, WHAT_LENGTH, areas_of
from appointments.models import EventOutcome, Severity, TreatmentSeries
from clinic.models import Site
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.wall_time import instant
from clinic.when_fields import ClockField, DayField
from patients.models import Patient


def area_choices(patient: Patient) -> list[tuple[str, str]]:
    """The areas of the patient's treatments with their names."""
    names: dict[str, str] = {}
    rows = TreatmentSeries.objects.filter(patient=patient).select_related("protocol_version")
    for series in rows:
        known = protocols.get(series.protocol_version).applicability.areas
        names |= {
            area: known[area].name.get(reader_language()) for area in series.areas if area in known
        }
    return [(area, names.get(area, area)) for area in areas_of(patient)]


def _areas() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        required=False,
        label=_("Which area"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None when it is not known: it then counts for every treatment."),
        error_messages={"invalid_choice": _("Choose areas that were treated here, or none.")},
    )


def _severity() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("How severe"),
        choices=Severity.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how severe it is.")},
    )


class ReportForm(forms.Form):
    what = forms.CharField(
        max_length=WHAT_LENGTH,
        label=_("What happened"),
        error_messages={"required": _("Write in a few words what happened.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    severity = _severity()
    areas = _areas()
    day = DayField(label=_("Noticed on"))
    time = ClockField(label=_("At"))

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["areas"].choices = area_choices(patient)  # type: ignore[attr-defined]

    def noticed_at(self, site: Site) -> datetime:
        """The instant, on the site's clock."""
        day, time = self.cleaned_data["day"], self.cleaned_data["time"]
        return instant(day, time.hour * 60 + time.minute, site.zone)


class CompleteForm(forms.Form):
    severity = _severity()
    areas = _areas()
    course = forms.CharField(
        required=False,
        max_length=TEXT_LENGTH,
        label=_("How it went on"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    measures = forms.CharField(
        required=False,
        max_length=TEXT_LENGTH,
        label=_("What was done"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["areas"].choices = area_choices(patient)  # type: ignore[attr-defined]


class CloseForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=EventOutcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what came of it.")},
    )
    conclusion = forms.CharField(
        max_length=TEXT_LENGTH,
        label=_("What you found, and why it may be closed"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write what you found, and why it may be closed.")},
    )
