"""Playing one household: facts move, the plan follows, and the gate lets messages out or does not.

A provider is taken to accept at once whatever it is handed. What was due before the window is taken
to have been said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

from appointments.lifecycle import State
from reminders import gate, spreading
from reminders.caps import Had
from reminders.catalogue import Channel, Kind
from reminders.planning.facts import PatientFacts, SeriesFacts, VisitFacts
from reminders.planning.merging import Wanted
from reminders.planning.plans import plan
from reminders.simulating.imagining import Change, Household, Person

SENT, WAITED, SKIPPED = "sent", "waited", "skipped"
_STATES = {"cancel": State.CANCELLED, "done": State.DONE, "no_show": State.NO_SHOW}


@dataclass(frozen=True, slots=True)
class Happened:
    """One decision about one message: it was sent or skipped, or has to wait, at `at` (UTC)."""

    at: datetime
    decision: str
    kind: Kind
    channel: Channel
    reason: str = ""


class _Journey:
    """One person's facts, and what the plan wants of them."""

    def __init__(self, person: Person, household: Household) -> None:
        self.person, course = person, person.course
        visits = tuple(
            VisitFacts(
                id=course.number * 100 + session,
                session=session,
                site=household.site,
                state=State.BOOKED,
                starts_at=start,
                ends_at=start + timedelta(minutes=course.minutes),
                schedule_version=1,
                scheduled_at=course.booked_at,
            )
            for session, start in enumerate(course.starts, start=1)
        )
        series = SeriesFacts(
            id=course.number,
            site=household.site,
            protocol=course.protocol,
            areas=course.areas,
            sessions=len(visits),
            is_closed=False,
            visits=visits,
        )
        self.facts = PatientFacts(id=course.number, is_deceased=False, series=(series,))
        self.wanted: dict[str, Wanted] = {}
        self.lag = spreading.lag(course.number, over=household.site.spread)

    def change(self, change: Change) -> None:
        [series] = self.facts.series
        visits = tuple(
            _changed(visit, change) if visit.session == change.session else visit
            for visit in series.visits
        )
        closed = all(visit.state not in (State.BOOKED, State.CONFIRMED) for visit in visits)
        self.facts = replace(self.facts, series=(replace(series, visits=visits, is_closed=closed),))

    def plan(self) -> None:
        self.wanted = {each.key: each for each in plan(self.facts).messages}

    def says_by_email(self, message: Wanted) -> bool:
        """Whether e-mail says, or has said, all that a text says, and is agreed to."""
        if ("care", "email") not in self.person.consents:
            return False
        coming = {
            item
            for each in self.wanted.values()
            if each.channel is Channel.EMAIL and not each.skip
            for item in each.items
        }
        said = coming | self.facts.spoken
        return all(item._replace(channel=Channel.EMAIL) in said for item in message.items)

    def say(self, message: Wanted) -> None:
        """It was dealt with: its items are never said again, and its visits' starts are told."""
        self.facts = replace(self.facts, spoken=self.facts.spoken | frozenset(message.items))
        del self.wanted[message.key]


def _changed(visit: VisitFacts, change: Change) -> VisitFacts:
    if change.what == "move":
        assert change.start is not None
        return replace(
            visit,
            starts_at=change.start,
            ends_at=change.start + (visit.ends_at - visit.starts_at),
            schedule_version=visit.schedule_version + 1,
            scheduled_at=change.at,
            told_start=visit.starts_at,
        )
    done_at = change.at if change.what == "done" else None
    told = visit.starts_at if change.what == "cancel" else visit.told_start
    version = visit.schedule_version + (change.what == "cancel")
    return replace(
        visit,
        state=_STATES[change.what],
        schedule_version=version,
        told_start=told,
        done_at=done_at,
        closed_at=None if done_at else change.at,
    )


def play(household: Household, *, begins: datetime, ends: datetime) -> Iterator[Happened]:
    """What happens to the messages of a household within [begins, ends), in order of time."""
    return _Play(household, begins, ends).run()


class _Play:
    def __init__(self, household: Household, begins: datetime, ends: datetime) -> None:
        self._begins, self._ends = begins, ends
        # What each address had: the household shares its number, everybody has their own mail.
        self._had: defaultdict[tuple[Channel, int], list[Had]] = defaultdict(list)
        self._journeys = [_Journey(person, household) for person in household.people]
        # What is to come, by time; facts move before messages of the same moment are looked at.
        self._queue: list[tuple[datetime, int, int, Change | None, str]] = []
        self._number = 0
        for who, journey in enumerate(self._journeys):
            course = journey.person.course
            if course.booked_at < ends:
                self._push(course.booked_at, who)
            for change in course.changes:
                if change.at < begins:
                    journey.change(change)
                elif change.at < ends:
                    self._push(change.at, who, change)

    def run(self) -> Iterator[Happened]:
        while self._queue:
            now, _, who, change, key = heappop(self._queue)
            journey = self._journeys[who]
            if key:
                yield from self._look_at(journey, who, key, now)
                continue
            if change is not None:
                journey.change(change)
            yield from self._plan(journey, who, now)

    def _push(self, at: datetime, who: int, change: Change | None = None, key: str = "") -> None:
        self._number += 1
        heappush(self._queue, (max(at, self._begins), self._number, who, change, key))

    def _plan(self, journey: _Journey, who: int, now: datetime) -> Iterator[Happened]:
        journey.plan()
        for message in list(journey.wanted.values()):
            if message.skip:
                journey.say(message)
                yield Happened(now, SKIPPED, message.kind, message.channel, message.skip)
            elif message.waits_for:
                continue
            elif message.due_at < self._begins:
                journey.say(message)
            elif message.due_at < self._ends:
                self._push(max(message.due_at, now), who, key=message.key)

    def _look_at(self, journey: _Journey, who: int, key: str, now: datetime) -> Iterator[Happened]:
        message = journey.wanted.get(key)
        if message is None or message.due_at > now:
            return
        decision, reason = SENT, ""
        had = self._had[message.channel, who if message.channel is Channel.EMAIL else 0]
        envelope = _envelope(message, said_by_email=journey.says_by_email(message))
        match gate.decide(envelope, _recipient(journey), now=now, had=had):
            case gate.Wait(until=until, reason=reason):
                decision = WAITED
                if until < self._ends:
                    self._push(until, who, key=key)
            case gate.Skip(reason=reason):
                decision = SKIPPED
        if decision == SENT:
            had.append(Had(now, message.purpose, message.channel, message.kind))
        if decision != WAITED:
            journey.say(message)
        yield Happened(now, decision, message.kind, message.channel, reason)


def _envelope(message: Wanted, *, said_by_email: bool) -> gate.Envelope:
    return gate.Envelope(
        purpose=message.purpose,
        channel=message.channel,
        priority=message.priority,
        due_at=message.due_at,
        expires_at=message.expires_at,
        needs=message.needs,
        kind=message.kind,
        said_by_email=said_by_email,
    )


def _recipient(journey: _Journey) -> gate.Recipient:
    person = journey.person
    return gate.Recipient(
        consents=person.consents,
        address="somewhere",
        suppressed="",
        zones=(person.zone,),
        live_from=person.course.booked_at - timedelta(days=365),
        lag=journey.lag,
    )
