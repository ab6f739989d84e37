"""Which forms patients are asked to sign, and where they stand with each. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from clinic import statements
from clinic.consent_forms import in_force
from clinic.consent_forms.in_force import InForce, Subject
from clinic.models import ConsentForm, ConsentPurpose
from patients.models import Patient, SignedForm
from patients.signing import standing
from patients.signing.standing import Signature, Standing


@dataclass(frozen=True, slots=True)
class Asked:
    """A form in force and where the patient stands with it. `signed` is the id of the signature
    that says so, None when there is none; `until` is when it stops counting by itself."""

    form: ConsentForm
    standing: Standing
    signed: int | None
    signed_at: datetime | None
    until: datetime | None

    @property
    def is_due(self) -> bool:
        return self.standing is not Standing.SIGNED

    def is_due_at(self, at: datetime) -> bool:
        """Whether it will be asked for again at `at`, if nothing changes until then."""
        return self.is_due or (self.until is not None and self.until <= at)

    @property
    def is_treatment(self) -> bool:
        return self.form.purpose == ConsentPurpose.TREATMENT


def of(
    subjects: Mapping[int, Collection[Subject]], *, now: datetime
) -> dict[int, dict[Subject, Asked]]:
    """By patient id: the forms in force among the subjects that concern each; two queries."""
    forms = in_force.of({subject for wanted in subjects.values() for subject in wanted})
    signatures = _signatures(subjects, forms)
    return {
        patient_id: {
            subject: _asked(forms[subject], signatures[patient_id, subject], now)
            for subject in wanted
            if subject in forms
        }
        for patient_id, wanted in subjects.items()
    }


def of_patient(patient: Patient, protocols: Collection[str], *, now: datetime) -> list[Asked]:
    """The forms for treatments by these protocols, then those for photos."""
    subjects = [*map(in_force.treatment, sorted(set(protocols))), *in_force.photos()]
    found = of({patient.pk: subjects}, now=now)[patient.pk]
    return [found[subject] for subject in subjects if subject in found]


def agrees(patient_id: int, purpose: ConsentPurpose, *, now: datetime) -> bool:
    """Whether a use of photos stands agreed to."""
    subject = (purpose.value, "")
    found = of({patient_id: [subject]}, now=now)[patient_id].get(subject)
    return found is not None and not found.is_due


def _signatures(
    subjects: Mapping[int, Collection[Subject]], forms: Mapping[Subject, InForce]
) -> dict[tuple[int, Subject], list[Signature]]:
    found: dict[tuple[int, Subject], list[Signature]] = defaultdict(list)
    if not forms:
        return found
    rows = SignedForm.objects.filter(
        patient__in=statements.one_of(subjects.keys()),
        form__purpose__in={purpose for purpose, _ in forms},
        form__protocol__in={protocol for _, protocol in forms},
    )
    for patient_id, purpose, protocol, *signature in rows.values_list(
        *("patient_id", "form__purpose", "form__protocol"),
        *("id", "form__number", "signed_at", "withdrawn_at", "form__valid_for", "site__zone"),
    ):
        found[patient_id, (purpose, protocol)].append(Signature(*signature))
    return found


def _asked(form: InForce, signatures: list[Signature], now: datetime) -> Asked:
    stands, signature = standing.of(signatures, counts_from=form.counts_from, now=now)
    return Asked(
        form.form,
        stands,
        signature.id if signature else None,
        signature.signed_at if signature else None,
        standing.ends_at(signature) if signature else None,
    )
