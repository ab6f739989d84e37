"""What a patient reads on their care page: visits for whoever holds the link, advice with its
dates for whoever proved to be the patient. Reads only.

The advice is that of the protocol version of the visit's series, dated by the functions that plan
the messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from appointments.charting import courses
from appointments.charting.courses import SeriesCourse
from appointments.lifecycle import OPEN, State
from appointments.models import Appointment, PatientLink
from clinic import saying_days, wall_time
from clinic.protocols.schema import Phase, Protocol, Urgency
from patients import consent
from reminders.journeys import gathering
from reminders.patient_pages.advice import (
    Advice,
    advice_of,
    series_and_visit,
    sources_of,
    steps_about,
    that_holds,
    when_of,
)
from reminders.planning.facts import SeriesFacts, VisitFacts
from reminders.planning.wish import ended_at
from reminders.wording.care_words import WORDS


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
    series, about = series_and_visit(facts, visit.pk)
    of = _course(visit, patient_id, now)
    photos = ("photos", "any") in consent.standing([patient_id])[patient_id]
    chosen = that_holds(facts, series, about, steps_about(series, about), photos=photos)
    dated = [(step, advice_of(series, step, about, language, now)) for step in chosen]
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


def _products(
    series: SeriesFacts, visit: VisitFacts, language: str, now: datetime
) -> Iterator[Advice]:
    zone, end = visit.site.zone, ended_at(visit)
    if visit.is_untreated:
        return
    for product in series.protocol_of(visit).products:
        start = wall_time.after(end, product.start, zone)
        until = wall_time.after(end, product.until, zone) if product.until else None
        if until is None or until > now:
            note = product.note.get(language) if product.note else ""
            when = when_of((start, product.start), (until, product.until), visit, language, now)
            sources = sources_of(series.protocol_of(visit), product.evidence, language)
            yield Advice(product.name.get(language), note, when, sources)


def _course(visit: Appointment, patient_id: int, now: datetime) -> SeriesCourse | None:
    found = courses.courses_of(patient_id, now=now)
    return next((each for each in found if each.series.pk == visit.series_id), None)


def _expect(of: SeriesCourse | None, language: str) -> str:
    if of is None or of.course.results_from is None or of.course.results_peak is None:
        return ""
    first = saying_days.format_day(of.course.results_from, language)
    return WORDS[language]["expect"].format(
        first, saying_days.format_day(of.course.results_peak, language)
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
