"""Taking back the last act on a visit, as often as there are acts; only its booking stays.

An undo is an act of its own: it has its history, and it may be refused when the world moved on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from appointments.claiming import allocating, checking
from appointments.claiming.allocating import Collision, Held, Lost
from appointments.finding.needs import DEVICE, PROVIDER, ROOM, need_of
from appointments.lifecycle import UNDOABLE, Move, State
from appointments.models import Appointment, StatusChange, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.proposing import loading, standing
from appointments.proposing.places import VisitWish
from appointments.refusals import NothingToUndo, SeriesClosed, SessionTaken, SlotTaken
from appointments.visits import history
from appointments.visits.history import Before
from clinic import access
from clinic.access import Capability
from clinic.hours import format_when, local
from clinic.models import Resource, Staff
from clinic.protocols import loading as protocols

_CAPABILITY = {
    Move.MOVE: Capability.BOOK,
    Move.CANCEL: Capability.BOOK,
    Move.CONFIRM: Capability.BOOK,
    Move.LOCK: Capability.BOOK,
    Move.UNLOCK: Capability.BOOK,
}


def undo(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    expected_version: int | None = None,
    beside: Mapping[int, datetime] = MappingProxyType({}),
) -> Appointment:
    """Take back the last act on a visit that was not taken back yet.

    A cancelled or moved visit gets its former time and resources back if they are still free
    and the series still allows that date. `beside` are the starts, by session, of visits that
    are taken back by the same act.

    Raises:
        NothingToUndo: when only the booking is left; cancel the visit instead.
        Refused: SlotTaken, SessionTaken, an interval's refusal, StaleVersion.
        Forbidden: when `by` may not do what they take back.
    """
    access.require(by, Capability.BOOK, appointment.site)
    try:
        with allocating.guarded():
            visit = history.locked(
                appointment,
                by=by,
                capability=Capability.BOOK,
                expected=expected_version,
            )
            change = _last_act(visit)
            move = Move(change.move)
            access.require(by, _CAPABILITY.get(move, Capability.RUN_VISIT), visit.site)
            was = history.before(visit, list(visit.resources_held().values()))
            if move in (Move.MOVE, Move.CANCEL):
                _restore_place(visit, change, by, now, beside)
            if move is Move.CANCEL:
                _is_open(visit.series_id)
            if move in (Move.LOCK, Move.UNLOCK):
                visit.is_locked = move is Move.UNLOCK
            if move is Move.COMPLETE:
                _reopen(visit.series_id)
            visit.state = State(change.state_before)
            visit.done_at = visit.closed_at = None
            if move is Move.CANCEL:
                visit.cancelled_by_patient = False
            history.keep(visit, Move.UNDO, was, by=by, now=now, undoes=change)
            return visit
    except Lost:
        raise _gone(appointment) from None


def _is_open(series_id: int) -> None:
    """Asked under the lock of the series, after the resources: somebody may be ending it."""
    series = TreatmentSeries.objects.select_for_update(no_key=True).get(pk=series_id)
    if series.state != SeriesState.OPEN:
        raise SeriesClosed("This series is closed. Book a new one.")


def _last_act(visit: Appointment) -> StatusChange:
    change = visit.history.filter(undone_by=None).exclude(move=Move.UNDO).order_by("-id").first()
    if change is None or change.move not in UNDOABLE:
        raise NothingToUndo("Nothing is left to undo. To take back the booking, cancel the visit.")
    return change


def former_place(visit: Appointment) -> Before:
    """Where an undo would put the visit. Raises NothingToUndo."""
    change = _last_act(visit)
    return Before(
        change.state_before, change.starts_before or visit.starts_at, change.resources_before
    )


def _restore_place(
    visit: Appointment,
    change: StatusChange,
    by: Staff,
    now: datetime,
    beside: Mapping[int, datetime],
) -> None:
    """Hold again what the visit held before `change`, at the time it had then.

    What lay over another visit on purpose does so again, if `by` may.
    """
    series, former = visit.series, change.starts_before or visit.starts_at
    protocol = protocols.get(visit.protocol_version)
    need = need_of(protocol, series.areas)
    kinds = dict(Resource.objects.filter(pk__in=change.resources_before).values_list("pk", "kind"))
    wanted = [Held(pk, need.held(kind, former)) for pk, kind in kinds.items()]
    allocating.lock([*kinds, *visit.resources_held().values()])
    _session_is_free(visit)
    # What was done once the visit had begun is taken back at any time of the day.
    _is_right(visit, former, kinds, former if change.at >= former else now)
    allocating.clear_expired(wanted, now=now)
    over = [each.held for each in _over_again(visit, wanted, by, now)]
    if not set(visit.overrides) - {checking.OVERLAP}:
        days = standing.days_of(series, {**beside, visit.session: former})
        for _, refusal in checking.interval_refusals(days, protocol, [visit.session]):
            raise refusal
    allocating.release(visit)
    allocating.hold(wanted, [visit] * len(wanted), deliberate=over)
    if over and checking.OVERLAP not in visit.overrides:
        visit.overrides = [*visit.overrides, checking.OVERLAP]
    visit.schedule_version += 1
    length = visit.ends_at - visit.starts_at
    visit.starts_at, visit.ends_at, visit.scheduled_at = former, former + length, now


def _is_right(
    visit: Appointment, former: datetime, kinds: Mapping[int, str], not_before: datetime
) -> None:
    """Raises what speaks against the former place by now: hours, credentials, another site."""
    held = {kind: pk for pk, kind in kinds.items()}
    if PROVIDER not in held or ROOM not in held:
        return
    on = local(former, visit.site.zone).date()
    loaded = loading.load(
        patient=visit.series.patient,
        site=visit.site,
        version=visit.protocol_version,
        areas=visit.series.areas,
        first_day=on,
        last_day=on,
        now=not_before,
        only=list(kinds),
        without=[visit.pk],
        series_id=visit.series_id,
        with_busy=False,
    )
    wish = VisitWish(former, held[PROVIDER], held[ROOM], held.get(DEVICE))
    checking.place_is_right(loaded, visit.series.patient, wish)


def _over_again(
    visit: Appointment, wanted: Sequence[Held], by: Staff, now: datetime
) -> list[Collision]:
    """What of `wanted` lies over other visits, where it did so on purpose. Else `Lost`."""
    found = allocating.collisions(wanted, now=now, without=[visit])
    if not found:
        return []
    was = visit.allocations.filter(active=False, is_deliberate=True)
    known = set(was.values_list("resource_id", "starts_at"))
    if not access.can(by, Capability.OVERLAP, visit.site):
        raise Lost
    for each in found:
        place = each.held.resource_id, each.held.period.starts_at
        if each.visit_id is None or place not in known:
            raise Lost
    return found


def _session_is_free(visit: Appointment) -> None:
    same = visit.series.appointments.standing().filter(session=visit.session)
    if same.exclude(pk=visit.pk).exists():
        raise SessionTaken(
            f"Session {visit.session} has been booked anew. Cancel that visit first."
        )


def _reopen(series_id: int) -> None:
    TreatmentSeries.objects.filter(pk=series_id, state=SeriesState.COMPLETED).update(
        state=SeriesState.OPEN, closed_at=None
    )


def _gone(appointment: Appointment) -> SlotTaken:
    change = _last_act(appointment)
    start = change.starts_before or appointment.starts_at
    at = format_when(start, appointment.site.zone, "en")
    return SlotTaken(
        f"The former place at {at} has been taken meanwhile. Choose a new time instead.",
        resource_kind="",
        resource_name="",
        start=start,
    )
