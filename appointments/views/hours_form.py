"""The form of other hours: whose, on which days, and the stretches of the wall clock."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.models import Resource, ResourceKind, Site
from clinic.stretches import Stretch
from clinic.wall_time import MINUTES_A_DAY
from clinic.when_fields import ClockField, ClockInput, DayField

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

WHOLE_SITE = "site"
NONE, OTHER = "none", "other"
REASON_LENGTH = 80


def _time(label: StrPromise) -> ClockField:
    words = {"required": _("Enter a time such as 09:00, or choose no hours.")}
    widget = ClockInput({"step": "300"})
    return ClockField(label=label, required=False, widget=widget, error_messages=words)


class DayForm(forms.Form):
    """The hours of one day: none, or one or two stretches. A day with more keeps its number of
    stretches only over the API."""

    hours = forms.ChoiceField(
        label=_("Hours on that day"),
        choices=[(NONE, _("None: closed, or not here")), (OTHER, _("These:"))],
        widget=forms.RadioSelect,
        initial=OTHER,
        error_messages={"required": _("Choose none, or these.")},
    )
    first_from, first_until = _time(_("From")), _time(_("Until"))
    second_from, second_until = _time(_("And from")), _time(_("And until"))
    reason = forms.CharField(
        label=_("Why"),
        max_length=REASON_LENGTH,
        required=False,
        help_text=_("Such as: public holiday. A closure needs it. Nothing about anybody's health."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = self.data.get("hours", OTHER) == OTHER
        for name in ("first_from", "first_until"):
            self.fields[name].required = asked

    @property
    def stretches(self) -> list[Stretch]:
        return self.cleaned_data["stretches"]  # type: ignore[no-any-return]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["stretches"] = []
        if data.get("hours") != OTHER:
            return data
        for name in ("first", "second"):
            starts, ends = data.get(f"{name}_from"), data.get(f"{name}_until")
            if starts is not None and ends is not None:
                data["stretches"].append((_minute(starts), _minute(ends) or MINUTES_A_DAY))
            elif (starts is not None or ends is not None) and not self.errors:
                missing = f"{name}_from" if starts is None else f"{name}_until"
                self.add_error(missing, gettext("Enter a time such as 09:00, or leave both empty."))
        return data


class HoursForm(DayForm):
    """One more day with other hours, or a row of days."""

    whose = forms.ChoiceField(label=_("Whose hours"))
    day = DayField(label=_("Day"))
    last_day = DayField(label=_("Last day"), required=False)

    field_order = ("whose", "day", "last_day", "hours")

    def __init__(self, *args: Any, site: Site, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Resource.objects.filter(
            kind=ResourceKind.PROVIDER, is_active=True, hours__site=site
        )
        self.providers = {str(each.pk): each for each in people.distinct().order_by("name")}
        self["whose"].field.choices = [  # type: ignore[attr-defined]
            (WHOLE_SITE, gettext("%(site)s, everybody") % {"site": site.name}),
            *((value, each.name) for value, each in self.providers.items()),
        ]

    @property
    def provider(self) -> Resource | None:
        return self.providers.get(self.cleaned_data["whose"])

    @property
    def is_closure(self) -> bool:
        """Nobody is there: the clinic itself is closed."""
        return self.provider is None and self.cleaned_data["hours"] == NONE


class ChangeForm(DayForm):
    """Other hours of a day that has some already; `seen` are the rows that were shown."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_seen(self) -> list[int]:
        return [int(pk) for pk in self.cleaned_data["seen"].split(",") if pk.isdecimal()]


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def wall(minute: int) -> time:
    """A minute of the day as a time of the clock; the end of the day is midnight."""
    return time(minute // 60 % 24, minute % 60)
