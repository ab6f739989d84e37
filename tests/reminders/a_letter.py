"""A letter with everything, as the tests of its words need it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import reminders.wording.texts
from reminders.catalogue import Channel, Kind
from reminders.wording.rendering import (
    Letter,
    LetterStep,
    LetterVisit,
    Rendered,
    render,
)
from reminders.wording.rules import LONGEST

LANGUAGES = ("en", "es")
WHEN = {"en": "Fri 12 Mar 10:00", "es": "vie 12 mar 10:00"}
URL = "https://care.harbour.example/p/abcdefghijklmn"
SUN = LetterStep("Keep out of the sun", "No strong sun on the area.", "instruction")
BARE = LetterStep("Come with bare skin", "No make-up, please.", "instruction", late=True)

LETTER = Letter(
    kind=Kind.REMINDER_FINAL,
    channel=Channel.SMS,
    language="en",
    first_name="José",
    clinic_name="Harbour Skin Clinic",
    sms_name="Harbour Skin",
    phone="+12125550123",
    address="1 Pier Street, New York, NY 10004",
    visits=(LetterVisit(2, 3, WHEN["en"]),),
    steps=(),
    care_url=URL,
    detail=False,
    treatment="RF microneedling",
    first_sms=False,
    unsubscribe_url="https://care.harbour.example/u/abc",
    text="Please come as you are.",
    warnings=("spreading redness", "new numbness"),
    review_url="https://reviews.example/harbour",
)
LONGEST_LETTER = replace(
    LETTER,
    first_name="F" * 24,
    sms_name="N" * 24,
    phone="+" + "9" * 15,
    care_url="https://" + "u" * 37,
    text=LONGEST["text"],
    visits=(LetterVisit(1, 1, LONGEST["when"], LONGEST["previous_when"]),),
)

every_kind = pytest.mark.parametrize("kind", list(Kind))
every_language = pytest.mark.parametrize("language", LANGUAGES)


def sms(**changes: object) -> Rendered:
    return render(replace(LETTER, **changes))  # type: ignore[arg-type]


def email(**changes: object) -> Rendered:
    return render(replace(LETTER, channel=Channel.EMAIL, **changes))  # type: ignore[arg-type]


def templates() -> Iterator[tuple[str, str, str, str]]:
    """(language, kind, key, source) of every template in the files."""
    folder = Path(reminders.wording.texts.__file__).parent
    for language in LANGUAGES:
        document = tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))
        for kind in Kind:
            for key, source in document[kind].items():
                yield language, kind, key, source
