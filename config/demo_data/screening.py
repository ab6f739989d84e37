"""What some patients of the demo answered before their next visits: mostly nothing in the way, one
of each outcome, and one that a clinician decided on."""

from __future__ import annotations

from datetime import datetime, timedelta

from appointments.clearance import answering, treatment_of
from appointments.clearance.screening import screened_of
from appointments.lifecycle import TO_COME
from appointments.models import Appointment
from clinic.models import Role, Staff
from clinic.wall_time import local
from patients.models import ScreeningMoment
from patients.screening.answers import Said, Value
from patients.screening.assessing import assess
from patients.screening.questions import SKIN_TYPE, questions_of

_AHEAD = timedelta(days=10)
# One patient each, over and over: what they answer beside no and never; a number is days ago.
_ANSWERS: tuple[dict[str, Value | int], ...] = (
    {},
    {"bleeding": Value.YES},
    {"retinoid_use": 2, "hsv": Value.YES},
    {},
    {"keloid": Value.YES},
    {"filler": 5},
    {},
    {"pregnancy": Value.YES},
)
_DECIDED = "keloid"


def ask(*, now: datetime, of_visits_after: datetime) -> None:
    """Screen those who come in the days after that moment, as their own pages would."""
    visits = list(
        Appointment.objects.filter(state__in=TO_COME, starts_at__gt=now, starts_at__lt=now + _AHEAD)
        .exclude(protocol_version__kind="service")
        .select_related("site", "series__patient", "protocol_version")
        .order_by("starts_at", "id")
    )
    first = {visit.series.patient_id: visit for visit in reversed(visits)}
    later = [visit for visit in first.values() if visit.starts_at > of_visits_after]
    asked = sorted(later, key=lambda visit: (visit.starts_at, visit.pk))[: len(_ANSWERS)]
    for visit, wrong in zip(asked, _ANSWERS, strict=False):
        _answers(visit, wrong, now)


def _answers(visit: Appointment, wrong: dict[str, Value | int], now: datetime) -> None:
    treatment = treatment_of(visit)
    today = local(now, visit.site.zone).date()
    said = {}
    for question in questions_of(treatment.protocol):
        told = wrong.get(question.id)
        if question.id == SKIN_TYPE:
            continue
        if isinstance(told, int) and question.asks_for_a_day:
            said[question.id] = Said(Value.DATE, today - timedelta(days=told))
        elif isinstance(told, Value) and not question.asks_for_a_day:
            said[question.id] = Said(told)
        else:
            said[question.id] = Said(Value.NEVER if question.asks_for_a_day else Value.NO)
    clinician = _at(visit, Role.PROVIDER)
    answering.answer(
        treatment=treatment, said={}, moment=ScreeningMoment.CONSULT, skin_type="II",
        by=clinician, now=now,
    )  # fmt: skip
    answering.answer(treatment=treatment, said=said, moment=ScreeningMoment.PRE, by=None, now=now)
    (screened,) = screened_of([treatment])
    for finding in assess(screened):
        if finding.rule == _DECIDED and finding.may_be_decided:
            answering.decide(
                treatment=treatment, rule=finding.rule, answers=finding.answers, proceeds=True,
                reason="One old scar on the shoulder, none on the face; discussed.",
                by=clinician, now=now,
            )  # fmt: skip


def _at(visit: Appointment, role: Role) -> Staff:
    at_site = Staff.objects.filter(site_roles__site=visit.site, site_roles__role=role)
    return at_site.order_by("pk")[0]
