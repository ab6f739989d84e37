"""The consent forms that come with the product, stored as drafts for the clinical lead to read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from clinic.consent_forms import drafting, wording
from clinic.consent_forms.in_force import Subject
from clinic.consent_forms.wording import Words
from clinic.models import ConsentForm, FormState

LIBRARY = Path(__file__).parent / "library"


@dataclass(frozen=True, slots=True)
class Default:
    """One form of the library; `words` by language."""

    subject: Subject
    words: dict[str, Words]
    valid_for: str

    @property
    def digest(self) -> str:
        return wording.digest_of_all(self.words, self.valid_for)


@transaction.atomic
def load_library(*, now: datetime) -> list[ConsentForm]:
    """Store each form of the library as a draft unless it was stored before; gives the new ones.

    A form whose draft somebody is writing is left alone until that one is published or discarded.
    """
    added = []
    for default in read_library():
        editions = drafting.editions(default.subject)
        known = editions.filter(from_library=default.digest).exists()
        if known or editions.filter(state=FormState.DRAFT).exists():
            continue
        form = drafting.new(default.subject, now=now)
        drafting.write(form, default.words, default.valid_for)
        form.from_library = default.digest
        form.save()
        drafting.record("consent_form.load", form, by=None, now=now)
        added.append(form)
    return added


def read_library() -> Iterator[Default]:
    """Every form of the library, in order of its file's name."""
    for path in sorted(LIBRARY.glob("*.toml")):
        read = tomllib.loads(path.read_text(encoding="utf-8"))
        words = {
            each: wording.cleaned(Words(read[each]["title"], read[each]["body"]))
            for each in wording.LANGUAGES
        }
        yield Default((read["purpose"], read.get("protocol", "")), words, read.get("valid_for", ""))
