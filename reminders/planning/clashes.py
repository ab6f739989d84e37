"""Opposite advice of two treatments at the same time: neither is sent, staff decide. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations

from clinic.protocols.areas import overlap
from reminders.planning.facts import Item, PatientFacts
from reminders.planning.wish import TaskWish, Wish

OPPOSITES = frozenset({"avoid", "do"})
# Advice that names no end is taken to hold for a day.
DEFAULT_HOLD = timedelta(days=1)


def held_back(patient: PatientFacts, wishes: list[Wish]) -> tuple[list[Wish], list[TaskWish]]:
    """The wishes with those that contradict each other marked as skipped, and a task for each.

    Two steps of different series contradict when they name one topic, one says avoid and the
    other do, their areas overlap and the times they speak about overlap.
    """
    areas = {
        visit.anchor: series.areas_of(visit) for series in patient.series for visit in series.visits
    } | {series.anchor: series.areas for series in patient.series}
    names: dict[int | None, str] = {series.id: series.protocol.name.en for series in patient.series}
    visits = {visit.anchor: visit.id for series in patient.series for visit in series.visits}
    clashing: set[Item] = set()
    tasks: dict[str, TaskWish] = {}
    for one, other in _pairs(wishes):
        if not _contradict(one, other) or not overlap(
            areas[one.item.anchor], areas[other.item.anchor]
        ):
            continue
        clashing |= {one.item, other.item}
        first, second = sorted((one, other), key=lambda wish: wish.item)
        key = f"{first.item.anchor}.clash.{first.step}.{second.item.anchor}.{second.step}"
        tasks[key] = TaskWish(
            key=key,
            kind=first.kind,
            step=first.step,
            series_id=first.series_id or 0,
            visit_id=visits.get(first.item.anchor, 0),
            session=first.session,
            site_id=first.site_id,
            due_at=min(one.due_at, other.due_at),
            title="Decide between opposite advice",
            detail=f"{names[first.series_id]} ({first.directive}) and {names[second.series_id]}"
            f" ({second.directive}) disagree on {first.topic}. Tell the patient which applies.",
            why=(*first.why[:1], *second.why[:1]),
        )
    marked = [
        replace(wish, skip="clashing_advice") if wish.item in clashing else wish for wish in wishes
    ]
    return marked, list(tasks.values())


def _pairs(wishes: Iterable[Wish]) -> Iterator[tuple[Wish, Wish]]:
    """Every two wishes on one topic, in their order; each topic by itself, for there are many."""
    by_topic: dict[str, list[Wish]] = {}
    for wish in wishes:
        if wish.topic:
            by_topic.setdefault(wish.topic, []).append(wish)
    for alike in by_topic.values():
        if {wish.directive for wish in alike} >= OPPOSITES:
            yield from combinations(alike, 2)


def _contradict(one: Wish, other: Wish) -> bool:
    return (
        one.series_id != other.series_id
        and one.topic == other.topic
        and {one.directive, other.directive} == OPPOSITES
        and not (one.skip or other.skip)
        and one.due_at < _until(other)
        and other.due_at < _until(one)
    )


def _until(wish: Wish) -> datetime:
    return max(wish.until or wish.due_at, wish.due_at + DEFAULT_HOLD)
