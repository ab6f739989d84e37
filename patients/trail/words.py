"""The audit trail in words. Pure: an action is `subject.verb`, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from clinic import saying_days, saying_times
from clinic.saying import gettext, language
from patients.trail.vocabulary import ACTIONS, FIELDS, TYPES, VALUES, VALUES_OF

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK = re.compile(r"(\d\d:\d\d):00")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z]+(_[a-z0-9]+)+")
DIGEST_SHOWN = 12


def said(action: str) -> str:
    """An action in words: `appointment.check_in` is "Visit: check in"."""
    if known := ACTIONS.get(action):
        return gettext(known)
    subject, _, verb = action.replace("_", " ").partition(".")
    return f"{subject.capitalize()}: {verb}" if verb else subject.capitalize()


def named(subject_type: str, subject_id: str) -> str:
    """What an entry is about: `visit 812`."""
    if subject_id.startswith("list-"):
        return ""
    known = TYPES.get(subject_type)
    kind = gettext(known) if known else subject_type.partition(".")[2]
    return f"{kind} {subject_id}"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(field, before, after) of every field that an entry holds; empty where there is none."""
    fields = list(dict.fromkeys((*before, *after)))
    return [
        (field.replace("_", " "), _value(before.get(field)), _value(after.get(field)))
        for field in fields
    ]


def shown(
    before: Mapping[str, Any], after: Mapping[str, Any], zone: str
) -> list[tuple[str, str, str]]:
    """The same for who reads it on a page: of what an entry holds twice what differs, instants on
    the clock of `zone`, names as words, digests by their beginning."""
    kept = {field for field in before if field in after and before[field] == after[field]}
    return [
        (field_word(field), value_in_words(was, field, zone), value_in_words(becomes, field, zone))
        for field, was, becomes in changes(
            {field: value for field, value in before.items() if field not in kept},
            {field: value for field, value in after.items() if field not in kept},
        )
    ]


def field_word(name: str) -> str:
    """A field of a row, in words."""
    known = FIELDS.get(name.replace(" ", "_"))
    return gettext(known) if known else name


def value_in_words(value: str, field: str, zone: str) -> str:
    """What a field of a row holds, for who reads it on a page; instants on the clock of `zone`."""
    parts = re.split("(, | – )", value)
    return "".join(_read_one(each, field, zone) for each in parts)


def _read_one(text: str, field: str, zone: str) -> str:
    if known := VALUES_OF.get(field, {}).get(text) or VALUES.get(text):
        return gettext(known)
    if _INSTANT.fullmatch(text):
        return saying_times.format_when(datetime.fromisoformat(text), zone, language())
    if day := _day(text):
        return saying_days.format_day(day, language(), year=True)
    if clock := _CLOCK.fullmatch(text):
        return clock[1]
    if _DIGEST.fullmatch(text):
        return f"{text[:DIGEST_SHOWN]}…"
    return text.replace("_", " ") if _NAME.fullmatch(text) else text


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:  # somebody wrote something else like it
        return None


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_value(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value)
    return str(value)
