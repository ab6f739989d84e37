"""The audit trail in words. Pure: an action is `subject.verb`, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SUBJECTS = {
    "record": "Record",
    "patient": "Patient",
    "appointment": "Visit",
    "series": "Series",
    "address": "Number or address",
    "settings": "Settings",
    "waitlist": "Wait-list",
    "hours": "Opening hours",
    "entry": "Wait-list",
    "link": "Patient’s link",
}
_WHOLE = {"record.view": "Looked at", "record.list": "Looked through a list"}
_TYPES = {
    "patients.patient": "patient",
    "appointments.appointment": "visit",
    "appointments.treatmentseries": "series",
    "appointments.waitlistentry": "wait-list entry",
    "patients.contactconsent": "contact consent",
    "patients.signedform": "signed form",
    "patients.recordmerge": "merge",
    "patients.screeninganswer": "screening answer",
    "patients.screeningdecision": "screening decision",
    "appointments.photo": "photo",
    "appointments.adverseevent": "adverse event",
    "appointments.treatmentrecord": "treatment log",
    "appointments.outcomescore": "score",
    "appointments.recallattempt": "recall",
    "reminders.recordexport": "export",
    "clinic.recordretention": "decision",
    "clinic.consentform": "consent form",
    "clinic.protocolversion": "protocol version",
    "clinic.oncallshift": "shift",
    "appointments.patientlink": "link",
    "reminders.message": "message",
    "reminders.conversation": "conversation",
    "reminders.suppression": "suppression",
}


def said(action: str) -> str:
    """An action in words: `appointment.check_in` is "Visit: check in"."""
    if action in _WHOLE:
        return _WHOLE[action]
    subject, _, verb = action.partition(".")
    name = _SUBJECTS.get(subject, subject.replace("_", " ").capitalize())
    return f"{name}: {verb.replace('_', ' ')}" if verb else name


def named(subject_type: str, subject_id: str) -> str:
    """What an entry is about: `visit 812`."""
    if subject_id.startswith("list-"):
        return ""
    kind = _TYPES.get(subject_type, subject_type.partition(".")[2])
    return f"{kind} {subject_id}"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(field, before, after) of every field that an entry holds; empty where there is none."""
    fields = list(dict.fromkeys((*before, *after)))
    return [
        (field.replace("_", " "), _value(before.get(field)), _value(after.get(field)))
        for field in fields
    ]


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_value(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value)
    return str(value)
