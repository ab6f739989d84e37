"""The courses of a patient as rows give them, and the scores that are put to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from appointments.charting.course import Course, Milestone, Session, course_of
from appointments.charting.refusals import ScoreRefused
from appointments.lifecycle import State
from appointments.models import (
    Appointment,
    OutcomeScore,
    ScoreKind,
    TreatmentSeries,
)
from appointments.models.record import NOT_WHOLE
from appointments.models.score import RANGES
from appointments.models.series import SeriesState
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from clinic.saying import gettext
from clinic.wall_time import local

NOTE_LENGTH = 200
# What only a clinician can grade.
_GRADED = (ScoreKind.LAXITY, ScoreKind.GAIS)


@dataclass(frozen=True, slots=True)
class SeriesCourse:
    """A series with where it stands, and its scores in order of time."""

    series: TreatmentSeries
    protocol: Protocol
    course: Course
    scores: tuple[OutcomeScore, ...]

    @property
    def is_asked(self) -> bool:
        """Whether the patient is to be asked now: results are to be seen, and they have not said
        how satisfied they are at this milestone."""
        return self.course.milestone in (Milestone.FIRST, Milestone.PEAK) and not any(
            score.kind == ScoreKind.SATISFACTION
            and score.by_id is None
            and score.milestone == self.course.milestone
            for score in self.scores
        )


def all_series(patient_id: int) -> list[TreatmentSeries]:
    """Every series of a patient, the latest first, with its site and protocol."""
    rows = TreatmentSeries.objects.filter(patient=patient_id)
    return list(rows.select_related("site", "protocol_version__modality"))


def courses_of(patient_id: int, *, now: datetime) -> list[SeriesCourse]:
    """Every course of a patient by a protocol that has sessions, the latest first; a constant
    number of queries."""
    return courses_among(all_series(patient_id), now=now)


def courses_among(rows: Sequence[TreatmentSeries], *, now: datetime) -> list[SeriesCourse]:
    """The same of the series of a patient."""
    every = [each for each in rows if each.protocol_version.kind == "series"]
    sessions = _sessions(every)
    scores = defaultdict(list)
    for score in OutcomeScore.objects.filter(series__in=every).select_related("by"):
        scores[score.series_id].append(score)
    found = []
    for series in every:
        protocol = protocols.get(series.protocol_version)
        course = course_of(
            protocol,
            sessions[series.pk],
            agreed=series.sessions,
            is_over=series.state != SeriesState.OPEN,
            today=local(now, series.site.zone).date(),
            succeeded_on=_succeeded_on(series, every, sessions),
        )
        found.append(SeriesCourse(series, protocol, course, tuple(scores[series.pk])))
    return found


@transaction.atomic
def score(
    *,
    series: TreatmentSeries,
    kind: str,
    value: int,
    by: Staff | None,
    now: datetime,
    note: str = "",
) -> OutcomeScore:
    """Put a score to a course at its present milestone; `by` is None when the patient gives it.

    Raises:
        ScoreRefused: when there is no such score; nothing is written.
        Forbidden: when `by` may not give this kind at the series' site.
    """
    if by is not None:
        needed = Capability.CHART if kind in _GRADED else Capability.RUN_VISIT
        access.require(by, needed, series.site)
    if kind not in RANGES or (by is None and kind != ScoreKind.SATISFACTION):
        raise ScoreRefused(gettext("Choose which score it is."), field="kind")
    least, most = RANGES[kind]
    if not least <= value <= most:
        raise ScoreRefused(
            gettext("Give a number from %(least)s to %(most)s.") % {"least": least, "most": most},
            field="value",
        )
    [here] = [
        each for each in courses_of(series.patient_id, now=now) if each.series.pk == series.pk
    ]
    given = OutcomeScore.objects.create(
        series=series,
        kind=kind,
        value=value,
        milestone=here.course.milestone,
        at=now,
        by=by,
        note=" ".join(note.replace("\x00", " ").split())[:NOTE_LENGTH],
    )
    audit.record(
        action="score.give",
        subject=given,
        by=by,
        now=now,
        site=series.site,
        patient_id=series.patient_id,
        after={"kind": kind, "value": value, "milestone": given.milestone},
    )
    return given


def _sessions(series: Sequence[TreatmentSeries]) -> dict[int, list[Session]]:
    """By series its visits that were not cancelled, with what their logs say of them."""
    rows = Appointment.objects.standing().filter(series__in=series)
    found = defaultdict(list)
    for series_id, number, state, starts_at, zone, outcome, treated, counts in rows.values_list(
        *("series_id", "session", "state", "starts_at", "site__zone"),
        *("record__outcome", "record__treated", "credit__counts"),
    ):
        found[series_id].append(
            Session(
                number=number,
                day=local(starts_at, zone).date(),
                state=State(state),
                outcome=outcome or "",
                treated=tuple(treated) if outcome in NOT_WHOLE else None,
                counts=counts,
            )
        )
    return found


def _succeeded_on(
    series: TreatmentSeries,
    every: Sequence[TreatmentSeries],
    sessions: dict[int, list[Session]],
) -> date | None:
    """The day of the latest visit of another course of the same modality."""
    others = (
        session.day
        for other in every
        if other.pk != series.pk
        and other.protocol_version.modality_id == series.protocol_version.modality_id
        for session in sessions[other.pk]
        if session.state is not State.NO_SHOW
    )
    return max(others, default=None)
