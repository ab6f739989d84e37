"""What each step of a protocol wishes to have said, and what it asks of staff. Pure.

A step is late when its moment had passed at the time the visit was scheduled, whenever it is
planned, so planning twice gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from appointments.lifecycle import TO_COME
from clinic import hours, wall_time
from clinic.protocols.schema import Anchor, Late, Phase, Step, StepKind, Text
from clinic.retelling import either, kept, moment
from clinic.saying import noop
from reminders.catalogue import Channel, Kind, Purpose
from reminders.gate import QUIET_HOURS
from reminders.planning.facts import Item, PatientFacts, SeriesFacts, VisitFacts
from reminders.planning.reading_steps import AT_ONCE, Asked, asked_by
from reminders.planning.wish import (
    INSTANT,
    POSTCARE_DELAY,
    TREATABLE,
    TaskWish,
    Wish,
    ended_at,
    said_elsewhere,
)

# What goes out before quiet hours does so in good time.
BEFORE_QUIET = timedelta(minutes=15)
CARE_HOURS = (QUIET_HOURS[Purpose.CARE],)


def wishes(patient: PatientFacts, series: SeriesFacts) -> Iterator[Wish]:
    """Everything that the protocol of each visit of a series wants said."""
    for asked, visit in _asked(series):
        if asked.channels:
            yield from _wishes(patient, series, asked, visit)


def task_wishes(series: SeriesFacts) -> Iterator[TaskWish]:
    """Everything that the protocol of each visit asks of staff: its tasks, steps that were missed
    and are escalated, and critical steps whose condition nobody has asked about."""
    for asked, visit in _asked(series):
        step = asked.step
        if not asked.may_be_task or not applies(step, series) or _is_held(step, visit):
            continue
        unanswered = is_unanswered(step, series)
        if unanswered and not step.critical:
            continue
        escalated = is_late(step, visit) and step.late is Late.ESCALATE and bool(step.channels)
        if step.kind is StepKind.TASK or escalated or unanswered:
            yield _task(series, asked, visit)


def _asked(series: SeriesFacts) -> Iterator[tuple[Asked, VisitFacts]]:
    """Each step with the visits that it is about and that go by its version."""
    about = {anchor: tuple(_visits_of(series, anchor)) for anchor in Anchor}
    for protocol in series.protocols:
        going = {
            anchor: [
                visit for visit in visits if series.protocol_of(visit).version == protocol.version
            ]
            for anchor, visits in about.items()
        }
        for asked in asked_by(protocol):
            for visit in going[asked.step.anchor]:
                yield asked, visit


def falls_at(step: Step, visit: VisitFacts) -> datetime:
    """The instant of a step: calendar days keep the site's wall clock, hours are elapsed."""
    if step.before is not None:
        return wall_time.before(visit.starts_at, step.before, visit.site.zone)
    assert step.after is not None
    return wall_time.after(ended_at(visit), step.after, visit.site.zone)


def is_late(step: Step, visit: VisitFacts, *, falls: datetime | None = None) -> bool:
    """Whether a step before the visit fell before the visit got its present time. `falls` is its
    instant where that is known."""
    if step.before is None:
        return False
    return (falls or falls_at(step, visit)) <= visit.scheduled_at


def visits_of(series: SeriesFacts, step: Step) -> Iterator[VisitFacts]:
    """The visits that a step is about."""
    return _visits_of(series, step.anchor)


def _visits_of(series: SeriesFacts, anchor: Anchor) -> Iterator[VisitFacts]:
    if anchor is Anchor.SESSION_START:
        yield from (visit for visit in series.visits if visit.state in TO_COME)
        return
    treatable = [
        visit for visit in series.visits if visit.state in TREATABLE and not visit.is_untreated
    ]
    if anchor is Anchor.SERIES_LAST:
        treatable = sorted(treatable, key=lambda visit: visit.starts_at)[-1:]
    yield from (visit for visit in treatable if not visit.is_history)


def _wishes(
    patient: PatientFacts, series: SeriesFacts, asked: Asked, visit: VisitFacts
) -> Iterator[Wish]:
    step, falls = asked.step, falls_at(asked.step, visit)
    late = is_late(step, visit, falls=falls)
    if late and step.late is Late.ESCALATE:
        return
    # Late, or within hours of the visit's getting its present time.
    at_once = step.before is not None and falls <= visit.scheduled_at + AT_ONCE
    if at_once:
        due_at, notes = visit.scheduled_at + visit.site.hold, [_LATE if late else _AT_ONCE]
    else:
        due_at, notes = _due(patient, asked, visit, falls)
    expires_at = visit.starts_at if asked.life is None else due_at + asked.life
    skip = _skip(patient, series, asked, visit, falls, late)
    why = (asked.why, _falls(falls, visit), *_cut_short(series, visit), *notes)
    for channel in asked.channels:
        item = _item(series, asked, visit, channel)
        if at_once and _said_before(patient, item):
            continue
        yield Wish(
            item=item,
            kind=asked.kind,
            series_id=series.id,
            session=0 if asked.is_of_last else visit.session,
            site_id=visit.site.id,
            due_at=due_at,
            expires_at=max(expires_at, due_at + INSTANT),
            why=why,
            starts_at=visit.starts_at,
            waits_for=_waits_for(series, step, visit),
            needs=asked.needs,
            skip=skip or ("late" if expires_at <= due_at else ""),
            topic=step.topic,
            directive=step.directive,
            until=holds_until(step, visit),
            critical=step.critical,
            waits_since=ended_at(visit) if step.phase is Phase.POST else None,
        )


_LATE = noop("That moment had passed when the visit got its present time.")
_AT_ONCE = noop("That is within hours of the visit getting its present time: it goes out at once.")
_AT_CHECK_OUT = noop("It is said with the after-care at check-out.")


def _due(
    patient: PatientFacts, asked: Asked, visit: VisitFacts, falls: datetime
) -> tuple[datetime, list[str]]:
    """When a step that does not go at once is due, and what there is to say of that."""
    if asked.kind is Kind.POSTCARE_0:
        return ended_at(visit) + POSTCARE_DELAY, [_AT_CHECK_OUT]
    if asked.step.advance:
        return _advanced(falls, patient, visit)
    return falls, []


def _advanced(
    falls: datetime, patient: PatientFacts, visit: VisitFacts
) -> tuple[datetime, list[str]]:
    """The moment of a step that must not come late: before the quiet hours that it falls into."""
    zones = patient.zones or (visit.site.zone,)
    try:
        at = hours.last_allowed(falls, CARE_HOURS, zones, margin=BEFORE_QUIET)
    except hours.NeverAllowed:
        return falls, []
    if at == falls:
        return falls, []
    note = noop("That is within quiet hours and would be too late after them: it goes out before.")
    return max(at, visit.scheduled_at + visit.site.hold), [note]


def _skip(
    patient: PatientFacts,
    series: SeriesFacts,
    asked: Asked,
    visit: VisitFacts,
    falls: datetime,
    late: bool,
) -> str:
    """The reason of the plan for not saying a step; empty when there is none."""
    step = asked.step
    if elsewhere := said_elsewhere(visit, falls):
        return elsewhere
    if is_unanswered(step, series):
        return "condition_unknown"
    if not applies(step, series):
        return "condition_not_met"
    if _is_held(step, visit):
        return "treatment_held"
    if late and step.late is Late.SKIP:
        return "late"
    if asked.is_of_last and _is_succeeded(patient, series, visit):
        return "superseded"
    return ""


def is_unanswered(step: Step, series: SeriesFacts) -> bool:
    """Whether a step depends on a screening answer or a plan of care that is not on record."""
    condition = step.applies_if or ""
    return condition.startswith(("screening.", "plan.")) and condition not in series.conditions


def applies(step: Step, series: SeriesFacts) -> bool:
    """Whether nothing that the patient answered makes a step pointless or wrong for them."""
    return series.conditions.get(step.applies_if or "", True)


def _is_held(step: Step, visit: VisitFacts) -> bool:
    """Whether it would prepare for a treatment that an answer holds back."""
    return visit.is_held and step.phase in (Phase.PRE, Phase.DAY)


def _is_succeeded(patient: PatientFacts, series: SeriesFacts, last: VisitFacts) -> bool:
    """Whether a later visit of the same modality re-anchors the follow-up of this series."""
    return any(
        visit.starts_at > last.starts_at and visit.state in TREATABLE
        for other in patient.series
        if other.id != series.id and other.protocol.modality == series.protocol.modality
        for visit in other.visits
    )


def _waits_for(series: SeriesFacts, step: Step, visit: VisitFacts) -> str:
    if step.anchor is Anchor.SERIES_LAST:
        return "" if series.is_closed and visit.done_at else "series_done"
    if step.anchor is Anchor.SESSION_END:
        return "" if visit.done_at else "visit_done"
    return ""


def _item(series: SeriesFacts, asked: Asked, visit: VisitFacts, channel: Channel) -> Item:
    if asked.is_of_last:
        return Item(series.anchor, 1, asked.step.id, channel)
    return Item(visit.anchor, visit.schedule_version, asked.step.id, channel)


def _said_before(patient: PatientFacts, item: Item) -> bool:
    """Whether a message about an earlier time of the visit already carried this step."""
    return any(
        item._replace(version=version) in patient.spoken for version in range(1, item.version)
    )


def holds_until(step: Step, visit: VisitFacts) -> datetime | None:
    """The end of a ban that starts with the step, None when it names none."""
    hold, zone = step.hold_until, visit.site.zone
    if hold is None:
        return None
    if hold.before is not None:
        return wall_time.before(visit.starts_at, hold.before, zone)
    assert hold.after is not None
    return wall_time.after(ended_at(visit), hold.after, zone)


def _task(series: SeriesFacts, asked: Asked, visit: VisitFacts) -> TaskWish:
    step, falls = asked.step, falls_at(asked.step, visit)
    notes = [_LATE] if is_late(step, visit, falls=falls) else []
    if is_unanswered(step, series):
        notes.append(noop("It depends on an answer that is not on record: ask the patient first."))
    anchor = series.anchor if asked.is_of_last else visit.anchor
    return TaskWish(
        key=f"{anchor}.{step.id}",
        kind=asked.kind,
        step=step.id,
        series_id=series.id,
        visit_id=visit.id,
        session=visit.session,
        site_id=visit.site.id,
        due_at=max(falls, visit.scheduled_at),
        title=_in_both(step.title),
        detail=_in_both(step.staff_text or step.text),
        why=(asked.why, _falls(falls, visit), *notes),
        topic=step.topic if step.kind is StepKind.TASK else "",
        anchor=anchor,
        until=visit.starts_at if step.before is not None else None,
    )


def _in_both(text: Text) -> str:
    return kept("%(text)s", text=either(text.en, text.es))


def _cut_short(series: SeriesFacts, visit: VisitFacts) -> tuple[str, ...]:
    if not visit.treated:
        return ()
    treatment = either(*(series.treatment_of(visit, language) for language in ("en", "es")))
    return (
        kept("The session was cut short: it is about %(treatment)s only.", treatment=treatment),
    )


def _falls(falls: datetime, visit: VisitFacts) -> str:
    return kept(
        "For session %(session)s that is %(when)s.",
        session=visit.session,
        when=moment(falls, visit.site.zone),
    )
