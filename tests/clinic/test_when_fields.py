"""Days and times as browsers' pickers take them, in every language."""

from datetime import date, datetime, time

import pytest
from django import forms
from django.forms import Field
from django.utils import translation

from appointments.views.block_form import BlockForm
from appointments.views.event_form import ReportForm
from appointments.views.hours_form import HoursForm
from appointments.views.imports_form import GoLiveForm
from appointments.views.resources_form import LeaveForm
from appointments.views.waitlist_form import WishesForm
from clinic.forms import RetentionForm, ShiftForm
from clinic.views.staffing_form import TreatsForm
from clinic.when_fields import ClockField, DayField, WallField
from patients.forms import PatientForm
from patients.views.audit_trail import TrailForm
from reminders.views.message_acts import UntilForm
from reminders.views.messages import FilterForm

FORMS: tuple[type[forms.Form], ...] = (
    BlockForm,
    LeaveForm,
    FilterForm,
    GoLiveForm,
    HoursForm,
    PatientForm,
    ReportForm,
    RetentionForm,
    ShiftForm,
    TrailForm,
    TreatsForm,
    UntilForm,
    WishesForm,
)
SHOWN = {
    forms.DateField: (date(2027, 3, 4), "2027-03-04"),
    forms.TimeField: (time(9, 5), "09:05"),
    forms.DateTimeField: (datetime(2027, 3, 4, 9, 5), "2027-03-04T09:05"),
}
FIELDS = [
    pytest.param(field, value, shown, id=f"{form.__name__}.{name}")
    for form in FORMS
    for name, field in form.base_fields.items()
    for kind, (value, shown) in SHOWN.items()
    if isinstance(field, kind)
]


@pytest.mark.parametrize(("field", "value", "shown"), FIELDS)
def test_a_picker_gets_what_it_takes_in_spanish_too(
    field: Field, value: object, shown: str
) -> None:
    with translation.override("es"):
        assert f'value="{shown}"' in field.widget.render("it", value)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        (DayField(), "2300-01-01"),
        (DayField(), "02/03/2027"),  # of February in English, of March in Spanish
        (WallField(), "1890-01-01T10:00"),
        (ClockField(), "25:00"),
    ],
)
def test_what_is_no_time_of_ours_is_refused(field: Field, typed: str) -> None:
    with pytest.raises(forms.ValidationError):
        field.clean(typed)
