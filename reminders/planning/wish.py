"""A wish: one thing to be said to the patient, or asked of staff, with the reason for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from appointments.lifecycle import TO_COME, State
from clinic.protocols.schema import Protocol
from clinic.retelling import Fact, either
from reminders.catalogue import CATALOGUE, Channel, Kind, Purpose
from reminders.planning.facts import Item, PatientFacts, SeriesFacts, VisitFacts

# A visit in one of these is still expected; in one of those it was or can still be treated.
TREATABLE = (*TO_COME, State.ARRIVED, State.IN_TREATMENT, State.DONE)
# The after-care of the day goes out this long after the treatment (catalogue: postcare_0).
POSTCARE_DELAY = timedelta(minutes=15)
# A reason of the plan that a person gave.
SKIPPED_BY_STAFF = "skipped_by_staff"
# So is this one, given as a visit was cancelled.
UNTOLD = "untold"
# What fell due before its visit was brought over was for the former system to say.
SAID_ELSEWHERE = "before_import"
# Prompts are due at 10:00, when marketing may begin.
PROMPT_MINUTE = 10 * 60
OF_AGE = 18
# A wish that could never be sent still has a life, so that it can be shown with its reason.
INSTANT = timedelta(minutes=1)
CRITICAL_PRIORITY = 1


class Wish(NamedTuple):
    """One thing to be said, or (`skip`) not to be said and why.

    `expires_at` is always after `due_at`. `waits_for` names the event without which it is not
    sent: "visit_done" or "series_done". `needs` are consents beyond its purpose. `starts_at` is
    the start of the visit or place it is about; a place on offer is of no series. `topic`,
    `directive` and `until` tell what a protocol step asks, and for how long, so that opposite
    advice is found; `waits_since` the end of the treatment after which it asks for it.
    """

    item: Item
    kind: Kind
    series_id: int | None
    session: int
    site_id: int
    due_at: datetime
    expires_at: datetime
    why: tuple[str, ...]
    starts_at: datetime | None = None
    waits_for: str = ""
    needs: tuple[str, ...] = ()
    skip: str = ""
    topic: str = ""
    directive: str = ""
    until: datetime | None = None
    critical: bool = False
    waits_since: datetime | None = None

    @property
    def channel(self) -> Channel:
        return self.item.channel

    @property
    def purpose(self) -> Purpose:
        return CATALOGUE[self.kind].purpose

    @property
    def priority(self) -> int:
        """Of its kind; a step without which the visit cannot be goes as urgent as a reminder."""
        usual = CATALOGUE[self.kind].priority
        return min(usual, CRITICAL_PRIORITY) if self.critical else usual

    @property
    def step(self) -> str:
        """The protocol step it carries; empty for what every visit has."""
        return "" if self.item.step == self.kind else self.item.step


@dataclass(frozen=True, slots=True)
class TaskWish:
    """Work for staff that the protocol asks for; `key` is stable while the visit stands. `topic`,
    `anchor` and `until` tell what a step of the protocol is about, and until when."""

    key: str
    kind: Kind
    step: str
    series_id: int
    visit_id: int
    session: int
    site_id: int
    due_at: datetime
    title: str
    detail: str
    why: tuple[str, ...]
    topic: str = ""
    anchor: str = ""
    until: datetime | None = None


def about_visit(
    series: SeriesFacts,
    visit: VisitFacts,
    kind: Kind,
    channel: Channel,
    due_at: datetime,
    why: tuple[str, ...],
    *,
    expires_at: datetime | None = None,
    skip: str = "",
    waits_for: str = "",
) -> Wish:
    """A wish that every visit has, whatever its protocol."""
    life = CATALOGUE[kind].life
    ends = expires_at or (visit.starts_at if life is None else due_at + life)
    return Wish(
        item=Item(visit.anchor, visit.schedule_version, kind, channel),
        kind=kind,
        series_id=series.id,
        session=visit.session,
        site_id=visit.site.id,
        due_at=due_at,
        expires_at=max(ends, due_at + INSTANT),
        why=why,
        starts_at=visit.starts_at,
        waits_for=waits_for,
        skip=said_elsewhere(visit, due_at) or skip or ("booked_too_late" if ends <= due_at else ""),
    )


def said_elsewhere(visit: VisitFacts, due_at: datetime) -> str:
    """The reason not to say what was due while a visit was still in a former system."""
    until = visit.told_elsewhere_until
    return SAID_ELSEWHERE if until is not None and due_at <= until else ""


def ended_at(visit: VisitFacts) -> datetime:
    """The end of treatment: as recorded, else as booked."""
    return visit.done_at or visit.ends_at


def is_of_age(patient: PatientFacts, day: date) -> bool:
    """Whether a patient is an adult on a day, as far as is known; others get no prompts."""
    born = patient.birth_date
    if born is None:
        return False
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day)) >= OF_AGE


def title_of(protocol: Protocol) -> Fact:
    """The protocol and its version, for sentences that staff read."""
    name, version = protocol.name, protocol.version
    return either(f"{name.en} {version}", f"{name.es} {version}")
