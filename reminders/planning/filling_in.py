"""What the patient is asked to fill in before a visit: questions to answer, a form to sign. Pure.

It is asked for a week before, on both channels, and joins whatever else falls due then. Nothing is
asked for any more once it was answered and signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from appointments.lifecycle import TO_COME
from clinic import wall_time
from clinic.retelling import Fact, counted, either, kept
from clinic.saying import noop
from reminders.catalogue import Channel, Kind
from reminders.planning.facts import Item, PatientFacts, SeriesFacts, ToFillIn, VisitFacts
from reminders.planning.wish import Wish, about_visit, title_of

# Screening is asked again a week before; at ten, as reminders are.
DAYS, MINUTE = timedelta(days=7), 10 * 60


def wishes(patient: PatientFacts, series: SeriesFacts) -> Iterator[Wish]:
    """One wish on each channel for every visit to come whose site asks for something."""
    for visit in series.visits:
        if visit.state in TO_COME and visit.to_fill_in is not None:
            yield from _wishes(patient, series, visit, visit.to_fill_in)


def _wishes(
    patient: PatientFacts, series: SeriesFacts, visit: VisitFacts, asked: ToFillIn
) -> Iterator[Wish]:
    zone = visit.site.zone
    falls = wall_time.instant(wall_time.local(visit.starts_at, zone).date() - DAYS, MINUTE, zone)
    at_once = visit.scheduled_at + visit.site.hold
    is_late = falls <= at_once
    why = (
        _says(series, visit, asked),
        noop("The patient is asked for it a week before the visit, at 10:00."),
        *(
            (
                noop(
                    "That moment had passed when the visit got its present time: it goes out at"
                    " once."
                ),
            )
            if is_late
            else ()
        ),
    )
    skip = "nothing_to_fill_in" if not asked else "treatment_held" if visit.is_held else ""
    for channel in (Channel.SMS, Channel.EMAIL):
        due_at = max(falls, at_once)
        wish = about_visit(series, visit, Kind.FILL_IN, channel, due_at, why, skip=skip)
        if not (is_late and _was_asked(patient, wish.item)):
            yield wish


def _was_asked(patient: PatientFacts, item: Item) -> bool:
    """Whether the patient was asked when the visit was at another time."""
    return any(
        item._replace(version=version) in patient.spoken for version in range(1, item.version)
    )


def _says(series: SeriesFacts, visit: VisitFacts, asked: ToFillIn) -> str:
    facts: dict[str, Fact | int] = {
        "protocol": title_of(series.protocol_of(visit)),
        "session": visit.session,
    }
    questions = counted(
        "%(count)s screening question", "%(count)s screening questions", asked.questions
    )
    if asked.questions and asked.form:
        return kept(
            "%(protocol)s, session %(session)s: %(questions)s and the form “%(form)s” to fill in.",
            **facts,
            questions=questions,
            form=either(asked.form.en, asked.form.es),
        )
    if asked.form:
        return kept(
            "%(protocol)s, session %(session)s: the form “%(form)s” to fill in.",
            **facts,
            form=either(asked.form.en, asked.form.es),
        )
    if asked.questions:
        return kept(
            "%(protocol)s, session %(session)s: %(questions)s to fill in.",
            **facts,
            questions=questions,
        )
    return kept("%(protocol)s, session %(session)s: nothing to fill in.", **facts)
