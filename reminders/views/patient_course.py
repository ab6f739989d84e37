"""The courses of a patient as their page shows them: progress, results, plan of care, scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.charting import course as courses_pure
from appointments.charting import courses
from appointments.charting.course import Milestone, TouchUp
from appointments.charting.courses import SeriesCourse
from appointments.models import AdverseEvent, OutcomeScore, ScoreKind, TreatmentSeries
from appointments.models.score import RANGES
from clinic import access
from clinic.access import Capability
from clinic.durations import in_words
from clinic.models import Staff
from clinic.protocols.schema import Evidence, Protocol
from clinic.reader_language import reader_language
from patients.models import Patient

_MILESTONES = {
    Milestone.BASELINE: _("before the first session"),
    Milestone.EARLY: _("before the first results"),
    Milestone.FIRST: _("first results"),
    Milestone.PEAK: _("at the peak"),
}
_TOUCH_UPS = {
    TouchUp.NOT_YET: ("scheduled", "clock", _("Touch-up from")),
    TouchUp.DUE: ("arrived", "bell", _("Touch-up due until")),
    TouchUp.OVERDUE: ("overdue", "warning", _("Touch-up was due until")),
    TouchUp.SUCCEEDED: ("done", "tick-ring", _("Touched up since; due was")),
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One product or piece of advice: from when until when after a session, and its sources."""

    what: str
    when: str
    note: str
    sources: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class ScoreLine:
    score: OutcomeScore
    milestone: str


@dataclass(frozen=True, slots=True)
class CourseRow:
    """`plan` is empty where a course above it has the same one."""

    of: SeriesCourse
    stage: str
    touch_up: tuple[str, str, Promise] | None
    touch_up_day: Any
    plan: tuple[PlanLine, ...]
    scores: tuple[ScoreLine, ...]


def context(
    patient: Patient, every: Sequence[TreatmentSeries], staff: Staff, now: datetime
) -> dict[str, Any]:
    """`courses`, the scores that `staff` may give, and the adverse events that are open."""
    held = access.capabilities(staff)
    kinds = [ScoreKind.SATISFACTION] if Capability.RUN_VISIT in held else []
    if Capability.CHART in held:
        kinds += [ScoreKind.GAIS, ScoreKind.LAXITY]
    return {
        "courses": list(_rows(courses.courses_among(every, now=now))),
        "score_kinds": [(kind.value, kind.label, RANGES[kind]) for kind in kinds],
        "open_events": AdverseEvent.objects.open().filter(patient=patient).select_related("site"),
        "may_report": Capability.RUN_VISIT in held and not patient.deceased_at,
    }


def _rows(found: Sequence[SeriesCourse]) -> Iterator[CourseRow]:
    told: set[int] = set()
    for each in found:
        version = each.series.protocol_version_id
        yield _row(each, () if version in told else tuple(_plan(each.protocol)))
        told.add(version)


def _row(of: SeriesCourse, plan: tuple[PlanLine, ...]) -> CourseRow:
    course = of.course
    day = course.touch_up_from if course.touch_up is TouchUp.NOT_YET else course.touch_up_until
    return CourseRow(
        of=of,
        stage=str(_MILESTONES[course.milestone]),
        touch_up=_TOUCH_UPS[course.touch_up] if course.touch_up else None,
        touch_up_day=day,
        plan=plan,
        scores=tuple(
            ScoreLine(each, str(_MILESTONES[Milestone(each.milestone)])) for each in of.scores
        ),
    )


def _plan(protocol: Protocol) -> list[PlanLine]:
    lines = []
    for product in courses_pure.regimen(protocol):
        start = (
            gettext("from %(start)s") % {"start": in_words(product.start, reader_language())}
            if product.start
            else gettext("at once")
        )
        until = (
            " " + gettext("to %(until)s") % {"until": in_words(product.until, reader_language())}
            if product.until
            else ""
        )
        note = product.note.get(reader_language()) if product.note else ""
        lines.append(
            PlanLine(
                product.name.get(reader_language()),
                start + until,
                note,
                _sources(protocol, product.evidence),
            )
        )
    for step in courses_pure.lifestyle(protocol):
        lines.append(
            PlanLine(
                step.title.get(reader_language()),
                "",
                step.text.get(reader_language()),
                _sources(protocol, step.evidence),
            )
        )
    return lines


def _sources(protocol: Protocol, references: tuple[str, ...]) -> tuple[Evidence, ...]:
    return tuple(protocol.evidence[each] for each in references if each in protocol.evidence)
