"""What every visit wishes to have said: notices, reminders, the after-care at check-out. Pure.

A notice follows from what the patient was last told and what is true now, so an undo within the
hold leaves nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import sha256

from appointments.lifecycle import TO_COME, State
from clinic import wall_time
from clinic.durations import Duration
from clinic.protocols.schema import Phase, Protocol
from clinic.retelling import Fact, kept, moment, span, text
from clinic.saying import noop
from reminders.catalogue import REASONS, Channel, Kind
from reminders.planning.facts import SeriesFacts, VisitFacts
from reminders.planning.wish import (
    INSTANT,
    POSTCARE_DELAY,
    TREATABLE,
    UNTOLD,
    TaskWish,
    Wish,
    about_visit,
    ended_at,
    title_of,
)

BOTH = (Channel.SMS, Channel.EMAIL)
# Catalogue: the first reminder at 10:00 three days before, not for visits booked within 4 days;
# the last one a day before, not for visits booked or moved within 30 hours. Where the site wants
# them, one more a week before, not for visits booked within 10 days, and one on the day to who has
# not confirmed, which still helps an hour before the visit and no later.
CONFIRM_DAYS, CONFIRM_MINUTE = timedelta(days=3), 10 * 60
WEEK_NOTICE = timedelta(days=10)
CONFIRM_NOTICE, FINAL_NOTICE = timedelta(days=4), timedelta(hours=30)
WEEK, FINAL = Duration(days=7), Duration(days=1)
NUDGE, NUDGE_HELPS_UNTIL = timedelta(hours=3), timedelta(hours=1)
NO_SHOW_DELAY = timedelta(hours=2)
BARRED = "visit_barred"


def wishes(series: SeriesFacts, visit: VisitFacts) -> Iterator[Wish]:
    """Everything that a visit wants said because it is a visit; of history nothing."""
    if visit.is_history:
        return
    yield from _notice(series, visit)
    if visit.state in TO_COME:
        yield from (_barred(visit, reminder) for reminder in _reminders(series, visit))
    if visit.is_untreated:
        return
    if visit.state in TREATABLE and _has_aftercare(series.protocol_of(visit)):
        yield from _checkout(series, visit)


def _notice(series: SeriesFacts, visit: VisitFacts) -> Iterator[Wish]:
    told, when = visit.told_start, _when(visit, visit.starts_at)
    if visit.state in TO_COME and told is None:
        why = kept("Session %(session)s was booked for %(when)s.", session=visit.session, when=when)
        yield from _held(series, visit, Kind.BOOKING_CONFIRMED, visit.scheduled_at, why)
    elif visit.state in TO_COME and told != visit.starts_at:
        assert told is not None
        why = kept(
            "Session %(session)s was moved: the patient was last told %(told)s, now it is"
            " %(when)s.",
            session=visit.session,
            told=_when(visit, told),
            when=when,
        )
        yield from _held(series, visit, Kind.APPT_MOVED, visit.scheduled_at, why)
    elif visit.state is State.CANCELLED and told is not None and visit.closed_at is not None:
        why = kept(
            "Session %(session)s on %(when)s was cancelled.",
            session=visit.session,
            when=_when(visit, told),
        )
        notices = _held(series, visit, Kind.CANCELLED, visit.closed_at, why)
        yield from (_untold(visit, notice) for notice in notices)
    elif visit.state is State.NO_SHOW and visit.closed_at is not None:
        yield about_visit(
            series,
            visit,
            Kind.NO_SHOW_FOLLOWUP,
            Channel.SMS,
            visit.closed_at + NO_SHOW_DELAY,
            (
                kept(
                    "The patient did not come to session %(session)s on %(when)s.",
                    session=visit.session,
                    when=when,
                ),
                noop("A follow-up goes out two hours after a visit is marked as missed."),
            ),
        )


def _held(
    series: SeriesFacts, visit: VisitFacts, kind: Kind, changed_at: datetime, why: str
) -> Iterator[Wish]:
    hold = visit.site.hold
    held = kept(
        "Notices wait %(hold)s after a change, so that an undo sends nothing.",
        hold=span(Duration(seconds=int(hold.total_seconds()))),
    )
    for channel in BOTH:
        yield about_visit(series, visit, kind, channel, changed_at + hold, (why, held))


def _untold(visit: VisitFacts, notice: Wish) -> Wish:
    """The notice, not to be sent when staff chose so as they cancelled."""
    untold = visit.untold
    if untold is None:
        return notice
    chose = kept(
        "The front desk chose not to tell the patient: %(by)s, %(when)s.",
        by=text(untold.by),
        when=_when(visit, untold.at),
    )
    return notice._replace(skip=notice.skip or UNTOLD, why=(*notice.why, chose))


def _reminders(series: SeriesFacts, visit: VisitFacts) -> Iterator[Wish]:
    zone, starts_at = visit.site.zone, visit.starts_at
    is_on = _is_on(visit)
    # Who brought it over knows of it for as long as the former system did.
    is_new = visit.told_elsewhere_until is None
    notice = starts_at - visit.scheduled_at if is_new else WEEK_NOTICE
    confirm_at = _confirm_at(visit)
    final_at = wall_time.before(starts_at, FINAL, zone)
    for channel in BOTH:
        yield about_visit(
            series,
            visit,
            Kind.REMINDER_CONFIRM,
            channel,
            confirm_at,
            (is_on, noop("Every visit has a reminder at 10:00 three days before.")),
            expires_at=final_at,
            skip="booked_too_late" if notice < CONFIRM_NOTICE else "",
        )
    yield about_visit(
        series,
        visit,
        Kind.REMINDER_FINAL,
        Channel.SMS,
        final_at,
        (
            is_on,
            noop("Every visit has a last reminder the day before, at the hour of the visit."),
        ),
        skip="booked_too_late" if notice < FINAL_NOTICE else "",
    )
    week_at, nudge_at = wall_time.before(starts_at, WEEK, zone), starts_at - NUDGE
    if _is_wanted(visit.site.week_reminders_from, week_at, zone):
        yield about_visit(
            series,
            visit,
            Kind.REMINDER_7D,
            Channel.EMAIL,
            week_at,
            (is_on, noop("This site has a reminder a week before, at the hour of the visit.")),
            expires_at=confirm_at,
            skip="booked_too_late" if notice < WEEK_NOTICE else "",
        )
    if _is_wanted(visit.site.nudges_from, nudge_at, zone):
        too_late = "booked_too_late" if notice < FINAL_NOTICE else ""
        yield about_visit(
            series,
            visit,
            Kind.NUDGE,
            Channel.SMS,
            nudge_at,
            (is_on, noop("This site has one three hours before, for who has not confirmed.")),
            # A minute more: with an hour to go it still helps.
            expires_at=starts_at - NUDGE_HELPS_UNTIL + INSTANT,
            skip="confirmed" if visit.state is State.CONFIRMED else too_late,
        )


def _confirm_at(visit: VisitFacts) -> datetime:
    zone = visit.site.zone
    day = wall_time.local(visit.starts_at, zone).date() - CONFIRM_DAYS
    return wall_time.instant(day, CONFIRM_MINUTE, zone)


def _is_on(visit: VisitFacts) -> str:
    when = _when(visit, visit.starts_at)
    return kept("Session %(session)s is on %(when)s.", session=visit.session, when=when)


def _barred(visit: VisitFacts, reminder: Wish) -> Wish:
    """The reminder, not to be sent while an answer bars the treatment: whoever is asked to come
    would come in vain, and staff have it in hand."""
    return reminder._replace(skip=reminder.skip or BARRED) if visit.is_held else reminder


def task_wishes(series: SeriesFacts) -> Iterator[TaskWish]:
    """For every visit of which the patient is not reminded because treatment is barred, a task
    at the time of the first reminder that stays away: until then a clinician may have decided.
    None where staff have it in hand. Moved to a day that is barred as well, or barred by something
    else, it is asked about anew."""
    for visit in series.visits:
        is_to_come = visit.state in TO_COME and not visit.is_history
        if is_to_come and visit.is_held and not visit.is_called_about:
            first = min(reminder.due_at for reminder in _reminders(series, visit))
            by = sha256(" ".join(visit.held_by).encode()).hexdigest()[:16]
            yield TaskWish(
                key=f"{visit.anchor}.{BARRED}.{visit.schedule_version}.{by}",
                kind=Kind.REMINDER_CONFIRM,
                step="",
                series_id=series.id,
                visit_id=visit.id,
                session=visit.session,
                site_id=visit.site.id,
                due_at=max(first, visit.scheduled_at),
                title=noop("Cancel or move the visit: treatment is barred"),
                detail=noop(
                    "The patient is not reminded of it any more, but may still come. Call them."
                ),
                why=(_is_on(visit), REASONS[BARRED]),
                until=visit.starts_at,
            )


def _is_wanted(since: date | None, due_at: datetime, zone: str) -> bool:
    """Whether a site that has a reminder from a day on has it then."""
    return since is not None and wall_time.local(due_at, zone).date() >= since


def _checkout(series: SeriesFacts, visit: VisitFacts) -> Iterator[Wish]:
    why = (
        kept(
            "%(protocol)s has after-care for every session.",
            protocol=title_of(series.protocol_of(visit)),
        ),
        noop("It goes out 15 minutes after the treatment is marked as done."),
    )
    for channel in BOTH:
        yield about_visit(
            series,
            visit,
            Kind.POSTCARE_0,
            channel,
            ended_at(visit) + POSTCARE_DELAY,
            why,
            waits_for="" if visit.done_at else "visit_done",
        )


def _has_aftercare(protocol: Protocol) -> bool:
    return any(step.phase is Phase.POST for step in protocol.steps)


def _when(visit: VisitFacts, at: datetime) -> Fact:
    return moment(at, visit.site.zone)
