"""Wishes become messages: what falls due together on a channel is said together. Pure.

Notices take in what falls due at the same instant and nothing later; everything else joins
within six hours, at the moment of its most important part: a reminder keeps its hour, and a step
that names a day may come some hours earlier on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from clinic.saying import noop
from reminders.catalogue import ALONE, CATALOGUE, Channel, Kind, Purpose
from reminders.planning.facts import Item
from reminders.planning.wish import INSTANT, SKIPPED_BY_STAFF, Wish

# Catalogue: steps due within six hours form one digest.
TOGETHER = timedelta(hours=6)
_RANK = {kind: rank for rank, kind in enumerate(CATALOGUE)}


class Wanted(NamedTuple):
    """One message that the plan wants in the ledger; with `skip`, as not sent and why.

    `key` follows from what is said and nothing else. `starts` are the visits' starts by item.
    `at_any_hour`: staff let it leave outside of the hours for care.
    """

    key: str
    kind: Kind
    channel: Channel
    purpose: Purpose
    priority: int
    items: tuple[Item, ...]
    starts: tuple[datetime | None, ...]
    steps: tuple[str, ...]
    series_id: int | None
    session: int | None
    site_id: int
    due_at: datetime
    expires_at: datetime
    waits_for: str
    needs: tuple[str, ...]
    skip: str
    why: tuple[str, ...]
    at_any_hour: bool = False


def caught_up(wish: Wish, at: datetime | None) -> Wish:
    """A wish that was late and still of use at `at` falls due then, with whatever else does.

    What had run out keeps its own time and is never sent. Notices and what stands alone wait for
    no others.
    """
    stands_alone = wish.priority == 0 or wish.kind in ALONE or wish.skip or wish.waits_for
    if at is None or stands_alone or not wish.due_at < at < wish.expires_at:
        return wish
    late = noop(
        "Its moment passed while it could not be sent, so it goes out with what came after."
    )
    return wish._replace(due_at=at, why=(*wish.why, late))


def merged(wishes: Iterable[Wish]) -> list[Wanted]:
    """The messages that say all of `wishes`, each once, in order of due time and key."""
    crowds: dict[tuple[object, ...], list[Wish]] = {}
    for wish in wishes:
        crowds.setdefault(crowd(wish), []).append(wish)
    messages = [message_of(group) for each in crowds.values() for group in _groups(each)]
    return sorted(messages, key=lambda message: (message.due_at, message.key))


def crowd(wish: Wish) -> tuple[object, ...]:
    """What must be alike for wishes to share a message. A wish that waits for its visit shares
    only with those of that visit; one that the plan does not send stands alone with its reason,
    while what staff skip stays the message that they skipped. Offers, greetings and requests for a
    review stand alone."""
    is_alone = wish.skip not in ("", SKIPPED_BY_STAFF) or wish.kind in ALONE
    alone = wish.item if is_alone else None
    waits = (wish.waits_for, wish.item.anchor) if wish.waits_for else None
    return (wish.channel, wish.purpose, wish.site_id, wish.needs, waits, wish.skip, alone)


def _groups(wishes: list[Wish]) -> Iterator[list[Wish]]:
    urgent = {wish.due_at for wish in wishes if wish.priority == 0}
    for moment in sorted(urgent):
        yield [wish for wish in wishes if wish.due_at == moment]
    group: list[Wish] = []
    for wish in sorted(wishes, key=lambda wish: wish.due_at):
        if wish.due_at in urgent:
            continue
        if group and wish.due_at - group[0].due_at > TOGETHER:
            yield group
            group = []
        group.append(wish)
    if group:
        yield group


def message_of(group: list[Wish]) -> Wanted:
    """The message that says all of a group, at the moment of its most important part."""
    ordered = sorted(group, key=lambda wish: (wish.priority, _RANK[wish.kind]))
    head = ordered[0]
    items = tuple([wish.item for wish in ordered])
    alike = [wish for wish in ordered if wish.kind is head.kind]
    due_at = max([wish.due_at for wish in alike])
    expires_at = min([wish.expires_at for wish in alike])
    series = {wish.series_id for wish in ordered}
    sessions = {wish.session for wish in ordered}
    steps = dict.fromkeys([wish.step for wish in ordered])
    why = list(dict.fromkeys([sentence for wish in ordered for sentence in wish.why]))
    if len(alike) < len(ordered) or len(steps) > 1:
        why.append(noop("All of this falls due together, so it is one message."))
    return Wanted(
        key=f"{head.channel}.{head.kind}.{_digest(items)}",
        kind=head.kind,
        channel=head.channel,
        purpose=head.purpose,
        priority=head.priority,
        items=items,
        starts=tuple([wish.starts_at for wish in ordered]),
        steps=tuple(filter(None, steps)),
        series_id=series.pop() if len(series) == 1 else None,
        session=(sessions.pop() or None) if len(sessions) == 1 else None,
        site_id=head.site_id,
        due_at=due_at,
        expires_at=max(expires_at, due_at + INSTANT),
        waits_for=head.waits_for,
        needs=head.needs,
        skip=head.skip,
        why=tuple(why),
    )


def _digest(items: tuple[Item, ...]) -> str:
    said = "\n".join(
        [f"{item.anchor} {item.version} {item.step} {item.channel}" for item in sorted(items)]
    )
    return sha256(said.encode()).hexdigest()[:20]
