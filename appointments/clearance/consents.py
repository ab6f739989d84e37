"""Nobody is treated without a signature that counts, where there is a form for the treatment.

A signature that is lacking, or counts no more, yields to a reason; one that was withdrawn is a no,
which only the patient takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from appointments.clearance.bars import Act, Bar, Outcome
from appointments.clearance.treatments import Treatment, as_lacking
from clinic.access import Capability
from clinic.consent_forms import in_force
from clinic.consent_forms.in_force import Subject
from clinic.models import ConsentForm, Site
from clinic.retelling import either, kept
from clinic.saying import gettext, noop
from patients.signing import asking
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
    bar = cache(_bar)  # most of a day stand alike
    return [
        [
            bar(each.form, each.standing, treatment.site)
            for each in [asked[treatment.patient.pk].get(_subject(treatment))]
            if each is not None and each.is_due
        ]
        for treatment in treatments
    ]


def _subject(treatment: Treatment) -> Subject:
    return in_force.treatment(treatment.version.protocol)


def _bar(form: ConsentForm, standing: Standing, site: Site) -> Bar:
    withdrawn = standing is Standing.WITHDRAWN
    bar = Bar(
        code=f"consent_{standing}",
        acts=frozenset({Act.START}),
        outcome=Outcome.BLOCK if withdrawn else Outcome.REVIEW,
        stored=kept(_SENTENCES[standing], form=either(form.title_en, form.title_es)),
        flag=gettext(_FLAGS[standing]),
        about=form.key,
        passes_with="" if withdrawn else Capability.OVERRIDE_CLEARANCE,
    )
    return bar if withdrawn else as_lacking(bar, site)
