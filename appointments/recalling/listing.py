"""The patients of a site who are due back, most urgent first, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from appointments.charting.course import Window, touch_up_window
from appointments.clearance import Treatment, adverse_events
from appointments.lifecycle import OPEN, State
from appointments.models import (
    Appointment,
    RecallAttempt,
    RecallOutcome,
    TreatmentSeries,
)
from appointments.models.record import NOT_WHOLE
from appointments.models.series import SeriesState
from appointments.recalling.windows import Cause, is_due, next_session
from appointments.visits import holdings
from clinic.models import Resource, Site, Staff
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from clinic.wall_time import local

# How many days before its window opens a patient comes on the list.
AHEAD = 14


@dataclass(frozen=True, slots=True)
class Due:
    """A series whose patient is due back. `last` is the last visit done, `attempts` how often
    they were asked since, `asked` the latest of these; `provider` treated them last. While an
    adverse event of an area is open, nobody invites them."""

    series: TreatmentSeries
    cause: Cause
    window: Window | None
    last: Appointment | None
    session: int
    attempts: int
    asked: RecallAttempt | None
    provider: Resource | None
    has_open_event: bool = False

    def urgency(self, today: date) -> tuple[int, int]:
        """What was missed first, then by the days that are left."""
        left = self.window.days_left(today) if self.window else 0
        return (0 if self.cause == Cause.MISSED else 1, left)


def due_at(site: Site, staff: Staff, *, now: datetime) -> list[Due]:
    """Everybody whom `staff` may see at `site` who is due and not to be left alone until later."""
    today = local(now, site.zone).date()
    series = list(_without_a_visit_to_come(site, staff))
    wanted = []
    for each in series:
        protocol = protocols.get(each.protocol_version)
        found = _due(each, protocol, site.zone)
        if found is not None and is_due(*found, today, ahead=AHEAD):
            wanted.append((each, *found))
    with_event = _with_open_event([each for each, *_ in wanted], site, now)
    rows = _rows(wanted, today, with_event)
    return sorted(rows, key=lambda row: (row.urgency(today), row.series.pk))


def _without_a_visit_to_come(site: Site, staff: Staff) -> QuerySet[TreatmentSeries]:
    """Series with nothing booked of patients who may be asked: the open ones, and of the closed
    ones those after which nothing else of the same modality was booked."""
    to_come = Appointment.objects.filter(series=OuterRef("pk"), state__in=OPEN)
    of_modality = TreatmentSeries.objects.filter(
        patient=OuterRef("patient"),
        protocol_version__modality=OuterRef("protocol_version__modality"),
        booked_at__gt=OuterRef("booked_at"),
    )
    done, missed = Q(appointments__state=State.DONE), Q(appointments__state=State.NO_SHOW)
    # Where nothing was treated, nothing counts from it.
    untreated = Q(appointments__record__outcome__in=NOT_WHOLE, appointments__record__treated__len=0)
    return (
        TreatmentSeries.objects.seen_by(staff)
        .filter(~Exists(to_come), site=site)
        .filter(patient__deceased_at=None, patient__do_not_contact_at=None)
        .filter(Q(state=SeriesState.OPEN) | ~Exists(of_modality))
        .annotate(
            done=Count("appointments", filter=done),
            last_treated=Max("appointments__starts_at", filter=done & ~untreated),
            last_missed=Max("appointments__starts_at", filter=missed),
        )
        .select_related("patient", "protocol_version__modality")
    )


def _due(
    series: TreatmentSeries, protocol: Protocol, zone: str
) -> tuple[Cause, Window | None] | None:
    """Why the patient is due and when; None for who is not due at all."""
    last_treated: datetime | None = series.last_treated  # type: ignore[attr-defined]
    last_missed: datetime | None = series.last_missed  # type: ignore[attr-defined]
    last = local(last_treated, zone).date() if last_treated else None
    if series.state == SeriesState.OPEN:
        window = next_session(last, protocol.series.interval) if last else None
        if last_missed and (last_treated is None or last_missed > last_treated):
            return Cause.MISSED, window
        is_whole = series.done >= series.sessions  # type: ignore[attr-defined]
        return None if is_whole else (Cause.NEXT_SESSION, window)
    window = touch_up_window(last, protocol.series.maintenance) if last else None
    return (Cause.TOUCH_UP, window) if window else None


def _with_open_event(series: Sequence[TreatmentSeries], site: Site, now: datetime) -> set[int]:
    """Those of which an area, or the whole patient, has an adverse event that is not closed."""
    treatments = [
        Treatment(each.patient, site, each.protocol_version, each.areas, each) for each in series
    ]
    found = adverse_events.bars(treatments, now=now)
    return {each.pk for each, bars in zip(series, found, strict=True) if bars}


def _rows(
    wanted: Sequence[tuple[TreatmentSeries, Cause, Window | None]],
    today: date,
    with_event: Collection[int],
) -> Iterable[Due]:
    ids = [series.pk for series, _, _ in wanted]
    asked: dict[int, list[RecallAttempt]] = {}
    for attempt in RecallAttempt.objects.filter(series__in=ids, taken_back_at=None).select_related(
        "by"
    ):
        asked.setdefault(attempt.series_id, []).append(attempt)
    last = _last_visits(ids)
    held_by = holdings.of(list(last.values()))
    for series, cause, window in wanted:
        visit = last.get(series.pk)
        since = [
            each
            for each in asked.get(series.pk, [])
            if visit is None or visit.done_at is None or each.at > visit.done_at
        ]
        latest = since[0] if since else None
        if latest is not None and _is_left_alone(latest, today):
            continue
        yield Due(
            series,
            cause,
            window,
            visit,
            series.done + 1,  # type: ignore[attr-defined]
            len(since),
            latest,
            holdings.provider(held_by[visit.pk]) if visit else None,
            series.pk in with_event,
        )


def _is_left_alone(latest: RecallAttempt, today: date) -> bool:
    if latest.again_on is None:
        return latest.outcome == RecallOutcome.DECLINED
    return latest.again_on > today


def _last_visits(series: Sequence[int]) -> dict[int, Appointment]:
    """The last visit done of each series."""
    done = Appointment.objects.filter(series__in=series, state=State.DONE)
    newest = done.order_by("series_id", "-starts_at").distinct("series_id")
    return {visit.series_id: visit for visit in newest}
