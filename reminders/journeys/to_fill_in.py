"""What visits still lack of their patients: questions to answer and forms to sign. Reads only.

Independent of the time now, as planning is: it asks what will be lacking when the visit comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from appointments.clearance import due_questions
from clinic.consent_forms import in_force
from clinic.protocols.schema import AskAt, Text
from clinic.wall_time import local
from patients.screening.assessing import Screened
from patients.screening.questions import questions_of
from patients.signing import asking
from patients.signing.asking import Asked
from patients.signing.standing import Standing
from reminders.planning.facts import ToFillIn

# Before every signature: so none has run out, and `Asked.until` says when it will.
_BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)


def forms_of(protocols: Mapping[int, set[str]]) -> dict[tuple[int, str], Asked]:
    """By patient and protocol, the form to sign for its treatment, where one is published."""
    wanted = {
        patient: [in_force.treatment(protocol) for protocol in some]
        for patient, some in protocols.items()
    }
    found = asking.of(wanted, now=_BEFORE_ALL) if wanted else {}
    return {
        (patient, protocol): asked
        for patient, of_patient in found.items()
        for (_, protocol), asked in of_patient.items()
    }


def of_visit(
    screened: Screened,
    form: Asked | None,
    *,
    starts_at: datetime,
    zone: str,
    asks_from: date | None,
) -> ToFillIn | None:
    """What is lacking of one visit; None before the site asks (`asks_from`, a local day), and
    where there is nothing to ask."""
    day = local(starts_at, zone).date()
    asked = [each for each in questions_of(screened.protocol) if _is_asked(each.ask)]
    if asks_from is None or day < asks_from or not (asked or form):
        return None
    return ToFillIn(
        questions=len(due_questions.of_day(screened, day)),
        form=_title(form) if form is not None and _is_to_sign(form, starts_at) else None,
    )


def _title(form: Asked) -> Text:
    return Text(form.form.title_en, form.form.title_es)


def _is_asked(moments: Sequence[AskAt]) -> bool:
    return not {AskAt.CONSULT, AskAt.PRE}.isdisjoint(moments)


def _is_to_sign(form: Asked, starts_at: datetime) -> bool:
    """Who withdrew said no: they are not asked again by message."""
    return form.standing is not Standing.WITHDRAWN and form.is_due_at(starts_at)
