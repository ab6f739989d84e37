"""Nobody is treated without a signature that counts, where there is a form for the treatment.

A signature that is lacking, or counts no more, yields to a reason; one that was withdrawn is a no,
which only the patient takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appointments.clearance.bars import Act, Bar, Outcome
from appointments.clearance.treatments import Treatment
from clinic.access import Capability
from clinic.consent_forms import in_force
from clinic.consent_forms.in_force import Subject
from clinic.retelling import either, kept
from clinic.saying import gettext, noop
from patients.signing import asking
from patients.signing.asking import Asked
from patients.signing.standing import Standing

_FLAGS = {
    Standing.MISSING: noop("form not signed"),
    Standing.OUTDATED: noop("form to sign anew"),
    Standing.EXPIRED: noop("form has run out"),
    Standing.WITHDRAWN: noop("consent withdrawn"),
}
_SENTENCES = {
    Standing.MISSING: noop("“%(form)s” is not signed. Hand the tablet over, under “Forms”."),
    Standing.OUTDATED: noop(
        "“%(form)s” has changed since it was signed. Hand the tablet over, under “Forms”."
    ),
    Standing.EXPIRED: noop(
        "The signature of “%(form)s” has run out. Hand the tablet over, under “Forms”."
    ),
    Standing.WITHDRAWN: noop(
        "The patient withdrew “%(form)s”. Do not treat unless they sign it again."
    ),
}


def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]:
    subjects: dict[int, set[Subject]] = {}
    for treatment in treatments:
        subjects.setdefault(treatment.patient.pk, set()).add(_subject(treatment))
    asked = asking.of(subjects, now=now)
    return [
        _bars(treatment, asked[treatment.patient.pk].get(_subject(treatment)))
        for treatment in treatments
    ]


def _subject(treatment: Treatment) -> Subject:
    return in_force.treatment(treatment.version.protocol)


def _bars(treatment: Treatment, asked: Asked | None) -> list[Bar]:
    if asked is None or not asked.is_due:
        return []
    withdrawn = asked.standing is Standing.WITHDRAWN
    bar = Bar(
        code=f"consent_{asked.standing}",
        acts=frozenset({Act.START}),
        outcome=Outcome.BLOCK if withdrawn else Outcome.REVIEW,
        stored=kept(
            _SENTENCES[asked.standing], form=either(asked.form.title_en, asked.form.title_es)
        ),
        flag=gettext(_FLAGS[asked.standing]),
        about=asked.form.key,
        passes_with="" if withdrawn else Capability.OVERRIDE_CLEARANCE,
    )
    return [bar if withdrawn else treatment.as_lacking(bar)]
