"""A published form for the treatment, and one for each use of photos."""

from datetime import datetime

import pytest

from clinic.consent_forms import drafting, in_force, publishing
from clinic.consent_forms.in_force import Subject
from clinic.consent_forms.wording import Words
from clinic.models import ConsentForm, Staff
from tests.audited import audited as audited  # a fixture

TREATMENT = in_force.treatment("rf_microneedling")
WORDS = {
    "en": Words("Consent to needling", "## Risks\n- burns\n- scarring\n\nI may say no."),
    "es": Words("Consentimiento", "## Riesgos\n- quemaduras\n- cicatrices\n\nPuedo decir que no."),
}


def publish(
    by: Staff,
    now: datetime,
    subject: Subject = TREATMENT,
    *,
    note: str = "",
    valid_for: str = "",
    asks_anew: bool = True,
) -> ConsentForm:
    """A new edition of a form, its words told apart by `note`."""
    words = {
        language: Words(each.title, f"{each.body}\n{subject[0]} {note}".rstrip())
        for language, each in WORDS.items()
    }
    draft = drafting.save(
        subject=subject, words=words, valid_for=valid_for, seen="", by=by, now=now
    )
    return publishing.publish(draft=draft, seen=draft.digest, asks_anew=asks_anew, by=by, now=now)


@pytest.fixture
def treatment_form(clinical_lead: Staff, now: datetime) -> ConsentForm:
    return publish(clinical_lead, now, valid_for="P12M")


@pytest.fixture
def photo_forms(clinical_lead: Staff, now: datetime) -> list[ConsentForm]:
    return [publish(clinical_lead, now, subject) for subject in in_force.photos()]
