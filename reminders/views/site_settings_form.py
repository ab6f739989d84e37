"""The form of a site's settings: each in plain words, and from when on a change of it counts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic import wall_time
from clinic.site_settings import LIMITS
from clinic.when_fields import DayField, WallField

# Title, what it is about, and its settings.
GROUPS: tuple[tuple[Promise, str | Promise, tuple[str, ...]], ...] = (
    (
        _("What patients read"),
        _("Messages that wait to be sent leave with it as well."),
        ("name", "sms_name", "address", "phone"),
    ),
    (
        _("Where messages come from"),
        _("Set a new sender up with its provider first, or it refuses the messages."),
        ("sms_number", "email_address", "reply_to", "canary_number"),
    ),
    (
        _("When messages leave"),
        _("Messages that wait are planned anew within a minute."),
        ("live_from", "notice_hold_seconds", "spread_minutes"),
    ),
    (
        _("Two more reminders"),
        _("Beside those that every visit has. From the day on that you choose; empty: not."),
        ("week_reminders_from", "nudges_from"),
    ),
    (
        _("Reviews and birthdays"),
        _("Only patients who agreed to news and offers hear of either."),
        ("review_url", "reviews_from", "birthdays_from"),
    ),
    (
        _("Treatment and records"),
        "",
        ("clearance_from", "words_kept_days"),
    ),
)
# Label, and what it does.
WORDS: dict[str, tuple[Promise, Promise]] = {
    "name": (_("Name"), _("In e-mails, their sender and every page of a patient.")),
    "sms_name": (
        _("Name in texts"),
        _("Every text begins with it. At most 24 plain letters; other letters make texts dearer."),
    ),
    "address": (_("Address"), _("In e-mails and in entries of calendars.")),
    "phone": (_("Phone"), _("Which patients are asked to call.")),
    "sms_number": (
        _("Sender of texts"),
        _("A number, a short code or letters, as the provider knows it. Replies to it come here."),
    ),
    "email_address": (_("Sender of e-mails"), _("The address that patients see.")),
    "reply_to": (
        _("Where answers to e-mails go"),
        _("A mailbox that staff read; its copies reach the inbox."),
    ),
    "canary_number": (
        _("Telephone for test texts"),
        _("One of your own. It gets a text every quarter of an hour; empty: none."),
    ),
    "live_from": (
        _("Sends from"),
        _("On the clock of the site. What falls due before is never sent; empty: nothing is."),
    ),
    "notice_hold_seconds": (
        _("A notice waits before it leaves"),
        _("Seconds after a change in which undoing it sends nothing. 180 are three minutes."),
    ),
    "spread_minutes": (
        _("Messages to many at once leave within"),
        _("Minutes: each patient's at its own second. 0: all at the same moment."),
    ),
    "week_reminders_from": (_("A week before, from"), _("By e-mail.")),
    "nudges_from": (
        _("Three hours before, from"),
        _("By text, to patients who have not confirmed."),
    ),
    "review_url": (
        _("Where patients write a review"),
        _("An address that begins with https://."),
    ),
    "reviews_from": (
        _("Ask for reviews of visits from"),
        _("A week after a visit of this day or later; empty: nobody is asked."),
    ),
    "birthdays_from": (_("Greet on birthdays from"), _("Empty: nobody is greeted.")),
    "clearance_from": (
        _("Treat only when nothing is missing, from"),
        _("Starts only once answers and signatures are there; empty: what is missing only shows."),
    ),
    "words_kept_days": (
        _("Words of messages are kept for"),
        _("Days after sending, then they are emptied for good. 2557 are seven years."),
    ),
}
_DAYS = (
    *("week_reminders_from", "nudges_from", "clearance_from"),
    *("reviews_from", "birthdays_from"),
)
_MAY_BE_EMPTY = ("canary_number", "review_url", "live_from", *_DAYS)
_TYPES = {"phone": "tel", "canary_number": "tel", "email_address": "email", "reply_to": "email"}
_TYPES["review_url"] = "url"
_WALL = "%Y-%m-%dT%H:%M"
_SEEN = "seen_"


def written(value: Any, zone: str) -> str:
    """A value as its field shows it: an instant on the clock of the site."""
    if isinstance(value, datetime):
        return wall_time.local(value, zone).strftime(_WALL)
    return "" if value is None else str(value)


class SiteSettingsForm(forms.Form):
    """Each setting, and beside it unseen the value that was shown. `looked` names the changes whose
    effect was shown."""

    looked = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, stands: Mapping[str, Any], zone: str) -> None:
        super().__init__(data)
        self._stands, self._zone = stands, zone
        for name, (label, hint) in WORDS.items():
            field, shown = _field(name), written(stands[name], zone)
            field.label, field.help_text, field.initial = (
                str(label),
                _with_limits(name, hint),
                shown,
            )
            field.required = name not in _MAY_BE_EMPTY
            self.fields[name] = field
            self.fields[_SEEN + name] = forms.CharField(
                required=False, initial=shown, widget=forms.HiddenInput, strip=False
            )

    def clean_live_from(self) -> datetime | None:
        return self._instant(self.cleaned_data["live_from"])

    @property
    def seen(self) -> dict[str, Any]:
        """What was shown, by setting; what of it cannot be read counts as it stands."""
        return {name: self._seen(name) for name in WORDS}

    @property
    def changes(self) -> dict[str, Any]:
        """What was written over what was shown."""
        return {
            name: self.cleaned_data[name]
            for name in WORDS
            if written(self.cleaned_data[name], self._zone) != self.cleaned_data[_SEEN + name]
        }

    @property
    def was_looked_at(self) -> bool:
        """Whether the effect of just these changes was shown."""
        return bool(self.cleaned_data["looked"] == self._name)

    def once_more(self) -> QueryDict:
        """The same input, with its effect shown."""
        return self._with({"looked": self._name})

    def upon(self, stands: Mapping[str, Any]) -> QueryDict:
        """The same input as a change of what stands now, so that it can be saved."""
        return self._with(
            {_SEEN + name: written(each, self._zone) for name, each in stands.items()}
        )

    @property
    def _name(self) -> str:
        return hashlib.sha256(repr(sorted(self.changes.items())).encode()).hexdigest()

    def _with(self, values: Mapping[str, str]) -> QueryDict:
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        for name, value in values.items():
            data[name] = value
        return data

    def _seen(self, name: str) -> Any:
        text, stands = self.cleaned_data[_SEEN + name], self._stands[name]
        # An instant has seconds that its field does not show.
        if text == written(stands, self._zone):
            return stands
        try:
            value = self.fields[name].clean(text)
            return self._instant(value) if name == "live_from" else value
        except ValidationError:
            return stands

    def _instant(self, wall: datetime | None) -> datetime | None:
        if wall is None:
            return None
        try:
            return wall_time.resolve(wall.replace(tzinfo=None), self._zone, fold=0)
        except wall_time.WallTimeMissing as missing:
            raise ValidationError(missing.sentence) from None


def _field(name: str) -> forms.Field:
    if name in LIMITS:
        least, most = LIMITS[name]
        said = gettext("Enter a whole number from %(least)s to %(most)s.")
        said = said % {"least": least, "most": most}
        codes = ("required", "invalid", "min_value", "max_value")
        return forms.IntegerField(
            min_value=least, max_value=most, error_messages=dict.fromkeys(codes, said)
        )
    if name in _DAYS:
        return DayField()
    if name == "live_from":
        return WallField()
    return forms.CharField(
        widget=forms.TextInput(attrs={"type": _TYPES.get(name, "text")}),
        error_messages={"required": gettext("Write something here.")},
    )


def _with_limits(name: str, hint: Promise) -> str:
    if name not in LIMITS:
        return str(hint)
    least, most = LIMITS[name]
    said = gettext("From %(least)s to %(most)s.") % {"least": least, "most": most}
    return f"{hint} {said}"
