"""What every page has in common on which a patient signs: the form, its words, and what was typed.

They differ in who may open them (by a link, on a tablet that was handed over), not in what they
show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict

from clinic import saying_days, wall_time
from clinic.consent_forms import wording
from clinic.consent_forms.wording import Blocks
from clinic.models import ConsentPurpose, Site, Staff
from clinic.views.row_id import row_id
from patients import guardians
from patients.models import Patient, SignedForm, Signer
from patients.models.consent import ConsentSource
from patients.signing import drawing, signing, withdrawing
from patients.signing.asking import Asked
from patients.signing.drawing import DrawingRefused
from patients.signing.page_words import SIGNING_WORDS
from patients.signing.signing import Signature, SigningRefused


class SignatureForm(forms.Form):
    """The name, in which part somebody signs, and the path of a drawing. What it holds is judged by
    the domain; the form only carries it."""

    name = forms.CharField(required=False, max_length=300)
    signer = forms.ChoiceField(choices=Signer.choices, required=False)
    relation = forms.CharField(required=False, max_length=300)
    drawing = forms.CharField(required=False, strip=True)

    @property
    def signature(self) -> Signature:
        typed = self.cleaned_data
        return Signature(
            name=typed["name"],
            signer=Signer(typed["signer"] or Signer.PATIENT),
            relation=typed["relation"],
            path=typed["drawing"],
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One form as a patient reads it; `note` says why it is asked for again, empty the first time.
    `signed_at` and `until` are in words, empty while it does not count."""

    id: int
    title: str
    blocks: Blocks
    is_treatment: bool
    note: str
    signed: int | None
    signed_at: str
    until: str
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """What was refused: the sentence in the patient's language and the id of the input."""

    sentence: str
    input: str


def language_of(patient: Patient, asked: str) -> str:
    """The language of a page: the one that was asked for, else the patient's."""
    return asked if asked in SIGNING_WORDS else patient.language


def context(
    *,
    patient: Patient,
    asked: Sequence[Asked],
    site: Site | None,
    language: str,
    now: datetime,
    typed: QueryDict | None = None,
    problem: Problem | None = None,
) -> dict[str, Any]:
    """What the templates of these pages show; `asked` are the forms that concern the patient. For
    a minor it is a guardian who signs, unless somebody says otherwise."""
    words, zone = SIGNING_WORDS[language], site.zone if site else "UTC"
    signer = typed.get("signer", "") if typed is not None else ""
    if not signer and guardians.is_minor(patient, wall_time.local(now, zone).date()):
        signer = str(Signer.GUARDIAN)
    ticked = {row_id(each) for each in typed.getlist("forms")} if typed is not None else set()
    lines = [_line(each, words, zone, language, ticked) for each in asked]
    return {
        "patient": patient,
        "site": site,
        "language": language,
        "words": words,
        "due": [line for line, each in zip(lines, asked, strict=True) if each.is_due],
        "is_treatment_due": any(each.is_due and each.is_treatment for each in asked),
        "signed": [line for line, each in zip(lines, asked, strict=True) if not each.is_due],
        "typed": typed or {},
        "signs_for": signer == Signer.GUARDIAN,
        "problem": problem,
        "pad": {"width": drawing.WIDTH, "height": drawing.HEIGHT},
        "full_name": f"{patient.legal_given} {patient.legal_family}",
    }


def sign(
    *,
    patient: Patient,
    typed: QueryDict,
    language: str,
    site: Site,
    handed_by: Staff | None,
    ip: str | None,
    now: datetime,
) -> list[SignedForm] | Problem:
    """Sign what was ticked, or say in the patient's language why not."""
    form = SignatureForm(typed)
    words = SIGNING_WORDS[language]
    if not form.is_valid():
        return Problem(words["refused_name"], "name")
    try:
        return signing.sign(
            patient=patient,
            forms=signing.forms_of([row_id(each) for each in typed.getlist("forms")]),
            signature=form.signature,
            language=language,
            site=site,
            handed_by=handed_by,
            ip=ip,
            now=now,
        )
    except DrawingRefused:
        return Problem(words["refused_drawing"], "pad")
    except SigningRefused as refused:
        return Problem(words[f"refused_{refused.reason}"], refused.field)


def withdraw(*, patient: Patient, signed_id: int, now: datetime) -> bool:
    """Withdraw the patient's own signature on their own page; False when there is none to."""
    signed = patient.signed_forms.defer("sheet").filter(pk=signed_id, withdrawn_at=None).first()
    if signed is None:
        return False
    try:
        withdrawing.withdraw(signed=signed, by=None, now=now, source=ConsentSource.PATIENT_PAGE)
    except withdrawing.WithdrawalRefused:
        return False
    return True


def thanks(count: int, language: str) -> str:
    words = SIGNING_WORDS[language]
    said = words["one"] if count == 1 else words["several"].format(count)
    return words["thanks"].format(count=said)


def _line(asked: Asked, words: Any, zone: str, language: str, ticked: set[int]) -> Line:
    form = asked.form
    counts = not asked.is_due

    def day(at: datetime | None) -> str:
        if at is None or not counts:
            return ""
        there = wall_time.local(at, zone).date()
        return saying_days.format_day(there, language, year=True)

    return Line(
        id=form.pk,
        title=form.title(language),
        blocks=wording.blocks(form.body(language)),
        is_treatment=form.purpose == ConsentPurpose.TREATMENT,
        note=words.get(asked.standing, "") if asked.is_due else "",
        signed=asked.signed if counts else None,
        signed_at=words["since"].format(when=day(asked.signed_at)) if counts else "",
        until=words["until"].format(when=day(asked.until)) if day(asked.until) else "",
        is_ticked=form.pk in ticked,
    )
