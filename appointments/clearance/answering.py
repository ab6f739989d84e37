"""What patients answer, and what follows at once: bars, and tasks for those who may act.

Owns the acts of answering and deciding. Bars need no act: they follow from the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from appointments.clearance import due_questions, follow_up
from appointments.clearance.screening import screened_of
from appointments.clearance.treatments import Treatment
from appointments.refusals import Refused
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.protocols.schema import AskAt
from clinic.saying import gettext
from clinic.wall_time import local
from patients.models import Patient, ScreeningDecision, ScreeningMoment
from patients.screening import recording
from patients.screening.answers import NO_TO, Said
from patients.screening.assessing import Finding, assess, covers
from patients.screening.recording import REASON_LENGTH


class NotDecidable(Refused):
    """There is nothing to decide by this rule: the protocol blocks, or nothing stands."""

    code = "not_decidable"
    field = "rule"


class AnswersChanged(Refused):
    """Somebody answered anew since the decision was thought about."""

    code = "answers_changed"
    field = "answers"


class ReasonLacking(Refused):
    code = "reason_missing"
    field = "reason"


@transaction.atomic
def answer(
    *,
    treatment: Treatment,
    said: Mapping[str, Said],
    moment: ScreeningMoment,
    by: Staff | None,
    now: datetime,
    skin_type: str = "",
    no_to_the_rest: bool = False,
) -> tuple[Finding, ...]:
    """Write down answers to questions of the treatment's protocol, and act on them.

    `by` is None when the patient answers; staff may give the `skin_type` too, and say that the
    patient answered no to all other questions that are asked now: each of these is written down
    as asked together. Returns what is found now. Raises Forbidden, and AnswerRefused for an
    answer that cannot be.
    """
    if by is not None:
        access.require(by, Capability.SCREEN, treatment.site)
    patient, site = treatment.patient, treatment.site
    today = local(now, site.zone).date()
    everything = {**(_rest(treatment, moment, today) if no_to_the_rest else {}), **said}
    checked = recording.check(treatment.version, everything, today=today)
    recording.add_answers(
        patient=patient,
        version=treatment.version,
        areas=treatment.areas,
        answers=checked,
        moment=moment,
        site=site,
        today=today,
        by=by,
        now=now,
    )
    if skin_type and by is not None:
        recording.set_skin_type(patient=patient, skin_type=skin_type, site=site, by=by, now=now)
    follow_up.follow_up(patient=patient, also=[treatment], by=by, now=now)
    return _found(treatment)


@transaction.atomic
def decide(
    *,
    treatment: Treatment,
    rule: str,
    answers: frozenset[int],
    proceeds: bool,
    reason: str,
    by: Staff,
    now: datetime,
) -> ScreeningDecision:
    """Decide whether to treat in spite of what was found by `rule` in these `answers` (ids).

    Raises:
        Forbidden: unless `by` may decide at the site.
        ReasonLacking, NotDecidable, AnswersChanged: nothing was decided.
    """
    access.require(by, Capability.DECIDE_SCREENING, treatment.site)
    reason = " ".join(reason.split())[:REASON_LENGTH]
    if not reason:
        raise ReasonLacking(gettext("Write why, in a few words: it is kept with the answers."))
    patient = treatment.patient
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=patient.pk)
    (screened,) = screened_of([treatment])
    of_rule = [finding for finding in assess(screened) if finding.rule == rule]
    finding = next((each for each in of_rule if each.answers == answers), None)
    if finding is None and of_rule:
        raise AnswersChanged(
            gettext("This was answered anew meanwhile. Read the answer, then decide.")
        )
    if finding is None or not finding.may_be_decided:
        raise NotDecidable(
            gettext(
                "This is not to be decided: the protocol rules it out, or nothing stands any more."
            )
        )
    about, skin_type = covers(finding, screened)
    decision = recording.add_decision(
        patient=patient,
        version=treatment.version,
        rule=rule,
        answers=about,
        skin_type=skin_type,
        proceeds=proceeds,
        reason=reason,
        site=treatment.site,
        today=local(now, treatment.site.zone).date(),
        by=by,
        now=now,
    )
    follow_up.follow_up(patient=patient, also=[treatment], by=by, now=now)
    return decision


def _rest(treatment: Treatment, moment: ScreeningMoment, today: date) -> dict[str, Said]:
    """No, said together, to every question that is to be asked at `moment`."""
    (screened,) = screened_of([treatment])
    days = [today]
    if treatment.visit is not None:
        days.append(local(treatment.visit.starts_at, treatment.site.zone).date())
    due = due_questions.of_day(screened, max(days), AskAt(moment))
    return {each.id: Said(NO_TO[each.trigger], together=True) for each in due}


def _found(treatment: Treatment) -> tuple[Finding, ...]:
    (screened,) = screened_of([treatment])
    return assess(screened)
