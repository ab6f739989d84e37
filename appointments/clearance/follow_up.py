"""The tasks that follow from screening: opened as soon as something is found, closed when it is
answered anew or decided. Work done by staff stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments.clearance.screening import screened_of
from appointments.clearance.treatments import Treatment
from appointments.lifecycle import OPEN
from appointments.models import Appointment, Task, TaskKind, TreatmentSeries
from clinic import statements
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols.schema import Outcome, Protocol, StepKind
from clinic.saying import noop
from clinic.wall_time import local
from patients.models import Patient
from patients.screening import gathering, sentences
from patients.screening.assessing import Finding, Rule, assess
from patients.screening.questions import MEDICINES

NO_LONGER = noop("No longer needed: it was answered anew or decided.")
_PREFIX = "screening"


@dataclass(frozen=True, slots=True)
class _Wanted:
    key: str
    kind: TaskKind
    title: str
    detail: str
    why: list[str]
    treatment: Treatment
    visit: Appointment | None


def follow_up(
    *, patient: Patient, by: Staff | None, now: datetime, also: Sequence[Treatment] = ()
) -> None:
    """Bring the tasks of a patient's open series, and of the treatments in `also`, in line with
    what is found. Call it in the transaction of the act, with the patient locked."""
    if not patient.skin_type and not gathering.has_answered(patient.pk):
        return
    treatments = _considered(patient, also)
    wanted: dict[str, _Wanted] = {}
    for treatment, screened in zip(treatments, screened_of(treatments), strict=True):
        for finding in assess(screened):
            task = _wanted(finding, treatment, now)
            if task is not None:
                wanted.setdefault(task.key, task)
    asked = "patient_id = %s AND starts_with(key, %s)"
    stored = {task.key: task for task in statements.where(Task, asked, [patient.pk, f"{_PREFIX}."])}
    statements.add(*(_row(patient, task, now) for key, task in wanted.items() if key not in stored))
    protocols = {treatment.protocol.id for treatment in treatments}
    gone = [
        task.pk
        for key, task in stored.items()
        if key not in wanted and task.closed_at is None and key.split(".")[2] in protocols
    ]
    if gone:
        Task.objects.filter(pk__in=gone).update(closed_at=now, closed_by=by, outcome=NO_LONGER)


def called_about(visits: Iterable[int]) -> set[int]:
    """Of these visits those that staff still have to call the patient about."""
    open_calls = Task.objects.filter(
        appointment__in=visits,
        kind=TaskKind.CALL,
        key__startswith=f"{_PREFIX}.",
        closed_at=None,
    )
    return {pk for pk in open_calls.values_list("appointment_id", flat=True) if pk}


def _considered(patient: Patient, also: Iterable[Treatment]) -> list[Treatment]:
    """The open series, each with its next visit, and what else was asked about."""
    series = statements.where(
        TreatmentSeries, "patient_id = %s AND state = 'open' ORDER BY id", [patient.pk]
    )
    visits = statements.where(
        Appointment,
        "series_id = ANY (%s::bigint[]) AND state = ANY (%s) ORDER BY starts_at DESC",
        [statements.array(row.pk for row in series), list(OPEN)],
    )
    at = {row.site_id for row in series} | {visit.site_id for visit in visits}
    sites = statements.by_id(Site, at)
    # Protocols are kept by their digests: the long document is read once in a process.
    versions = statements.by_id(
        ProtocolVersion, {row.protocol_version_id for row in series}, without=["document"]
    )
    for visit in visits:
        visit.site = sites[visit.site_id]
    following = {visit.series_id: visit for visit in visits}
    booked = [
        Treatment(
            patient,
            sites[row.site_id],
            versions[row.protocol_version_id],
            row.areas,
            row,
            following.get(row.pk),
        )
        for row in series
    ]
    known = {(each.version.pk, tuple(each.areas)) for each in booked}
    return booked + [each for each in also if (each.version.pk, tuple(each.areas)) not in known]


def _wanted(finding: Finding, treatment: Treatment, now: datetime) -> _Wanted | None:
    """The task for a finding; None where nobody has anything to do."""
    today = local(now, treatment.site.zone).date()
    over = finding.until is not None and finding.until <= today
    if finding.rule in (Rule.LACKING, Rule.AGE) or finding.is_lifted or over:
        return None
    kind, title = _kind_and_title(finding, treatment)
    if not title:
        return None
    protocol = treatment.protocol
    return _Wanted(
        key=f"{_PREFIX}.{treatment.patient.pk}.{protocol.id}.{finding.digest}",
        kind=kind,
        title=title,
        detail=sentences.to_keep(finding, protocol, treatment.patient.skin_type),
        why=[
            sentences.rule_to_keep(finding, protocol),
            *sentences.evidence_to_keep(finding, protocol),
        ],
        treatment=treatment,
        visit=treatment.visit,
    )


def _kind_and_title(finding: Finding, treatment: Treatment) -> tuple[TaskKind, str]:
    visit = treatment.visit
    if finding.decision is not None:
        return TaskKind.CALL, noop("Tell the patient: it was decided not to treat")
    if finding.outcome is Outcome.BLOCK:
        return TaskKind.CALL, noop("A clinician calls: this treatment is not possible")
    if finding.rule in MEDICINES:
        return TaskKind.PREPARE, noop("Ask the prescriber, then decide whether to treat")
    if finding.outcome is Outcome.REVIEW:
        return TaskKind.CHECK, noop("Decide whether to treat")
    if finding.outcome is Outcome.DEFER:
        if visit is None:
            return TaskKind.CHECK, "" if finding.until else noop("Ask again, or decide")
        day = local(visit.starts_at, visit.site.zone).date()
        return TaskKind.CALL, noop("Move the visit") if finding.stands_on(day) else ""
    asked_by_a_step = _has_task_for(treatment.protocol, finding.rule)
    return TaskKind.PREPARE, "" if asked_by_a_step else noop("Tell the clinician before the visit")


def _has_task_for(protocol: Protocol, rule: str) -> bool:
    """Whether a step of the protocol asks staff by itself, so that planning opens the task."""
    return any(
        step.kind is StepKind.TASK and step.applies_if == f"screening.{rule}"
        for step in protocol.steps
    )


def _row(patient: Patient, task: _Wanted, now: datetime) -> Task:
    return Task(
        key=task.key,
        site=task.treatment.site,
        patient=patient,
        appointment=task.visit,
        kind=task.kind,
        title=task.title,
        detail=task.detail,
        why=task.why,
        due_at=now,
        created_at=now,
    )
