"""What happens in the demo's clinic, act by act, each with the `now` of its time.

Turns courses into acts (`of`) and performs them through the domain's own functions, so that every
history is true. An act after the demo's own now has not happened yet: that alone gives today its
booked, arrived, treated and finished visits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from appointments.finding.needs import need_of
from appointments.finding.ticks import TICK
from appointments.models import Appointment, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.visits import attendance, booking, cancelling, moving, undoing
from clinic import audit
from config.demo_data import records
from config.demo_data.house import House
from config.demo_data.journeys import Course, Fate, Visit
from patients.models import Patient

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_REASONS = ("Has a cold", "Travelling for work", "Childcare", "Changed their mind", "")
_STOPPED = "The patient moved away"
# Treatments of these days before now end at this hour, so that their check-ins fall due now.
_CHECKED_AFTER = (1, 3, 7)
# Patients began to confirm when the clinic began to ask.
_CONFIRMING = 9 * DAY
# Whoever is next today sits in the waiting room already.
_WAITING = 25 * MINUTE
_NEARLY = 50 * MINUTE
_LOGGED_AFTER = timedelta(minutes=4)
_SIGNED_AFTER = timedelta(hours=3)
_POSTCARE_AFTER = 15 * MINUTE
_SOONEST, _APART = 30, 17


@dataclass(frozen=True, slots=True)
class Act:
    """One act; `in_clinic` when it is of the visit itself and not of the front desk's phone."""

    at: datetime
    do: Callable[[datetime], object]
    in_clinic: bool = False


class Lives:
    """The acts of all courses, and the rows that they make."""

    def __init__(
        self, house: House, patients: dict[int, Patient], dice: Random, *, now: datetime
    ) -> None:
        self._house = house
        self._patients = patients
        self._dice = dice
        self._now = now
        self._soon = 0
        self._reported = False

    def of(self, courses: Sequence[Course]) -> list[Act]:
        """Every act of the past, in order of time."""
        acts = [act for course in courses for act in self._acts(course)]
        return sorted((act for act in acts if act.at <= self._now), key=lambda act: act.at)

    def _acts(self, course: Course) -> Iterator[Act]:
        rows: dict[int, Appointment] = {}
        by = self._house.front_desk(course.slug)

        def book(now: datetime) -> None:
            series = booking.book_series(
                patient=self._patients[course.person.number],
                site=self._house.places[course.slug].site,
                version=self._house.versions[course.protocol.id],
                areas=course.areas,
                visits=[visit.wish for visit in course.visits],
                by=by,
                now=now,
            )
            rows.update({row.session: row for row in series.appointments.all()})

        yield Act(course.booked_at, book)
        stops_at = self._stop(course)
        for visit in course.visits:
            if stops_at and visit.starts_at > stops_at:
                continue
            yield from self._visit(course, visit, rows)
        if stops_at:
            yield Act(stops_at, lambda now: self._end(course, rows, now))

    def _visit(self, course: Course, visit: Visit, rows: dict[int, Appointment]) -> Iterator[Act]:
        dice, session = self._dice, visit.session
        desk = self._house.front_desk(course.slug)
        starts_at = visit.starts_at
        ends_at = starts_at + need_of(course.protocol, course.areas).body * TICK
        if visit.moved_to is not None:
            place = visit.moved_to
            at = course.booked_at + (starts_at - course.booked_at) * dice.uniform(0.2, 0.7)
            yield Act(
                at,
                lambda now: moving.move(
                    appointment=rows[session],
                    starts_at=place.starts_at,
                    provider_id=place.provider_id,
                    room_id=place.room_id,
                    device_id=place.device_id,
                    by=desk,
                    now=now,
                    reason="Asked for another hour",
                ),
            )
        if visit.fate is Fate.CANCELLED:
            at = max(starts_at - dice.uniform(2, 60) * HOUR, course.booked_at + HOUR)
            yield from self._cancelled(rows, session, at, course)
            return
        confirmed_at = starts_at - 2 * DAY + dice.uniform(0, 20) * HOUR
        is_lately = confirmed_at > max(course.booked_at + DAY, self._now - _CONFIRMING)
        if dice.random() < 0.65 and is_lately:
            yield Act(
                confirmed_at,
                lambda now: attendance.confirm(appointment=rows[session], by=None, now=now),
            )
        if visit.fate is Fate.NO_SHOW:
            yield Act(
                starts_at + dice.randint(15, 30) * MINUTE,
                lambda now: attendance.no_show(appointment=rows[session], by=desk, now=now),
                in_clinic=True,
            )
            return
        yield from self._treated(course, rows, session, starts_at, ends_at)

    def _treated(
        self,
        course: Course,
        rows: dict[int, Appointment],
        session: int,
        starts_at: datetime,
        ends_at: datetime,
    ) -> Iterator[Act]:
        dice, desk = self._dice, self._house.front_desk(course.slug)
        checked_in_at = starts_at - dice.randint(60, 780) * timedelta(seconds=1)
        if self._now < starts_at < self._now + _WAITING:
            checked_in_at = min(checked_in_at, self._now - 2 * MINUTE)
        if dice.random() < 0.03:
            # The wrong patient was ticked, and unticked.
            early = checked_in_at - 4 * MINUTE
            yield Act(
                early,
                lambda now: attendance.check_in(appointment=rows[session], by=desk, now=now),
                in_clinic=True,
            )
            yield Act(
                early + MINUTE,
                lambda now: undoing.undo(appointment=rows[session], by=desk, now=now),
                in_clinic=True,
            )
        yield Act(
            checked_in_at,
            lambda now: attendance.check_in(appointment=rows[session], by=desk, now=now),
            in_clinic=True,
        )
        yield Act(
            starts_at + dice.randint(0, 240) * timedelta(seconds=1),
            lambda now: attendance.start(appointment=rows[session], by=desk, now=now),
            in_clinic=True,
        )
        ended_at = self._ended(course, starts_at, ends_at)
        yield Act(
            ended_at,
            lambda now: attendance.complete(appointment=rows[session], by=desk, now=now),
            in_clinic=True,
        )
        # Of the last hours some logs are still to be signed.
        if ended_at < self._now - _SIGNED_AFTER:
            yield Act(
                ended_at + _LOGGED_AFTER,
                lambda now: records.write(rows[session], dice, now=now),
                in_clinic=True,
            )
        is_of_series = course.protocol.series.results is not None
        if is_of_series and not self._reported and self._now - 4 * DAY < ended_at < self._now - DAY:
            self._reported = True
            yield Act(
                self._now - 2 * HOUR,
                lambda now: records.report(rows[session], by=desk, now=now),
                in_clinic=True,
            )

    def _ended(self, course: Course, starts_at: datetime, ends_at: datetime) -> datetime:
        """When treatment ended: about as booked. Where it makes a message fall due within the
        next minutes, to the second."""
        if course.protocol.steps:
            soon = self._now + timedelta(seconds=_SOONEST + _APART * (self._soon % 9))
            for due in (_POSTCARE_AFTER, *(days * DAY for days in _CHECKED_AFTER)):
                ended_at = soon - due
                if abs(ended_at - ends_at) < _NEARLY and ended_at > starts_at + 10 * MINUTE:
                    self._soon += 1
                    return ended_at
        return ends_at + self._dice.randint(-240, 420) * timedelta(seconds=1)

    def _cancelled(
        self, rows: dict[int, Appointment], session: int, at: datetime, course: Course
    ) -> Iterator[Act]:
        dice, desk = self._dice, self._house.front_desk(course.slug)
        reason, by_patient = dice.choice(_REASONS), dice.random() < 0.75
        if dice.random() < 0.15:
            yield Act(
                at - 3 * MINUTE,
                lambda now: cancelling.cancel(appointment=rows[session], by=desk, now=now),
            )
            yield Act(
                at - 2 * MINUTE,
                lambda now: undoing.undo(appointment=rows[session], by=desk, now=now),
            )
        yield Act(
            at,
            lambda now: cancelling.cancel(
                appointment=rows[session], by=desk, now=now, reason=reason, by_patient=by_patient
            ),
        )

    def _stop(self, course: Course) -> datetime | None:
        """When a course is given up: a few days after its first visit."""
        if not course.ends_early or len(course.visits) < 2:
            return None
        return course.visits[0].starts_at + self._dice.randint(4, 18) * DAY

    def _end(self, course: Course, rows: dict[int, Appointment], now: datetime) -> None:
        by = self._house.staff["manager"]
        series = TreatmentSeries.objects.get(pk=rows[1].series_id)
        for visit in series.appointments.standing().filter(starts_at__gt=now):
            cancelling.cancel(appointment=visit, by=by, now=now, reason=_STOPPED, by_patient=True)
        if series.state == SeriesState.OPEN:
            series.state, series.closed_at, series.closed_reason = SeriesState.ENDED, now, _STOPPED
            series.save(update_fields=["state", "closed_at", "closed_reason"])
            audit.record(
                action="series.end",
                subject=series,
                by=by,
                now=now,
                site=series.site,
                patient_id=series.patient_id,
                reason=_STOPPED,
            )
            Patient.objects.filter(pk=series.patient_id).raise_revision()
