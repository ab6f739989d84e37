"""Taking back the last act on a visit, as often as there are acts; only its booking stays.

An undo is an act of its own: it has its history, and it may be refused when the world moved on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments.claiming import allocating, checking
from appointments.claiming.allocating import Collision, Held, Lost
from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM, need_of
from appointments.finding.ticks import TICK
from appointments.lifecycle import UNDOABLE, Move, State
from appointments.models import Appointment, StatusChange, TreatmentRecord, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.proposing import loading, standing
from appointments.proposing.places import VisitWish
from appointments.refusals import (
    LogSigned,
    NothingToUndo,
    Refused,
    SeriesClosed,
    SessionTaken,
    SlotTaken,
    busy,
)
from appointments.visits import history
from appointments.visits.history import Before
from clinic import access
from clinic.access import Capability
from clinic.models import Resource, Staff
from clinic.protocols import loading as protocols
from clinic.saying import gettext, language
from clinic.saying_times import format_when
from clinic.wall_time import local

_CAPABILITY = {
    Move.MOVE: Capability.BOOK,
    Move.RESIZE: Capability.BOOK,
    Move.CANCEL: Capability.BOOK,
    Move.CONFIRM: Capability.BOOK,
    Move.LOCK: Capability.BOOK,
    Move.UNLOCK: Capability.BOOK,
}


def undo(
    *,
    appointment: Appointment,
    by: Staff | None,
    now: datetime,
    expected_version: int | None = None,
    together: bool = False,
) -> Appointment:
    """Take back the last act on a visit that was not taken back yet; with `together` also what
    `moved_along` with it. Raises as `undo_together`."""
    along = moved_along(appointment) if together else []
    visits = [(appointment, expected_version), *((visit, visit.version) for visit in along)]
    return undo_together(visits=visits, by=by, now=now)[0]


def moved_along(appointment: Appointment) -> list[Appointment]:
    """The other visits of its series that moved in the same act as the visit did last, as far as
    nothing else was done to them since."""
    change = _last_standing(appointment)
    if change is None or change.move != Move.MOVE:
        return []
    others = Appointment.objects.filter(
        series=appointment.series_id, history__at=change.at, history__by=change.by_id
    )
    found = []
    for visit in others.exclude(pk=appointment.pk).distinct().order_by("session"):
        last = _last_standing(visit)
        if last is not None and (last.move, last.at) == (Move.MOVE, change.at):
            found.append(visit)
    return found


def undo_together(
    *, visits: Sequence[tuple[Appointment, int | None]], by: Staff | None, now: datetime
) -> list[Appointment]:
    """Take back the last act on each of these visits that was not taken back yet, all or nothing.

    `visits` are with the version that was seen, if it must be that one. A cancelled or moved
    visit gets its former time and resources back if they are still free and its series still
    allows that date. Every place that one of them gives up counts as free for the others. `by` is
    None for the patient, who takes back only what they did themselves.

    Raises:
        NothingToUndo: when only the booking is left (cancel the visit instead), or one is named
            twice.
        Refused: SlotTaken, SessionTaken, an interval's refusal, StaleVersion; nothing is written.
        Forbidden: when `by` may not do what they take back.
    """
    if len({appointment.pk for appointment, _ in visits}) < len(visits):
        raise NothingToUndo(gettext("One visit is named twice. Name it once."))
    for appointment, _ in visits:
        if by is not None:
            access.require(by, Capability.BOOK, appointment.site)
    try:
        with allocating.guarded():
            # In order of id, as everybody locks them.
            ordered = sorted(visits, key=lambda pair: pair[0].pk)
            undoings = [_begun(visit, version, by) for visit, version in ordered]
            _restore_places([each for each in undoings if each.is_of_place], by=by, now=now)
            for each in undoings:
                _restore_state(each)
                _forget_breaches(each)
                history.keep(
                    each.visit,
                    Move.UNDO,
                    each.was,
                    by=by,
                    now=now,
                    override_reason=_why_over(each.visit) if each.over else "",
                    overrides=[checking.OVERLAP] if each.over else (),
                    undoes=each.change,
                )
            back = {each.visit.pk: each.visit for each in undoings}
            return [back[visit.pk] for visit, _ in visits]
    except Lost:
        raise _gone([visit for visit, _ in visits], now=now) from None


@dataclass(slots=True)
class _Undoing:
    """A locked visit, how it was, and the act on it that is taken back; `over` is what of its
    former place lies over other visits again."""

    visit: Appointment
    was: Before
    change: StatusChange
    over: Sequence[Held] = ()

    @property
    def is_of_place(self) -> bool:
        return self.change.move in (Move.MOVE, Move.RESIZE, Move.CANCEL)

    @property
    def keeps_start(self) -> bool:
        """Whether only the length changed: of that nobody was told."""
        return self.change.move == Move.RESIZE

    @property
    def starts_at(self) -> datetime:
        """The former start."""
        return self.change.starts_before or self.visit.starts_at

    @property
    def ends_at(self) -> datetime:
        return self.change.ends_before or self.visit.ends_at

    @property
    def body(self) -> int:
        """The former length, in ticks."""
        return (self.ends_at - self.starts_at) // TICK


def _begun(appointment: Appointment, expected: int | None, by: Staff | None) -> _Undoing:
    visit = history.locked(appointment, by=by, capability=Capability.BOOK, expected=expected)
    change = _last_act(visit)
    if by is not None:
        access.require(by, _CAPABILITY.get(Move(change.move), Capability.RUN_VISIT), visit.site)
    elif change.by_id is not None:
        raise NothingToUndo(gettext("This was not the patient's own doing."))
    was = history.before(visit, list(visit.resources_held().values()))
    return _Undoing(visit, was, change)


def _restore_state(undoing: _Undoing) -> None:
    visit, move = undoing.visit, undoing.change.move
    if move == Move.CANCEL:
        _is_open(visit.series_id)
        visit.cancelled_by_patient = False
    if move in (Move.LOCK, Move.UNLOCK):
        visit.is_locked = move == Move.UNLOCK
    if move == Move.COMPLETE:
        _reopen(visit.series_id)
    visit.state = State(undoing.change.state_before)
    visit.done_at = visit.closed_at = None


def _forget_breaches(undoing: _Undoing) -> None:
    """What only the act that is taken back let pass is let pass no more."""
    visit, gone = undoing.visit, undoing.change
    if not gone.overrides:
        return
    stands = visit.history.filter(undone_by=None).exclude(move=Move.UNDO).exclude(pk=gone.pk)
    breaching = stands.exclude(overrides=[]).order_by("-id")
    acts = list(breaching.values_list("overrides", "override_reason"))
    kept = {code for codes, _ in acts for code in codes}
    visit.overrides = [each for each in visit.overrides if each in kept]
    visit.override_reason = acts[0][1] if visit.overrides else ""


def _why_over(visit: Appointment) -> str:
    """The reason for which the visit lay over others last."""
    over = visit.history.filter(overrides__contains=[checking.OVERLAP]).order_by("-id")
    return over.values_list("override_reason", flat=True)[0]


def _is_open(series_id: int) -> None:
    """Asked under the lock of the series, after the resources: somebody may be ending it."""
    series = TreatmentSeries.objects.select_for_update(no_key=True).get(pk=series_id)
    if series.state != SeriesState.OPEN:
        raise SeriesClosed(gettext("This series is closed. Book a new one."))


def _last_act(visit: Appointment) -> StatusChange:
    change = _last_standing(visit)
    if change is None or change.move not in UNDOABLE:
        raise NothingToUndo(
            gettext("Nothing is left to undo. To take back the booking, cancel the visit.")
        )
    if change.move == Move.COMPLETE and _is_signed(visit):
        raise LogSigned(gettext("The log of this visit is signed, so the visit stays done."))
    return change


def _last_standing(visit: Appointment) -> StatusChange | None:
    """The last act that was not taken back, whether it can be or not."""
    return visit.history.filter(undone_by=None).exclude(move=Move.UNDO).order_by("-id").first()


def _is_signed(visit: Appointment) -> bool:
    return TreatmentRecord.objects.signed().filter(appointment=visit).exists()


def _restore_places(undoings: Sequence[_Undoing], *, by: Staff | None, now: datetime) -> None:
    """Hold again what the visits held before, at the times they had then: first every present
    place is given up, then every former one is taken.

    What lay over another visit on purpose does so again, if `by` may.
    """
    if not undoings:
        return
    visits = [each.visit for each in undoings]
    former = {pk for each in undoings for pk in each.change.resources_before}
    kinds = dict(Resource.objects.filter(pk__in=former).values_list("pk", "kind"))
    wanted = [_wanted(each, kinds) for each in undoings]
    patients = [visit.series.patient.resource_id for visit in visits]
    allocating.lock([*kinds, *patients, *allocating.held_by(*visits)])
    for each in undoings:
        _session_is_free(each.visit)
        # What was done once the visit had begun is taken back at any time of the day.
        begun = each.keeps_start or each.change.at >= each.starts_at
        _is_right(each, kinds, visits, not_before=each.starts_at if begun else now)
    for each, places in zip(undoings, wanted, strict=True):
        each.over = [over.held for over in _over_again(each.visit, places, visits, by, now)]
    _keep_intervals(undoings)
    for visit in visits:
        allocating.release(visit)
    pairs = [
        (place, each.visit)
        for each, places in zip(undoings, wanted, strict=True)
        for place in places
    ]
    allocating.hold(
        [place for place, _ in pairs],
        [visit for _, visit in pairs],
        deliberate=[place for each in undoings for place in each.over],
    )
    for each in undoings:
        each.visit.starts_at, each.visit.ends_at = each.starts_at, each.ends_at
        if not each.keeps_start:
            each.visit.schedule_version += 1
            each.visit.scheduled_at = now


def _wanted(undoing: _Undoing, kinds: Mapping[int, str]) -> list[Held]:
    visit = undoing.visit
    need = need_of(protocols.get(visit.protocol_version), visit.series.areas, undoing.body)
    held = undoing.change.resources_before
    # Of a record that was merged meanwhile, the visit is another patient's.
    mine = visit.series.patient.resource_id
    return [
        Held(mine if kinds[pk] == PATIENT else pk, need.held(kinds[pk], undoing.starts_at))
        for pk in held
        if pk in kinds
    ]


def _keep_intervals(undoings: Sequence[_Undoing]) -> None:
    """Raises the interval that a series would not keep with its visits at their former dates."""
    starts: dict[int, dict[int, datetime]] = defaultdict(dict)
    for each in undoings:
        starts[each.visit.series_id][each.visit.session] = each.starts_at
    for each in undoings:
        visit = each.visit
        if each.keeps_start or set(visit.overrides) - {checking.OVERLAP}:
            continue
        days = standing.days_of(visit.series, starts[visit.series_id])
        protocol = protocols.get(visit.protocol_version)
        for _, refusal in checking.interval_refusals(days, protocol, [visit.session]):
            raise refusal


def _is_right(
    undoing: _Undoing,
    kinds: Mapping[int, str],
    together: Sequence[Appointment],
    *,
    not_before: datetime,
) -> None:
    """Raises what speaks against the former place by now: hours, credentials, another site."""
    visit, former = undoing.visit, undoing.starts_at
    held = {kinds[pk]: pk for pk in undoing.change.resources_before if pk in kinds}
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
        only=list(held.values()),
        without=[each.pk for each in together],
        series_id=visit.series_id,
        body=undoing.body,
        with_busy=False,
    )
    wish = VisitWish(former, held[PROVIDER], held[ROOM], held.get(DEVICE))
    checking.place_is_right(loaded, visit.series.patient, wish)


def _over_again(
    visit: Appointment,
    wanted: Sequence[Held],
    together: Sequence[Appointment],
    by: Staff | None,
    now: datetime,
) -> list[Collision]:
    """What of `wanted` lies over other visits, where it did so on purpose. Else `Lost`."""
    found = allocating.clear_the_way(wanted, now=now, without=together)
    if not found:
        return []
    was = visit.allocations.filter(active=False, is_deliberate=True)
    known = set(was.values_list("resource_id", "starts_at"))
    if by is None or not access.can(by, Capability.OVERLAP, visit.site):
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
            gettext("Session %(session)s has been booked anew. Cancel that visit first.")
            % {"session": visit.session}
        )


def _reopen(series_id: int) -> None:
    TreatmentSeries.objects.filter(pk=series_id, state=SeriesState.COMPLETED).update(
        state=SeriesState.OPEN, closed_at=None
    )


def _gone(visits: Sequence[Appointment], *, now: datetime) -> Refused:
    """Which former place is lost, asked after the rollback."""
    for visit in visits:
        change = _last_act(visit)
        kinds = dict(
            Resource.objects.filter(pk__in=change.resources_before).values_list("pk", "kind")
        )
        undoing = _Undoing(visit, history.before(visit), change)
        if allocating.collisions(_wanted(undoing, kinds), now=now, without=visits):
            at = format_when(undoing.starts_at, visit.site.zone, language())
            return SlotTaken(
                gettext(
                    "The former place at %(at)s has been taken meanwhile. Choose a new time "
                    "instead."
                )
                % {"at": at},
                resource_kind="",
                resource_name="",
                start=undoing.starts_at,
            )
    return busy()
