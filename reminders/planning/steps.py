"""What each step of a protocol wishes to have said, and what it asks of staff. Pure.

A step is late when its moment had passed at the time the visit was scheduled, whenever it is
planned, so planning twice gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from appointments.lifecycle import TO_COME
from clinic import hours
from clinic.protocols import schema
from clinic.protocols.schema import Anchor, Late, Phase, Step, StepKind
from clinic.retelling import either, kept, moment, span, text, together
from clinic.saying import noop
from reminders.catalogue import CATALOGUE, Channel, Kind, Purpose
from reminders.gate import QUIET_HOURS
from reminders.planning.facts import Item, PatientFacts, SeriesFacts, VisitFacts
from reminders.planning.wish import (
    INSTANT,
    POSTCARE_DELAY,
    TREATABLE,
    TaskWish,
    Wish,
    ended_at,
    said_elsewhere,
    title_of,
)

# After-care that starts within this time of the treatment is said once, at check-out; so is
# preparation that falls within this time of the booking, with the notice.
AT_ONCE = timedelta(hours=6)
# What goes out before quiet hours does so in good time.
BEFORE_QUIET = timedelta(minutes=15)
CARE_HOURS = (QUIET_HOURS[Purpose.CARE],)


def wishes(patient: PatientFacts, series: SeriesFacts) -> Iterator[Wish]:
    """Everything that the protocol of each visit of a series wants said."""
    for step, visit in _asked(series):
        yield from _wishes(patient, series, step, visit)


def task_wishes(series: SeriesFacts) -> Iterator[TaskWish]:
    """Everything that the protocol of each visit asks of staff: its tasks, steps that were missed
    and are escalated, and critical steps whose condition nobody has asked about."""
    for step, visit in _asked(series):
        unanswered = is_unanswered(step, series)
        if unanswered and not step.critical:
            continue
        if not applies(step, series) or _is_held(step, visit):
            continue
        escalated = is_late(step, visit) and step.late is Late.ESCALATE and bool(step.channels)
        if step.kind is StepKind.TASK or escalated or unanswered:
            yield _task(series, step, visit)


def _asked(series: SeriesFacts) -> Iterator[tuple[Step, VisitFacts]]:
    """Each step with the visits that it is about and that go by its version."""
    for protocol in series.protocols:
        for step in protocol.steps:
            for visit in visits_of(series, step):
                if series.protocol_of(visit).version == protocol.version:
                    yield step, visit


def falls_at(step: Step, visit: VisitFacts) -> datetime:
    """The instant of a step: calendar days keep the site's wall clock, hours are elapsed."""
    if step.before is not None:
        return hours.before(visit.starts_at, step.before, visit.site.zone)
    assert step.after is not None
    return hours.after(ended_at(visit), step.after, visit.site.zone)


def is_late(step: Step, visit: VisitFacts) -> bool:
    """Whether a step before the visit fell before the visit got its present time."""
    return step.before is not None and falls_at(step, visit) <= visit.scheduled_at


def _is_at_once(step: Step, visit: VisitFacts) -> bool:
    """Whether a step before the visit is late, or falls within hours of its getting its time."""
    return step.before is not None and falls_at(step, visit) <= visit.scheduled_at + AT_ONCE


def kind_of(step: Step) -> Kind:
    """The message kind that carries a protocol step."""
    if step.kind is StepKind.CHECKIN:
        return Kind.CHECKIN
    if step.phase in (Phase.PRE, Phase.DAY):
        return Kind.PRECARE_STEP
    if step.phase is Phase.MAINTENANCE:
        return Kind.TOUCHUP_PROMPT
    if step.kind is StepKind.PHOTO:
        return Kind.PROGRESS_MILESTONE
    soon = step.after is not None and step.after.approximate_seconds < AT_ONCE.total_seconds()
    if step.phase is Phase.POST and soon:
        return Kind.POSTCARE_0
    return Kind.POSTCARE_STEP


def channels_of(step: Step) -> tuple[Channel, ...]:
    """The channels that carry a step: what is for the care page (`app`) comes by e-mail."""
    if step.kind is StepKind.TASK:
        return ()
    carried = {
        Channel.SMS: schema.Channel.SMS in step.channels,
        Channel.EMAIL: not {schema.Channel.EMAIL, schema.Channel.APP}.isdisjoint(step.channels),
    }
    return tuple(channel for channel, is_carried in carried.items() if is_carried)


def visits_of(series: SeriesFacts, step: Step) -> Iterator[VisitFacts]:
    """The visits that a step is about."""
    if step.anchor is Anchor.SESSION_START:
        yield from (visit for visit in series.visits if visit.state in TO_COME)
        return
    treatable = [
        visit for visit in series.visits if visit.state in TREATABLE and not visit.is_untreated
    ]
    if step.anchor is Anchor.SERIES_LAST:
        treatable = sorted(treatable, key=lambda visit: visit.starts_at)[-1:]
    yield from (visit for visit in treatable if not visit.is_history)


def _wishes(
    patient: PatientFacts, series: SeriesFacts, step: Step, visit: VisitFacts
) -> Iterator[Wish]:
    kind, falls, late = kind_of(step), falls_at(step, visit), is_late(step, visit)
    if late and step.late is Late.ESCALATE:
        return
    due_at, note = _due(patient, step, visit, kind)
    life = CATALOGUE[kind].life
    expires_at = visit.starts_at if life is None else due_at + life
    skip = _skip(patient, series, step, visit, falls) or ("late" if expires_at <= due_at else "")
    for channel in channels_of(step):
        item = _item(series, step, visit, channel)
        if _is_at_once(step, visit) and _said_before(patient, item):
            continue
        yield Wish(
            item=item,
            kind=kind,
            series_id=series.id,
            session=0 if step.anchor is Anchor.SERIES_LAST else visit.session,
            site_id=visit.site.id,
            due_at=due_at,
            expires_at=max(expires_at, due_at + INSTANT),
            why=(
                _asks(series, step, visit),
                _falls(falls, visit),
                *_cut_short(series, visit),
                *note,
            ),
            starts_at=visit.starts_at,
            waits_for=_waits_for(series, step, visit),
            needs=("photos",) if step.applies_if == "consent.photo" else (),
            skip=skip,
            topic=step.topic,
            directive=step.directive,
            until=holds_until(step, visit),
            critical=step.critical,
            waits_since=ended_at(visit) if step.phase is Phase.POST else None,
        )


def _due(
    patient: PatientFacts, step: Step, visit: VisitFacts, kind: Kind
) -> tuple[datetime, tuple[str, ...]]:
    if is_late(step, visit):
        note = noop("That moment had passed when the visit got its present time.")
        return visit.scheduled_at + visit.site.hold, (note,)
    if _is_at_once(step, visit):
        note = noop(
            "That is within hours of the visit getting its present time: it goes out at once."
        )
        return visit.scheduled_at + visit.site.hold, (note,)
    if kind is Kind.POSTCARE_0:
        return ended_at(visit) + POSTCARE_DELAY, (
            noop("It is said with the after-care at check-out."),
        )
    falls = falls_at(step, visit)
    if step.advance:
        return _advanced(falls, patient, visit)
    return falls, ()


def _advanced(
    falls: datetime, patient: PatientFacts, visit: VisitFacts
) -> tuple[datetime, tuple[str, ...]]:
    """The moment of a step that must not come late: before the quiet hours that it falls into."""
    zones = patient.zones or (visit.site.zone,)
    try:
        at = hours.last_allowed(falls, CARE_HOURS, zones, margin=BEFORE_QUIET)
    except hours.NeverAllowed:
        return falls, ()
    if at == falls:
        return falls, ()
    note = noop("That is within quiet hours and would be too late after them: it goes out before.")
    return max(at, visit.scheduled_at + visit.site.hold), (note,)


def _skip(
    patient: PatientFacts, series: SeriesFacts, step: Step, visit: VisitFacts, falls: datetime
) -> str:
    """The reason of the plan for not saying a step; empty when there is none."""
    if elsewhere := said_elsewhere(visit, falls):
        return elsewhere
    if is_unanswered(step, series):
        return "condition_unknown"
    if not applies(step, series):
        return "condition_not_met"
    if _is_held(step, visit):
        return "treatment_held"
    if is_late(step, visit) and step.late is Late.SKIP:
        return "late"
    if step.anchor is Anchor.SERIES_LAST and _is_succeeded(patient, series, visit):
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


def _item(series: SeriesFacts, step: Step, visit: VisitFacts, channel: Channel) -> Item:
    if step.anchor is Anchor.SERIES_LAST:
        return Item(series.anchor, 1, step.id, channel)
    return Item(visit.anchor, visit.schedule_version, step.id, channel)


def _said_before(patient: PatientFacts, item: Item) -> bool:
    """Whether a message about an earlier time of the visit already carried this step."""
    return any(
        replace(item, version=version) in patient.spoken for version in range(1, item.version)
    )


def holds_until(step: Step, visit: VisitFacts) -> datetime | None:
    """The end of a ban that starts with the step, None when it names none."""
    hold, zone = step.hold_until, visit.site.zone
    if hold is None:
        return None
    if hold.before is not None:
        return hours.before(visit.starts_at, hold.before, zone)
    assert hold.after is not None
    return hours.after(ended_at(visit), hold.after, zone)


def _task(series: SeriesFacts, step: Step, visit: VisitFacts) -> TaskWish:
    falls, late = falls_at(step, visit), is_late(step, visit)
    notes = [noop("That moment had passed when the visit got its present time.")] if late else []
    if is_unanswered(step, series):
        notes.append(noop("It depends on an answer that is not on record: ask the patient first."))
    anchor = series.anchor if step.anchor is Anchor.SERIES_LAST else visit.anchor
    return TaskWish(
        key=f"{anchor}.{step.id}",
        kind=kind_of(step),
        step=step.id,
        series_id=series.id,
        visit_id=visit.id,
        session=visit.session,
        site_id=visit.site.id,
        due_at=max(falls, visit.scheduled_at),
        title=step.title.en,
        detail=(step.staff_text or step.text).en,
        why=(_asks(series, step, visit), _falls(falls, visit), *notes),
        topic=step.topic if step.kind is StepKind.TASK else "",
        anchor=anchor,
        until=visit.starts_at if step.before is not None else None,
    )


# By whether it counts from the last session and on which side of it; None is at the time of it.
_ASKS = {
    (False, "before"): noop("%(protocol)s asks for “%(step)s” %(span)s before each session."),
    (False, "after"): noop("%(protocol)s asks for “%(step)s” %(span)s after each session."),
    (False, ""): noop("%(protocol)s asks for “%(step)s” at the time of each session."),
    (True, "before"): noop("%(protocol)s asks for “%(step)s” %(span)s before the last session."),
    (True, "after"): noop("%(protocol)s asks for “%(step)s” %(span)s after the last session."),
    (True, ""): noop("%(protocol)s asks for “%(step)s” at the time of the last session."),
}


def _asks(series: SeriesFacts, step: Step, visit: VisitFacts) -> str:
    protocol = series.protocol_of(visit)
    how_long, side = (step.before, "before") if step.before is not None else (step.after, "after")
    assert how_long is not None
    asks = kept(
        _ASKS[step.anchor is Anchor.SERIES_LAST, side if how_long else ""],
        protocol=title_of(protocol),
        step=either(step.title.en, step.title.es),
        **({"span": span(how_long)} if how_long else {}),
    )
    if not step.evidence:
        return asks
    source = protocol.evidence[step.evidence[0]]
    cites = kept(
        "Source: %(title)s (grade %(grade)s).", title=text(source.title), grade=text(source.grade)
    )
    return together((asks, cites))


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
