"""What a patient reads on their care page: visits for whoever holds the link, advice with its
dates for whoever proved to be the patient. Reads only.

The advice is that of the protocol version of the visit's series, dated by the functions that plan
the messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments.charting import courses
from appointments.charting.courses import SeriesCourse
from appointments.lifecycle import OPEN, State
from appointments.models import Appointment, PatientLink
from clinic import hours
from clinic.durations import Duration
from clinic.protocols.schema import Phase, Protocol, Step, StepKind, Urgency
from patients import consent
from reminders.journeys import gathering
from reminders.planning import steps
from reminders.planning.facts import SeriesFacts, VisitFacts
from reminders.planning.plans import undecided
from reminders.planning.wish import ended_at
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


@dataclass(frozen=True, slots=True)
class Care:
    """The advice around one visit; `warnings` are (how fast, signs). `expect` says when results
    show, `asks_result` whether the patient is asked how satisfied they are."""

    treatment: str
    before: tuple[Advice, ...]
    after: tuple[Advice, ...]
    progress: tuple[Advice, ...]
    products: tuple[Advice, ...]
    warnings: tuple[tuple[str, tuple[str, ...]], ...]
    expect: str = ""
    asks_result: bool = False


def visits_of(link: PatientLink, *, now: datetime) -> list[Appointment]:
    """The visit of the link first, then those still to come, in order of time.

    A link without a visit came with a message about a whole series: it is about the last session.
    """
    to_come = list(
        Appointment.objects.filter(series__patient=link.patient_id, state__in=OPEN, ends_at__gt=now)
        .select_related("site")
        .order_by("starts_at", "id")
    )
    about = link.appointment or _last_done(link.patient_id)
    if about is None:
        return to_come
    return [about, *(visit for visit in to_come if visit.pk != about.pk)]


def _last_done(patient_id: int) -> Appointment | None:
    done = Appointment.objects.filter(series__patient=patient_id, state=State.DONE)
    return done.select_related("site").order_by("starts_at", "id").last()


def care_of(visit: Appointment, *, patient_id: int, language: str, now: datetime) -> Care:
    """The advice around `visit`, in "en" or "es"."""
    facts = gathering.facts_of([patient_id])[patient_id]
    [(series, about)] = (
        (series, each) for series in facts.series for each in series.visits if each.id == visit.pk
    )
    of = _course(visit, patient_id, now)
    photos = ("photos", "any") in consent.standing([patient_id])[patient_id]
    hidden = undecided(facts)
    chosen = [
        step
        for step in _steps_about(series, about)
        if _is_advice(step, series, photos=photos)
        and hidden.isdisjoint({(about.anchor, step.id), (series.anchor, step.id)})
    ]
    dated = [(step, _advice(series, step, about, language, now)) for step in chosen]
    return Care(
        treatment=series.treatment_of(about, language),
        before=tuple(said for step, said in dated if step.phase in (Phase.PRE, Phase.DAY) and said),
        after=tuple(said for step, said in dated if step.phase is Phase.POST and said),
        progress=tuple(said for step, said in dated if step.phase is Phase.FOLLOWUP and said),
        products=tuple(_products(series, about, language, now)),
        warnings=tuple(_warnings(series.protocol_of(about), language)),
        expect=_expect(of, language),
        asks_result=of is not None and of.is_asked,
    )


def take_result(visit: Appointment, *, patient_id: int, value: int, now: datetime) -> None:
    """Keep how satisfied the patient is with the course of `visit`, if they are asked now.

    Raises ScoreRefused for a number that is no answer.
    """
    of = _course(visit, patient_id, now)
    if of is not None and of.is_asked:
        courses.score(series=of.series, kind="satisfaction", value=value, by=None, now=now)


def _steps_about(series: SeriesFacts, visit: VisitFacts) -> list[Step]:
    """The steps about this visit, in order of their moments."""
    about = [
        step
        for step in series.protocol_of(visit).steps
        if any(each.id == visit.id for each in steps.visits_of(series, step))
    ]
    return sorted(about, key=lambda step: steps.falls_at(step, visit))


def _is_advice(step: Step, series: SeriesFacts, *, photos: bool) -> bool:
    if step.kind in NOT_ADVICE or not step.channels or steps.is_unanswered(step, series):
        return False
    if not steps.applies(step, series):
        return False
    return photos or step.applies_if != "consent.photo"


def _advice(
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
    when = _when(
        (steps.falls_at(step, visit), span),
        (until, step.hold_until.after if step.hold_until else None),
        visit,
        language,
        now,
        ends_with_visit=ends_with_visit,
    )
    sources = _sources(series.protocol_of(visit), step.evidence, language)
    return Advice(step.title.get(language), text.get(language), "" if late else when, sources)


def _products(
    series: SeriesFacts, visit: VisitFacts, language: str, now: datetime
) -> Iterator[Advice]:
    zone, end = visit.site.zone, ended_at(visit)
    if visit.is_untreated:
        return
    for product in series.protocol_of(visit).products:
        start = hours.after(end, product.start, zone)
        until = hours.after(end, product.until, zone) if product.until else None
        if until is None or until > now:
            note = product.note.get(language) if product.note else ""
            when = _when((start, product.start), (until, product.until), visit, language, now)
            sources = _sources(series.protocol_of(visit), product.evidence, language)
            yield Advice(product.name.get(language), note, when, sources)


def _sources(protocol: Protocol, references: Sequence[str], language: str) -> tuple[Source, ...]:
    words = WORDS[language]
    found = [protocol.evidence[each] for each in references if each in protocol.evidence]
    return tuple(
        Source(each.title, each.url, words["grade"].format(words[f"grade_{each.grade.value}"]))
        for each in found
    )


def _course(visit: Appointment, patient_id: int, now: datetime) -> SeriesCourse | None:
    found = courses.courses_of(patient_id, now=now)
    return next((each for each in found if each.series.pk == visit.series_id), None)


def _expect(of: SeriesCourse | None, language: str) -> str:
    if of is None or of.course.results_from is None or of.course.results_peak is None:
        return ""
    first = hours.format_day(of.course.results_from, language)
    return WORDS[language]["expect"].format(
        first, hours.format_day(of.course.results_peak, language)
    )


def _warnings(protocol: Protocol, language: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for urgency in Urgency:
        signs = tuple(
            warning.sign.get(language)
            for warning in protocol.warnings
            if warning.urgency is urgency
        )
        if signs:
            yield WORDS[language][urgency.value], signs


def _when(
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
        said = hours.format_when(at, zone, language)
    else:
        said = hours.format_day(hours.local(at, zone).date(), language)
    return WORDS[language]["the"].format(said)
