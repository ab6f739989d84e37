"""What planning knows of a patient: frozen values, loaded by `journeys` or imagined by `preview`.

Pure. All instants are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from appointments.lifecycle import State
from clinic.protocols.schema import Protocol, Text
from reminders.catalogue import Channel, Kind

_KINDS = frozenset(Kind)


class Item(NamedTuple):
    """One thing that is said at most once: a step about one version of an anchor, on a channel.

    `anchor` is "visit:ID", "series:ID", "invitation:ID" or "patient:ID"; `step` a protocol step id
    or a message kind.
    """

    anchor: str
    version: int
    step: str
    channel: Channel

    @property
    def chosen_step(self) -> str:
        """Its step as staff's choices name it: one about a series that is no step of a protocol is
        said again under other versions, and each time is chosen about anew."""
        is_repeated = self.anchor.startswith("series:") and self.step in _KINDS
        return f"{self.step}:{self.version}" if is_repeated else self.step


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """`hold` is how long a notice waits after a change, so that an undo sends nothing. What was
    due before `live_from` (UTC) is never sent. What falls due for many at once is spread over
    `spread`. From `reviews_from` and `birthdays_from` (local days) on patients are asked for a
    review and greeted; from `week_reminders_from` and `nudges_from` on visits have a reminder a
    week and three hours before. None is never."""

    id: int
    name: str
    zone: str
    hold: timedelta
    live_from: datetime | None = None
    spread: timedelta = timedelta()
    reviews_from: date | None = None
    birthdays_from: date | None = None
    week_reminders_from: date | None = None
    nudges_from: date | None = None


@dataclass(frozen=True, slots=True)
class ToFillIn:
    """What a visit still lacks of its patient: how many screening questions, and the title of the
    form to sign. False when nothing is."""

    questions: int = 0
    form: Text | None = None

    def __bool__(self) -> bool:
        return bool(self.questions or self.form)


@dataclass(frozen=True, slots=True)
class Untold:
    """That staff (`by`) chose at `at` (UTC) not to tell the patient of a cancellation."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """One visit. `scheduled_at` is when it was given its present time; `told_start` the start
    that the patient was last told under an earlier `schedule_version`, None when they were told
    of no visit. `protocol` is the version that it goes by, None for that of its series. `treated`
    are the areas of a session that was cut short, None for one that was not. `held_by` are
    the digests of what bars treatment on that day, by the patient's answers; `is_called_about` when
    staff have a task of it. `to_fill_in` is what they are asked for before
    it, None when the site does not ask yet or has nothing to ask. `imported_at` is when it was
    brought over from a former system (UTC); `is_history` when it was over by then. `untold` is of
    a cancelled one of which the patient is not to be told. `version` rises with every change, also
    with those of which nothing is said."""

    id: int
    session: int
    site: SiteFacts
    state: State
    starts_at: datetime
    ends_at: datetime
    schedule_version: int
    scheduled_at: datetime
    done_at: datetime | None = None
    closed_at: datetime | None = None
    told_start: datetime | None = None
    protocol: Protocol | None = None
    treated: tuple[str, ...] | None = None
    imported_at: datetime | None = None
    is_history: bool = False
    held_by: tuple[str, ...] = ()
    is_called_about: bool = False
    to_fill_in: ToFillIn | None = None
    untold: Untold | None = None
    version: int = 1

    @property
    def anchor(self) -> str:
        return f"visit:{self.id}"

    @property
    def is_held(self) -> bool:
        return bool(self.held_by)

    @property
    def is_untreated(self) -> bool:
        """Whether the session was aborted before anything was treated: nothing comes after it."""
        return self.treated == ()

    @property
    def told_elsewhere_until(self) -> datetime | None:
        """Until when the former system was to say what this visit asks for; None when it has
        been given its time here."""
        return self.imported_at if self.schedule_version == 1 else None


@dataclass(frozen=True, slots=True)
class RecallFacts:
    """That staff (`by`) asked the patient back in writing at `at` (UTC), on one channel: for a
    `session` that is due, or for a touch-up."""

    id: int
    at: datetime
    by: str
    session: int
    is_touch_up: bool
    channel: Channel


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """One series. `skips` are (session, step, channel) that staff chose not to send, `switched`
    those that they chose to say by the other channel; session 0 stands for the series as a whole.
    `conditions` are those of steps (`applies_if`) about which the patient was asked, and whether
    they hold. `is_closed` when no session is still to come. `protocol` is the version of what is
    still to be booked. `recalls` is where staff asked the patient back for it in writing."""

    id: int
    site: SiteFacts
    protocol: Protocol
    areas: tuple[str, ...]
    sessions: int
    is_closed: bool
    visits: tuple[VisitFacts, ...]
    skips: frozenset[tuple[int, str, str]] = frozenset()
    switched: frozenset[tuple[int, str, str]] = frozenset()
    conditions: Mapping[str, bool] = field(default_factory=dict)
    recalls: tuple[RecallFacts, ...] = ()

    @property
    def anchor(self) -> str:
        return f"series:{self.id}"

    def protocol_of(self, visit: VisitFacts) -> Protocol:
        """The version that a visit goes by; a series may have changed its own since."""
        return visit.protocol or self.protocol

    def areas_of(self, visit: VisitFacts) -> tuple[str, ...]:
        """The areas that a visit is about."""
        return self.areas if visit.treated is None else visit.treated

    def treatment_of(self, visit: VisitFacts, language: str) -> str:
        """The treatment as patients know it; of a session cut short with what was treated."""
        protocol = self.protocol_of(visit)
        name = protocol.name.get(language)
        if not visit.treated:
            return name
        known = protocol.applicability.areas
        areas = (known[area].name.get(language) for area in visit.treated if area in known)
        return f"{name} ({', '.join(areas)})"

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """Every version that a visit goes by, each once."""
        every = [self.protocol, *(self.protocol_of(visit) for visit in self.visits)]
        return tuple({f"{each.id} {each.version}": each for each in every}.values())


@dataclass(frozen=True, slots=True)
class InvitationFacts:
    """A place that was offered to the patient from the wait-list.

    `comes_at` is the start of the visit that would come earlier, None when one would be booked.
    `answer` is empty while it is open (models.Answer), `reasons` say why it was offered, and
    `told` are the channels on which the patient heard of it, or may have.
    """

    id: int
    site: SiteFacts
    session: int
    sessions: int
    starts_at: datetime
    made_at: datetime
    expires_at: datetime
    offered_by: str
    answer: str = ""
    answered_at: datetime | None = None
    comes_at: datetime | None = None
    reasons: tuple[str, ...] = ()
    told: frozenset[Channel] = frozenset()

    @property
    def anchor(self) -> str:
        return f"invitation:{self.id}"


@dataclass(frozen=True, slots=True)
class EventFacts:
    """An adverse event that is open; no `areas` when it is not known where."""

    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChosenTime:
    """That staff (`by`) gave a message another time to leave at, `at` (UTC); `items` are what it
    said then. With `at_any_hour` the hours for care do not bind it."""

    items: frozenset[Item]
    at: datetime
    by: str
    at_any_hour: bool = False


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """One patient with every series. `spoken` are the items of messages that were taken up for
    sending: they are never said again and never changed. `unheard` are those of urgent texts that
    did not arrive, with the time that staff gave the text if they gave it one. `catch_up_at` is
    when several late messages were found waiting (UTC), so that what was late then is said
    together. `zones` are those in which the patient may be besides the site's, or instead of it.
    `events` are the adverse events that are open. `chosen` are the times that staff gave to
    messages that no dispatcher has taken up."""

    id: int
    is_deceased: bool  # or must not be contacted
    series: tuple[SeriesFacts, ...]
    invitations: tuple[InvitationFacts, ...] = ()
    spoken: frozenset[Item] = frozenset()
    unheard: Mapping[Item, datetime | None] = field(default_factory=dict)
    catch_up_at: datetime | None = None
    zones: tuple[str, ...] = ()
    events: tuple[EventFacts, ...] = ()
    birth_date: date | None = None
    chosen: tuple[ChosenTime, ...] = ()
