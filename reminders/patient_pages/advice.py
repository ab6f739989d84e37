"""The advice of a protocol in words, dated by the functions that plan the messages. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic import saying_days, saying_times, wall_time
from clinic.durations import Duration
from clinic.protocols.schema import Anchor, Phase, Protocol, Step, StepKind
from reminders.planning import steps
from reminders.planning.facts import PatientFacts, SeriesFacts, VisitFacts
from reminders.planning.plans import undecided
from reminders.wording.care_words import WORDS

# What is asked by message, by a person, or to sell something has no place on the page.
NOT_ADVICE = (StepKind.TASK, StepKind.CHECKIN, StepKind.BOOKING)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an advice comes from; `trust` says in words how far to trust it."""

    title: str
    url: str
    trust: str


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do or leave, and where it comes from. `when` are the words for its time, empty
    when it holds always."""

    title: str
    text: str
    when: str
    sources: tuple[Source, ...] = ()


def series_and_visit(patient: PatientFacts, visit_id: int) -> tuple[SeriesFacts, VisitFacts]:
    [found] = (
        (series, each) for series in patient.series for each in series.visits if each.id == visit_id
    )
    return found


def steps_about(series: SeriesFacts, visit: VisitFacts) -> list[Step]:
    """The steps about this visit, in order of their moments."""
    about = [
        step
        for step in series.protocol_of(visit).steps
        if any(each.id == visit.id for each in steps.visits_of(series, step))
    ]
    return sorted(about, key=lambda step: steps.falls_at(step, visit))


def steps_before(series: SeriesFacts, visit: VisitFacts) -> list[Step]:
    """What is asked of the patient before this visit, in order of its moments, also while they
    are here."""
    before = [
        step
        for step in series.protocol_of(visit).steps
        if step.anchor is Anchor.SESSION_START and step.phase in (Phase.PRE, Phase.DAY)
    ]
    return sorted(before, key=lambda step: steps.falls_at(step, visit))


def that_holds(
    patient: PatientFacts,
    series: SeriesFacts,
    visit: VisitFacts,
    of: Sequence[Step],
    *,
    photos: bool,
) -> list[Step]:
    """Those of the steps `of` a visit that are advice for this patient, and contradict none."""
    hidden = undecided(patient)
    return [
        step
        for step in of
        if _is_advice(step, series, photos=photos)
        and hidden.isdisjoint({(visit.anchor, step.id), (series.anchor, step.id)})
    ]


def _is_advice(step: Step, series: SeriesFacts, *, photos: bool) -> bool:
    if step.kind in NOT_ADVICE or not step.channels or steps.is_unanswered(step, series):
        return False
    if not steps.applies(step, series):
        return False
    return photos or step.applies_if != "consent.photo"


def advice_of(
    series: SeriesFacts, step: Step, visit: VisitFacts, language: str, now: datetime
) -> Advice | None:
    """A step in words; None when its time is over."""
    until = steps.holds_until(step, visit)
    if until is not None and until <= now:
        return None
    late = steps.is_late(step, visit) and step.late_text is not None
    text = step.late_text if late and step.late_text is not None else step.text
    span = step.before if step.before is not None else step.after
    ends_with_visit = step.hold_until is not None and step.hold_until.before is not None
    when = when_of(
        (steps.falls_at(step, visit), span),
        (until, step.hold_until.after if step.hold_until else None),
        visit,
        language,
        now,
        ends_with_visit=ends_with_visit,
    )
    sources = sources_of(series.protocol_of(visit), step.evidence, language)
    return Advice(step.title.get(language), text.get(language), "" if late else when, sources)


def sources_of(protocol: Protocol, references: Sequence[str], language: str) -> tuple[Source, ...]:
    words = WORDS[language]
    found = [protocol.evidence[each] for each in references if each in protocol.evidence]
    return tuple(
        Source(each.title, each.url, words["grade"].format(words[f"grade_{each.grade.value}"]))
        for each in found
    )


def when_of(
    start: tuple[datetime, Duration | None],
    until: tuple[datetime | None, Duration | None],
    visit: VisitFacts,
    language: str,
    now: datetime,
    *,
    ends_with_visit: bool = False,
) -> str:
    """From when until when, on the clock of the site; what began before `now` is "now"."""
    words, (begins, begins_span), (ends, ends_span) = WORDS[language], start, until
    said = {"start": _moment(begins, begins_span, visit, language)}
    if ends is None:
        return words["from"].format(**said) if begins > now else ""
    said["until"] = (
        words["until_visit"] if ends_with_visit else _moment(ends, ends_span, visit, language)
    )
    return words["from_until" if begins > now else "now_until"].format(**said)


def _moment(at: datetime, span: Duration | None, visit: VisitFacts, language: str) -> str:
    """A day, and the time too where the protocol counts hours."""
    zone = visit.site.zone
    if span is not None and span and span.is_elapsed:
        said = saying_times.format_when(at, zone, language)
    else:
        said = saying_days.format_day(wall_time.local(at, zone).date(), language)
    return WORDS[language]["the"].format(said)
