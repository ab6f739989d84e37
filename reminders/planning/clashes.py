"""Advice of two treatments at the same time: what contradicts is held for staff, what says the same
is said once. Pure.

Several "avoid" of one matter add up, and the longest that holds the others is said alone. Of
several "do" the latest start wins. "Avoid" beside "do", or beside a medicine that a prescriber is
asked for, is neither: staff decide, and nobody hears either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations, permutations

from clinic.protocols.areas import parts_of
from clinic.retelling import Fact, either, kept, text
from clinic.saying import noop
from reminders.planning.facts import Item, PatientFacts
from reminders.planning.wish import TaskWish, Wish

AVOID, DO = "avoid", "do"
OPPOSITES = frozenset({AVOID, DO})
# Advice that names no end is taken to hold for a day.
DEFAULT_HOLD = timedelta(days=1)
# Topics by which protocols speak of one matter: pain killers before one treatment are what another
# asks to leave out.
_MATTERS = {"med.analgesia": "med.otc_nsaid"}
CLASHING, COVERED, TOO_EARLY = "clashing_advice", "said_for_longer", "later_start_wins"


def held_back(
    patient: PatientFacts, wishes: list[Wish], asked: Iterable[TaskWish] = ()
) -> tuple[list[Wish], list[TaskWish]]:
    """The wishes with those that contradict each other, or that another one says, marked as
    skipped; and a task for each contradiction.

    Two steps of different series are of one matter when their topics are, their areas overlap and
    the times they speak about overlap. What was said before counts as well. `asked` is what the
    protocols ask of staff.
    """
    if len(patient.series) < 2:
        return wishes, []
    areas = {series.anchor: parts_of(*series.areas) for series in patient.series} | {
        visit.anchor: parts_of(*series.areas_of(visit))
        for series in patient.series
        for visit in series.visits
    }
    clashing: set[Item] = set()
    tasks: dict[str, TaskWish] = {}
    of_matter = _by_matter(wishes)
    for several in of_matter.values():
        for one, other in _pairs(combinations(several, 2), areas, _contradict):
            clashing |= {one.item, other.item}
            task = _task(patient, one, other)
            tasks[task.key] = task
    found = list(_against_prescribers(of_matter, asked, areas))
    for task, wish in [pair for pair in found if pair[1].item not in clashing]:
        clashing.add(wish.item)
        opened = _beside_task(patient, task, wish)
        tasks[opened.key] = opened
    said_by = {CLASHING: clashing, COVERED: set[Item](), TOO_EARLY: set[Item]()}
    for several in of_matter.values():
        rest = [wish for wish in several if wish.item not in clashing]
        for one, _ in _pairs(permutations(rest, 2), areas, _is_covered):
            said_by[COVERED].add(one.item)
        for one, _ in _pairs(permutations(rest, 2), areas, _is_too_early):
            said_by[TOO_EARLY].add(one.item)
    reasons = {item: reason for reason, items in reversed(said_by.items()) for item in items}
    marked = [
        wish._replace(skip=reasons[wish.item]) if wish.item in reasons and not wish.skip else wish
        for wish in wishes
    ]
    return marked, list(tasks.values())


def _by_matter(wishes: Iterable[Wish]) -> dict[str, list[Wish]]:
    """What a protocol advises and nothing else keeps from being said, by what it is about."""
    found: dict[str, list[Wish]] = defaultdict(list)
    for wish in wishes:
        if wish.topic and wish.directive in OPPOSITES and not wish.skip:
            found[_MATTERS.get(wish.topic, wish.topic)].append(wish)
    return found


def _pairs(
    pairs: Iterable[tuple[Wish, Wish]],
    areas: dict[str, frozenset[str]],
    related: Callable[[Wish, Wish], bool],
) -> Iterator[tuple[Wish, Wish]]:
    """The pairs of different series on touching areas that are `related`."""
    for one, other in pairs:
        if one.series_id == other.series_id or not related(one, other):
            continue
        if not areas[one.item.anchor].isdisjoint(areas[other.item.anchor]):
            yield one, other


def _against_prescribers(
    of_matter: dict[str, list[Wish]], asked: Iterable[TaskWish], areas: dict[str, frozenset[str]]
) -> Iterator[tuple[TaskWish, Wish]]:
    """What a prescriber is asked for before one treatment and another asks to leave out."""
    for task in asked:
        if not task.topic.startswith("med."):
            continue
        for wish in of_matter.get(_MATTERS.get(task.topic, task.topic), ()):
            apart = wish.series_id == task.series_id or wish.directive != AVOID
            meets = wish.due_at < (task.until or task.due_at + DEFAULT_HOLD)
            if apart or not meets or task.due_at >= _until(wish):
                continue
            if not areas[wish.item.anchor].isdisjoint(areas[task.anchor]):
                yield task, wish


def _contradict(one: Wish, other: Wish) -> bool:
    return {one.directive, other.directive} == OPPOSITES and _meet(one, other)


def _meet(one: Wish, other: Wish) -> bool:
    return one.due_at < _until(other) and other.due_at < _until(one)


def _is_covered(one: Wish, other: Wish) -> bool:
    """Whether the other forbids the same on the same channel, from no later until no earlier; of
    two that are alike the first stays."""
    if {one.directive, other.directive} != {AVOID} or one.channel is not other.channel:
        return False
    # Days off before a visit end with it: another treatment that goes on holds nothing of theirs.
    if one.until is None or other.until is None or one.topic != other.topic:
        return False
    mine, theirs = (one.due_at, one.until), (other.due_at, other.until)
    if theirs[0] > mine[0] or theirs[1] < mine[1]:
        return False
    return mine != theirs or other.item < one.item


def _is_too_early(one: Wish, other: Wish) -> bool:
    """Whether the other asks for the same from a later moment on, and its wait has begun: what may
    start at once after one treatment may not yet after the other."""
    if {one.directive, other.directive} != {DO} or one.topic != other.topic:
        return False
    return other.waits_since is not None and other.waits_since <= one.due_at < other.due_at


def _until(wish: Wish) -> datetime:
    return max(wish.until or wish.due_at, wish.due_at + DEFAULT_HOLD)


def _task(patient: PatientFacts, one: Wish, other: Wish) -> TaskWish:
    names = _names(patient)
    visits = {visit.anchor: visit.id for series in patient.series for visit in series.visits}
    first, second = sorted((one, other), key=lambda wish: wish.item)
    return TaskWish(
        key=f"{first.item.anchor}.clash.{first.step}.{second.item.anchor}.{second.step}",
        kind=first.kind,
        step=first.step,
        series_id=first.series_id or 0,
        visit_id=visits.get(first.item.anchor, 0),
        session=first.session,
        site_id=first.site_id,
        due_at=min(one.due_at, other.due_at),
        title=noop("Decide between opposite advice"),
        detail=kept(
            "%(one)s (%(this)s) and %(other)s (%(that)s) disagree on %(topic)s. Tell the patient"
            " which applies.",
            one=names[first.series_id or 0],
            this=text(first.directive),
            other=names[second.series_id or 0],
            that=text(second.directive),
            topic=text(first.topic),
        ),
        why=(*first.why[:1], *second.why[:1]),
    )


def _beside_task(patient: PatientFacts, task: TaskWish, wish: Wish) -> TaskWish:
    names = _names(patient)
    return replace(
        task,
        key=f"{task.key}.clash.{wish.item.anchor}.{wish.step}",
        due_at=min(task.due_at, wish.due_at),
        title=noop("Decide between opposite advice"),
        detail=kept(
            "%(one)s asks a prescriber about %(topic)s, and %(other)s asks to leave it out. Tell"
            " the patient which applies.",
            one=names[task.series_id],
            topic=text(task.topic),
            other=names[wish.series_id or 0],
        ),
        why=(*task.why[:1], *wish.why[:1]),
        topic="",
    )


def _names(patient: PatientFacts) -> dict[int, Fact]:
    names = ((series.id, series.protocol.name) for series in patient.series)
    return {series: either(name.en, name.es) for series, name in names}
