"""Signing forms: one signature under each form that was agreed to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from clinic import audit, wall_time
from clinic.models import ConsentForm, ConsentPurpose, Site, Staff
from patients import consent, guardians, naming
from patients.models import ConsentChannel, Patient, Purpose, SignedForm
from patients.models.consent import ConsentSource
from patients.models.signed_form import Signer, SigningPlace, SigningWay
from patients.signing import asking, drawing, sheets
from patients.signing.sheets import SheetFacts

ADULT = 18
LONGEST_NAME, LONGEST_RELATION = 120, 60


class SigningRefused(ValueError):
    """Nothing was signed; `sentence` says why and what to do. `reason` names it for translation."""

    code = "signing_refused"

    def __init__(self, reason: str, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason, self.field, self.sentence = reason, field, sentence


class FormChanged(SigningRefused):
    """A form was published anew, or retired, while it was read."""

    code = "form_changed"

    def __init__(self) -> None:
        super().__init__(
            "changed", "forms", "This form was changed while it was read. Read it once more."
        )


@dataclass(frozen=True, slots=True)
class Signature:
    """What the person who signs gives: `path` is that of a drawing, empty when the name stands for
    it; `relation` is what a guardian is to the patient."""

    name: str
    signer: Signer = Signer.PATIENT
    relation: str = ""
    path: str = ""


@transaction.atomic
def sign(
    *,
    patient: Patient,
    forms: Sequence[ConsentForm],
    signature: Signature,
    language: str,
    site: Site,
    handed_by: Staff | None,
    ip: str | None,
    now: datetime,
) -> list[SignedForm]:
    """Keep a signature under each of `forms`, as they were shown in `language`. `handed_by` is who
    handed the tablet over at the clinic; None when the patient signs by their own link. A form that
    stands signed is left alone.

    Signing for the photos of the record also agrees to messages that ask for photos.

    Raises SigningRefused, FormChanged and DrawingRefused.
    """
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=patient.pk)
    given = _checked(patient, signature, site, now)
    if not forms:
        raise SigningRefused("nothing", "forms", "Tick the form that you agree to.")
    subjects = [(form.purpose, form.protocol) for form in forms]
    asked = asking.of({patient.pk: subjects}, now=now)[patient.pk]
    signed = []
    for form, subject in zip(forms, subjects, strict=True):
        if subject not in asked or asked[subject].form.pk != form.pk:
            raise FormChanged
        if asked[subject].is_due:
            row = _kept(patient, form, given, language, site, handed_by, ip, now)
            signed.append(row)
    if signed:
        Patient.objects.filter(pk=patient.pk).raise_revision()
    return signed


def _checked(patient: Patient, signature: Signature, site: Site, now: datetime) -> Signature:
    """The signature tidied; raises when it cannot be this patient's."""
    name, relation = _tidy(signature.name), _tidy(signature.relation)
    if len(name) < 2 or len(name) > LONGEST_NAME:
        raise SigningRefused("name", "name", "Write your full name.")
    is_guardian, today = signature.signer == Signer.GUARDIAN, wall_time.local(now, site.zone).date()
    if is_guardian and not 0 < len(relation) <= LONGEST_RELATION:
        raise SigningRefused("relation", "relation", "Write your relationship to the patient.")
    if is_guardian and not _may_sign(name, patient, today):
        raise SigningRefused(
            "guardian", "name", "By our records somebody else signs for the patient. Ask us."
        )
    if not is_guardian and patient.age_on(today) < ADULT:
        raise SigningRefused(
            "minor", "signer", f"Under {ADULT}, a parent or guardian signs for the patient."
        )
    if not is_guardian and not _is_name_of(name, patient):
        raise SigningRefused(
            "other_name", "name", "This is not the name that we have. Ask us if yours has changed."
        )
    if signature.path:
        drawing.lines(signature.path)
    return Signature(name, signature.signer, relation if is_guardian else "", signature.path)


def _may_sign(name: str, patient: Patient, today: date) -> bool:
    """Whether nobody is written down who answers for a minor, or one of this name may sign."""
    if not guardians.is_minor(patient, today):
        return True
    if not patient.guardians.filter(ended_at=None).exists():
        return True
    typed = naming.folded(name).split()
    # By the first name: a family may share the other.
    allowed = (each.name for each in guardians.who_may_sign(patient, today))
    return any(set(naming.folded(each).split()[:1]).intersection(typed) for each in allowed)


def _is_name_of(name: str, patient: Patient) -> bool:
    """Whether something of the patient's names is in what was typed: a tablet in the wrong hands
    is noticed, a missing second name is not."""
    known = f"{patient.legal_given} {patient.legal_family} {patient.preferred_name}"
    return bool(set(naming.folded(name).split()) & set(naming.folded(known).split()))


def _tidy(text: str) -> str:
    return " ".join("".join(each for each in text if each.isprintable()).split())


def _kept(
    patient: Patient,
    form: ConsentForm,
    signature: Signature,
    language: str,
    site: Site,
    handed_by: Staff | None,
    ip: str | None,
    now: datetime,
) -> SignedForm:
    place = SigningPlace.CLINIC if handed_by is not None else SigningPlace.LINK
    way = SigningWay.DRAWN if signature.path else SigningWay.TYPED
    facts = SheetFacts(
        language=language,
        site=site.name,
        site_address=site.address,
        zone=site.zone,
        patient_id=patient.pk,
        patient_name=f"{patient.legal_given} {patient.legal_family}",
        birth_date=patient.birth_date,
        key=form.key,
        number=form.number,
        title=form.title(language),
        body=form.body(language),
        wording_digest=form.digest_in(language),
        signer=signature.signer.value,
        signer_name=signature.name,
        relation=signature.relation,
        way=way.value,
        drawing=signature.path,
        place=place.value,
        handed_by=handed_by.name if handed_by is not None else "",
        ip=ip or "",
        signed_at=now,
    )
    pdf = sheets.sheet(facts)
    row = SignedForm.objects.create(
        patient=patient,
        form=form,
        language=language,
        wording_digest=facts.wording_digest,
        site=site,
        signer=signature.signer,
        signer_name=signature.name,
        relation=signature.relation,
        way=way,
        drawing=signature.path,
        place=place,
        handed_by=handed_by,
        ip=ip,
        signed_at=now,
        facts_digest=sheets.digest(facts),
        sheet=pdf,
        sheet_digest=hashlib.sha256(pdf).hexdigest(),
    )
    audit.record(
        action="form.sign",
        subject=row,
        by=None,
        now=now,
        site=site,
        patient_id=patient.pk,
        after={"form": form.key, "number": form.number, "digest": row.facts_digest, "way": way},
    )
    if form.purpose == ConsentPurpose.PHOTOS_RECORD:
        consent.give(
            patient=patient,
            purpose=Purpose.PHOTOS,
            channel=ConsentChannel.ANY,
            by=None,
            now=now,
            source=ConsentSource.SIGNED_FORM,
        )
    return row


def forms_of(ids: Sequence[int]) -> list[ConsentForm]:
    """The published editions with these ids, as they were shown.

    Raises FormChanged when one is not published any more.
    """
    published = ConsentForm.objects.filter(pk__in=ids, state="published").in_bulk()
    if set(ids) - set(published):
        raise FormChanged
    return [published[pk] for pk in dict.fromkeys(ids)]
