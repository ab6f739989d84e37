"""The form of a patient: who they are, how they are reached, what they agree to."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.when_fields import ClockField, DayInput
from patients import consent, contacts, naming
from patients.models import Language, Patient
from patients.models.consent import ConsentSource

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# (purpose, channel) → what the box says. The wording that it stands for is printed above it.
CONSENTS: dict[tuple[str, str], StrPromise] = {
    ("care", "sms"): _("by text message"),
    ("care", "email"): _("by e-mail"),
    ("marketing", "sms"): _("by text message"),
    ("marketing", "email"): _("by e-mail"),
    ("phi_detail", "any"): _("agreed"),
    ("photos", "any"): _("agreed"),
}
# What few patients need; the form folds it away while it is empty.
SELDOM = ("preferred_name", "zone", "quiet_from", "quiet_until")
PURPOSES = tuple(dict.fromkeys(purpose for purpose, _ in CONSENTS))
# What the text field suggests; every IANA zone is taken.
ZONES = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix"),
    *("America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico"),
    *("America/Mexico_City", "America/Bogota", "Europe/London", "Europe/Madrid", "UTC"),
)


def _box(purpose: str, channel: str) -> str:
    return f"{purpose}_{channel}"


class PatientForm(forms.Form):
    """Every field of a patient, with a box for each consent.

    `shown` are the consents that were ticked when the page was made; `version` the patient's.
    """

    legal_given = forms.CharField(
        max_length=60,
        label=_("Legal given name"),
        error_messages={"required": _("Write the legal given name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    legal_family = forms.CharField(
        max_length=60,
        label=_("Legal family name"),
        error_messages={"required": _("Write the legal family name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    preferred_name = forms.CharField(
        max_length=60,
        required=False,
        label=_("Preferred name"),
        help_text=_("The only name that messages use. Empty: the given name."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    # People are born before the years of our days.
    birth_date = forms.DateField(  # noqa: TID251
        label=_("Birth date"),
        input_formats=["%Y-%m-%d"],
        error_messages={
            "required": _("Enter the birth date."),
            "invalid": _("Enter the birth date as year-month-day, such as 1988-05-04."),
        },
        widget=DayInput,
    )
    phone = forms.CharField(
        max_length=40,
        required=False,
        label=_("Mobile phone"),
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )
    email = forms.CharField(
        max_length=254,
        required=False,
        label=_("E-mail"),
        widget=forms.TextInput(
            attrs={"type": "email", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    language = forms.ChoiceField(
        choices=Language.choices, initial=Language.ENGLISH, label=_("Language of messages")
    )
    zone = forms.CharField(
        max_length=64,
        required=False,
        label=_("Time zone"),
        help_text=_("Empty: the clinic's, and that of the number where it is another."),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    quiet_from = ClockField(
        required=False,
        label=_("Quiet from"),
        help_text=_("The patient's own quiet hours: reminders wait until they are over."),
    )
    quiet_until = ClockField(
        required=False,
        label=_("Quiet until"),
    )
    notes = forms.CharField(
        max_length=4000,
        required=False,
        label=_("Notes"),
        help_text=_("For staff only, such as allergies. Never in a message."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    source = forms.ChoiceField(
        choices=[
            (ConsentSource.FRONT_DESK.value, _("At the front desk")),
            (ConsentSource.PHONE.value, _("By phone")),
        ],
        initial=ConsentSource.FRONT_DESK.value,
        label=_("How consent was given"),
        required=False,
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for (purpose, channel), words in CONSENTS.items():
            self.fields[_box(purpose, channel)] = forms.BooleanField(required=False, label=words)

    def clean_phone(self) -> str:
        return _contact(contacts.as_e164, self.cleaned_data["phone"])

    def clean_email(self) -> str:
        return _contact(contacts.as_address, self.cleaned_data["email"])

    @property
    def details(self) -> dict[str, Any]:
        """The valid fields as `registration` takes them."""
        names = (*Who, "phone", "email")
        return {name: self.cleaned_data[name] for name in names}

    @property
    def agreed(self) -> set[tuple[str, str]]:
        return {pair for pair in CONSENTS if self.cleaned_data[_box(*pair)]}

    @property
    def shown_consents(self) -> set[tuple[str, str]]:
        names = set(self.cleaned_data["shown"].split())
        return {pair for pair in CONSENTS if _box(*pair) in names}

    @property
    def has_seldom(self) -> bool:
        """Whether something of `SELDOM` is written or wrong, so that the page unfolds it."""
        return any(self[name].value() or self[name].errors for name in SELDOM)

    @property
    def purposes(self) -> list[dict[str, Any]]:
        """The boxes by purpose, in order, for the page."""
        return [
            {
                "purpose": purpose,
                "wording": consent.WORDINGS[purpose],
                "boxes": [self[_box(*pair)] for pair in CONSENTS if pair[0] == purpose],
            }
            for purpose in PURPOSES
        ]


Who = (
    *("legal_given", "legal_family", "preferred_name", "birth_date"),
    *("language", "zone", "quiet_from", "quiet_until", "notes"),
)


def as_shown(patient: Patient) -> dict[str, Any]:
    """The initial values of the form for a stored patient."""
    points = {
        point.kind: point.value
        for point in patient.contact_points.filter(
            retired_at=None, is_preferred=True, guardian=None
        )
    }
    ticked = [_box(*pair) for pair in consent.standing([patient.pk])[patient.pk]]
    return {
        **{name: getattr(patient, name) for name in Who},
        "phone": points.get("phone", ""),
        "email": points.get("email", ""),
        "version": patient.version,
        "shown": " ".join(sorted(ticked)),
        **dict.fromkeys(ticked, True),
    }


def guessed(query: str) -> dict[str, Any]:
    """The initial values of a new patient's form from what was searched for in vain."""
    text = query.strip()
    born: date | None = naming.as_date(text)
    if born is not None:
        return {"birth_date": born}
    if naming.digits(text):
        return {"phone": text}
    *given, family = text.split() or [""]
    return {"legal_given": " ".join(given), "legal_family": family}


def _contact(write: Any, text: str) -> str:
    if not text.strip():
        return ""
    try:
        return str(write(text))
    except contacts.ContactRefused as refused:
        raise ValidationError(refused.sentence) from None
