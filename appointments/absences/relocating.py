"""New places for visits that cannot stay, all in one go, and the moves patient by patient.

Proposes the nearest visit first, each proposal aware of those before it. Commits one patient at
a time, whole or not at all, so whatever interrupts it leaves nobody half moved; who finds no
place stays work. Refuses to know why the visits cannot stay (`affected`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments.absences import places_so_far, replacing
from appointments.absences.places_so_far import Known, Placed
from appointments.models import Appointment
from appointments.proposing.places import Place, Problem
from appointments.refusals import Refused, SlotTaken
from appointments.visits import moving
from appointments.visits.moving import VisitMove
from clinic import access
from clinic.access import Capability
from clinic.models import Resource, Staff


@dataclass(frozen=True, slots=True)
class Line:
    """One visit with the place it has and the one it would have; `ripples` says that it moves
    only because another one of its series does."""

    visit: Appointment
    before: Place
    after: Place
    reasons: tuple[str, ...] = ()
    ripples: bool = False

    @property
    def starts_elsewhere(self) -> bool:
        """Whether the patient must be told of another time."""
        return self.before.starts_at != self.after.starts_at

    @property
    def move(self) -> VisitMove:
        return VisitMove(self.visit, self.after.wish, self.visit.version)


@dataclass(frozen=True, slots=True)
class Relocation:
    """One affected visit: the `lines` to be moved, its own first, or the `problem` that leaves it
    where it is."""

    visit: Appointment
    before: Place
    lines: tuple[Line, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Relocated:
    """What came of it: the visits `moved`, the `refused` ones with the sentence why, and how many
    patients were left for the next time."""

    moved: tuple[Appointment, ...] = ()
    refused: tuple[tuple[Appointment, str], ...] = ()
    left: int = 0


def propose(*, visits: Iterable[Appointment], now: datetime) -> list[Relocation]:
    """A new place for each of the visits, the nearest visit first.

    The same start with another provider, room or device where that is possible; else the nearest
    start within the intervals of the series; else one for which later visits move along. No two
    proposals share anything. Visits that never move by themselves come with their problem.
    """
    ordered = sorted(visits, key=lambda visit: (visit.starts_at, visit.pk))
    known = Known.of(ordered)
    found: dict[int, tuple[Placed, ...] | Problem] = {}
    along: set[int] = set()
    for visit in ordered:
        # It may have been given its place along with an earlier visit of its series.
        if visit.pk not in along:
            found[visit.pk] = replacing.placed(visit, known, now=now)
            placed = found[visit.pk]
            if not isinstance(placed, Problem):
                known.keep(placed)
                along |= {each.visit.pk for each in placed}
    return _rows(ordered, known, found)


def relocate(
    *,
    visits: Iterable[Appointment],
    by: Staff,
    now: datetime,
    moves: Sequence[VisitMove] | None = None,
    reason: str = "",
    proceed: Callable[[], bool] = lambda: True,
) -> Relocated:
    """Give the visits their new places, each patient's together or not at all.

    `visits` are those that cannot stay: only they and others of their series are moved, so doing
    it twice is doing it once. Without `moves` they go where `propose` would put them; a place that
    was lost meanwhile is proposed anew. `proceed` is
    asked before every patient but the first: when it says no, the rest is left.

    Raises Forbidden when `by` may book nowhere.
    """
    access.require(by, Capability.BOOK)
    work = defaultdict(list)
    for visit in visits:
        work[visit.series.patient_id].append(visit)
    every = [visit for group in work.values() for visit in group]
    if moves is None:
        moves = [line.move for each in propose(visits=every, now=now) for line in each.lines]
    series = {visit.series_id for visit in every}
    groups: dict[int, list[VisitMove]] = {}
    for move in moves:
        if move.appointment.series_id in series:
            groups.setdefault(move.appointment.series.patient_id, []).append(move)
    moved: list[Appointment] = []
    refused: list[tuple[Appointment, str]] = []
    for number, (patient, group) in enumerate(groups.items()):
        if number and not proceed():
            return Relocated(tuple(moved), tuple(refused), len(groups) - number)
        try:
            moved += _moved(group, work[patient], by=by, now=now, reason=reason)
        except (Refused, access.Forbidden) as refusal:
            refused += [(visit, refusal.sentence) for visit in work[patient]]
    return Relocated(tuple(moved), tuple(refused))


def _moved(
    moves: Sequence[VisitMove],
    affected: Sequence[Appointment],
    *,
    by: Staff,
    now: datetime,
    reason: str,
) -> list[Appointment]:
    """One patient's visits, at the given places or, when one is lost, at new ones."""
    try:
        return moving.move_together(moves=moves, by=by, now=now, reason=reason)
    except SlotTaken:
        anew = [line.move for each in propose(visits=affected, now=now) for line in each.lines]
        if not anew:
            raise
        return moving.move_together(moves=anew, by=by, now=now, reason=reason)


def laid_out(*, visits: Iterable[Appointment], moves: Sequence[VisitMove]) -> list[Relocation]:
    """The given moves as they would be shown: by affected visit, with the rows behind the ids."""
    ordered = sorted(visits, key=lambda visit: (visit.starts_at, visit.pk))
    known = Known.of(ordered)
    own = {visit.pk for visit in ordered}
    left = list(moves)
    found: dict[int, tuple[Placed, ...] | Problem] = {}
    for visit in ordered:
        # A visit that moves along is shown with the first one of its series.
        group = [
            move
            for move in left
            if move.appointment == visit
            or (move.appointment.series_id == visit.series_id and move.appointment.pk not in own)
        ]
        left = [move for move in left if move not in group]
        group.sort(key=lambda move: move.appointment != visit)
        found[visit.pk] = tuple(
            Placed(move.appointment, places_so_far.stay_at(move.appointment, move.wish))
            for move in group
        )
    return _rows(ordered, known, found)


def _rows(
    ordered: Sequence[Appointment],
    known: Known,
    found: dict[int, tuple[Placed, ...] | Problem],
) -> list[Relocation]:
    """With the rows of all resources, in one query."""
    stays = [known.stay(visit) for visit in ordered]
    for placed in found.values():
        if not isinstance(placed, Problem):
            stays += [stay for each in placed for stay in (known.former(each.visit), each.stay)]
    rows = Resource.objects.in_bulk({pk for stay in stays for pk in stay.resources.values()})
    lead = {visit.pk for visit in ordered}

    def line(placed: Placed) -> Line:
        visit, was = placed.visit, known.former(placed.visit)
        return Line(
            visit,
            Place.of(was.starts_at, visit.ends_at, was.resources, rows),
            Place.of(
                placed.stay.starts_at,
                places_so_far.ends_at(visit, placed.stay),
                placed.stay.resources,
                rows,
            ),
            placed.reasons,
            visit.pk not in lead,
        )

    made = []
    for visit in ordered:
        was = known.former(visit)
        before = Place.of(was.starts_at, visit.ends_at, was.resources, rows)
        answer = found.get(visit.pk, ())
        if isinstance(answer, Problem):
            made.append(Relocation(visit, before, problem=answer))
        elif answer:
            made.append(Relocation(visit, before, tuple(line(each) for each in answer)))
    return made
