"""The form of a new block: who or what, from when to when on the site's clock, and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Case, When
from django.utils.translation import gettext_lazy as _

from appointments.absences.blocks import blockable
from appointments.models import BlockKind
from clinic.models import Resource, ResourceKind, Site
from clinic.wall_time import WallTimeMissing, WallTimeRepeats, resolve
from clinic.when_fields import ClockField, ClockInput, DayField

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_PEOPLE_FIRST = Case(When(kind=ResourceKind.PROVIDER, then=0), default=1)
_WHICH = [("0", _("The first")), ("1", _("The second"))]


class WallForm(forms.Form):
    """Wall times of a site become instants in `at`; of a repeated one the form asks which."""

    def __init__(self, *args: Any, site: Site, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.site = site
        self.at: dict[str, datetime] = {}
        self._come_twice: set[str] = set()

    def read(self, data: dict[str, Any], name: str) -> None:
        """The instant of the fields `<name>_day`, `<name>_time` and `<name>_fold`."""
        day, time = data.get(f"{name}_day"), data.get(f"{name}_time")
        if day is None or time is None:
            return
        fold = data.get(f"{name}_fold")
        try:
            self.at[name] = resolve(
                datetime.combine(day, time), self.site.zone, fold=int(fold) if fold else None
            )
        except (WallTimeMissing, WallTimeRepeats) as refusal:
            if isinstance(refusal, WallTimeRepeats):
                self._come_twice.add(name)
            self.add_error(f"{name}_time", refusal.sentence)

    @property
    def repeats(self) -> list[forms.BoundField]:
        """The fields to ask which of a repeated time is meant."""
        # Reading the errors cleans the form first.
        twice = self._come_twice if self.errors else set()
        return [
            self[f"{name}_fold"]
            for name in ("starts", "ends")
            if name in twice or self.data.get(f"{name}_fold")
        ]


def _time(label: StrPromise) -> ClockField:
    return ClockField(label=label, widget=ClockInput({"step": "300"}))


def _fold(label: StrPromise) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=_WHICH, required=False, widget=forms.RadioSelect)


class BlockForm(WallForm):
    resources = forms.ModelMultipleChoiceField(
        Resource.objects.none(),
        label=_("Who or what is not to be had"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one provider, room or device.")},
    )
    kind = forms.ChoiceField(
        label=_("Why"),
        choices=BlockKind.choices,
        widget=forms.RadioSelect,
        required=False,
        help_text=_("Unless you choose: time off for people, maintenance for rooms and devices."),
    )
    reason = forms.CharField(
        label=_("In words"),
        max_length=120,
        required=False,
        help_text=_("Such as: handpiece is being repaired. Nothing about anybody's health."),
    )
    starts_day = DayField(label=_("From day"))
    starts_time = _time(_("From time"))
    starts_fold = _fold(_("Which start"))
    ends_day = DayField(label=_("Until day"))
    ends_time = _time(_("Until time"))
    ends_fold = _fold(_("Which end"))
    over_visits = forms.BooleanField(
        required=False,
        label=_("Also over visits that are booked: they are listed, to be moved"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = blockable(self.site).filter(is_active=True).order_by(_PEOPLE_FIRST, "kind", "name")
        self.fields["resources"].queryset = rows  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in ("starts", "ends"):
            self.read(data, name)
        if not data.get("kind") and (chosen := data.get("resources")):
            data["kind"] = kind_for(chosen)
        return data


def kind_for(resources: Iterable[Resource]) -> BlockKind:
    """What a block of these mostly is: people are off, rooms and devices are looked after."""
    are_people = all(each.kind == ResourceKind.PROVIDER for each in resources)
    return BlockKind.TIME_OFF if are_people else BlockKind.MAINTENANCE


class EndForm(WallForm):
    ends_day = DayField(label=_("Last day"))
    ends_time = _time(_("Ends at"))
    ends_fold = _fold(_("Which end"))
    over_visits = forms.BooleanField(required=False, label=_("Also over visits that are booked"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        self.read(data, "ends")
        return data
