"""The form of a site's scheduling settings: each in plain words, with its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.models import SchedulingSettings
from appointments.proposing.tuning import LIMITS, TEXTS, WHOLE
from clinic import travel
from clinic.models import Site
from clinic.wall_time import MINUTES_A_DAY

# Title, what it is about, and its settings.
GROUPS: tuple[tuple[Promise, str | Promise, tuple[str, ...]], ...] = (
    (
        _("How long places are kept"),
        _("A place that is kept can be booked by nobody else. It becomes free by itself."),
        ("hold_minutes", "offer_minutes"),
    ),
    (
        _("What patients change by themselves"),
        _("On the pages that their messages lead to. Later than this they are asked to call."),
        ("notice_hours", "late_terms_en", "late_terms_es"),
    ),
    (
        _("The dates"),
        "",
        ("early", "late", "finish"),
    ),
    (
        _("What the patient wishes"),
        "",
        ("other_provider", "other_weekday", "off_time", "most_off_time"),
    ),
    (
        _("What the clinic needs"),
        "",
        ("device_load", "idle_gap", "usable_minutes", "unchanged"),
    ),
)
# Label, and a hint where the label does not say it all.
WORDS = {
    "hold_minutes": (
        _("While somebody looks at a plan"),
        _("Minutes. Then its places are free for others again."),
    ),
    "offer_minutes": (
        _("For those on the wait-list who are offered an opening"),
        _("Minutes. 90 is an hour and a half; 1440 is a day."),
    ),
    "notice_hours": (
        _("Until how long before a visit they may move it"),
        _("Hours. Every time that they can choose is at least as far ahead."),
    ),
    "late_terms_en": (
        _("What cancelling later than that costs, in English"),
        _("Patients read it before they cancel. Empty: nothing is asked."),
    ),
    "late_terms_es": (
        _("What cancelling later than that costs, in Spanish"),
        _("Without it, patients who read Spanish read the English words."),
    ),
    "early": (_("For each day before the ideal date"), ""),
    "late": (_("For each day after the ideal date"), ""),
    "finish": (
        _("For each day until the last visit"),
        _("The higher, the sooner a series is done."),
    ),
    "other_provider": (_("For another provider than at the visit before"), ""),
    "other_weekday": (_("For a weekday that was not wished"), ""),
    "off_time": (_("For each half hour outside the wished time of day"), ""),
    "most_off_time": (_("At most, for the time of day of one visit"), ""),
    "device_load": (
        _("For a day on which the devices are busy"),
        _("So many when they are taken all day, fewer in part. It spreads the work."),
    ),
    "idle_gap": (
        _("For a gap left in a provider's day that is too short for a visit"),
        _("It keeps the days without holes."),
    ),
    "usable_minutes": (
        _("The shortest gap that is of use"),
        _("Minutes. A shorter one is a hole."),
    ),
    "unchanged": (
        _("For moving a visit that could stay where it is"),
        _("When later visits move along with one. At 1000 those that can stay do stay."),
    ),
}
_SEEN = "seen_"
_CODES = ("required", "invalid", "min_value", "max_value")


class TravelForm(forms.Form):
    """The minutes to each other site; what was shown and stays so is not written."""

    def __init__(self, data: QueryDict | None, *, site: Site) -> None:
        super().__init__(data, prefix="way")
        minutes = travel.minutes_from(site)
        self.others = {str(other.pk): other for other in travel.others(site)}
        for name, other in self.others.items():
            self.fields[name] = forms.IntegerField(
                label=other.name,
                initial=minutes.get(other.pk),
                min_value=0,
                max_value=MINUTES_A_DAY,
                required=other.pk in minutes,
                show_hidden_initial=True,
                error_messages=dict.fromkeys(
                    _CODES, gettext("Enter a whole number from 0 to 1440.")
                ),
            )

    @property
    def changes(self) -> dict[Site, int]:
        """What was written over what was shown."""
        return {
            self.others[name]: self.cleaned_data[name]
            for name in self.changed_data
            if self.cleaned_data[name] is not None
        }


def plain(value: Any) -> str:
    """A number as people write it: 15, 1.5, 0.05; words as they are."""
    return value if isinstance(value, str) else f"{value:g}"


class SettingsForm(forms.Form):
    """Each setting, and beside it unseen the value that was shown."""

    def __init__(self, data: QueryDict | None, *, settings: SchedulingSettings) -> None:
        super().__init__(data)
        self.is_default = settings._state.adding
        as_it_comes = SchedulingSettings()
        for name, (label, hint) in WORDS.items():
            stands = getattr(settings, name)
            if name in TEXTS:
                self._add_text(name, label, hint, stands)
                continue
            usual = getattr(as_it_comes, name)
            least, most = LIMITS[name]
            said = gettext("%(least)s to %(most)s, usually %(usual)s.") % {
                "least": least,
                "most": most,
                "usual": plain(usual),
            }
            kind = forms.IntegerField if name in WHOLE else forms.FloatField
            words = (
                gettext("Enter a whole number from %(least)s to %(most)s.")
                if name in WHOLE
                else gettext("Enter a number from %(least)s to %(most)s.")
            ) % {"least": least, "most": most}
            self.fields[name] = kind(
                label=label,
                initial=plain(stands),
                min_value=least,
                max_value=most,
                help_text=f"{hint} {said}".strip(),
                error_messages=dict.fromkeys(_CODES, words),
            )
            self.fields[name].widget.attrs |= {"step": "1" if name in WHOLE else "any"}
            self.fields[_SEEN + name] = forms.FloatField(
                required=False, initial=plain(stands), widget=forms.HiddenInput
            )

    def _add_text(self, name: str, label: Any, hint: Any, stands: str) -> None:
        self.fields[name] = forms.CharField(
            label=label,
            initial=stands,
            required=False,
            max_length=TEXTS[name],
            help_text=hint,
            widget=forms.Textarea(attrs={"rows": 2}),
        )
        self.fields[_SEEN + name] = forms.CharField(
            required=False, initial=stands, widget=forms.HiddenInput, strip=False
        )

    @property
    def seen(self) -> dict[str, Any]:
        """What was shown, by setting; one whose shown value is lost counts as it stands."""
        return {
            name: value for name in WORDS if (value := self.cleaned_data[_SEEN + name]) is not None
        }

    @property
    def changes(self) -> dict[str, Any]:
        """What was written over what was shown."""
        seen = self.seen
        return {
            name: self.cleaned_data[name]
            for name in WORDS
            if self.cleaned_data[name] != seen.get(name)
        }

    def upon(self, stands: Mapping[str, Any]) -> QueryDict:
        """The same input as a change of what stands now, so that it can be saved."""
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        for name, value in stands.items():
            data[_SEEN + name] = plain(value)
        return data
