"""Why a visit cannot be booked, moved or changed: one exception per cause.

Each carries `code` for programs, `sentence` for people (it says what to do), and `field`, the
input to mend. Refuses to know how a cause was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from clinic.saying import gettext, noop

KINDS = {
    "provider": noop("provider"),
    "room": noop("room"),
    "device": noop("device"),
    "patient": noop("patient"),
}


def kind_in_words(kind: str) -> str:
    """A kind of resource within a sentence."""
    return gettext(KINDS.get(kind, kind))


class Refused(Exception):
    """Nothing was changed. `overridable` causes yield to a reason and the capability for it.

    `visit` is the number, from 0, of the visit that it is about among several booked together.
    """

    code = "refused"
    field = ""
    overridable = False
    visit: int | None = None

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class InputRefused(Refused):
    """About one of several inputs: `field` is the one to mend."""

    def __init__(self, sentence: str, *, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class ProtocolNotApproved(Refused):
    code = "protocol_not_approved"
    field = "protocol"


class OtherProtocol(Refused):
    """A series stays with its protocol: only the version may change."""

    code = "other_protocol"
    field = "protocol"


class AreaNotTreated(Refused):
    code = "area_not_treated"
    field = "areas"


class TooYoung(Refused):
    code = "too_young"
    field = "patient"


class PatientDeceased(Refused):
    code = "patient_deceased"
    field = "patient"


class RecordClosed(Refused):
    """The record was merged into another one, or erased."""

    code = "record_closed"
    field = "patient"


class TooManySessions(Refused):
    code = "too_many_sessions"
    field = "sessions"
    overridable = True


class SeriesClosed(Refused):
    code = "series_closed"
    field = "series"


class SeriesNotEnded(Refused):
    code = "series_not_ended"
    field = "series"


class VisitUnderWay(Refused):
    """The patient is here: a visit of the series has begun and is not over."""

    code = "visit_under_way"
    field = "series"


class ReasonMissing(Refused):
    code = "reason_missing"
    field = "reason"


class InThePast(Refused):
    code = "in_the_past"
    field = "starts_at"


class NotYet(Refused):
    """The act belongs to a later moment than now."""

    code = "not_yet"
    field = "state"


class WrongStart(Refused):
    """A start that cannot be; `instead` are starts (UTC) near it that are right in this respect."""

    code = "wrong_start"
    field = "starts_at"

    def __init__(self, sentence: str, *, instead: Iterable[datetime] = ()) -> None:
        super().__init__(sentence)
        self.instead = tuple(instead)


class WrongLength(Refused):
    """A length that no visit may have, or the one that it has."""

    code = "wrong_length"
    field = "minutes"


class NotAligned(WrongStart):
    code = "not_aligned"


class OutsideHours(WrongStart):
    code = "outside_hours"


class CredentialExpired(Refused):
    """`latest` is the last local date before with a credential, `earliest` the first one after;
    either may be missing."""

    code = "credential_expired"
    field = "provider"

    def __init__(self, sentence: str, *, earliest: date | None, latest: date | None) -> None:
        super().__init__(sentence)
        self.earliest, self.latest = earliest, latest


class WrongResource(InputRefused):
    """A resource of the wrong kind, site or modality, or one that is out of use."""

    code = "wrong_resource"


class OutOfOrder(Refused):
    """Sessions of a series follow each other on different days, in order."""

    code = "out_of_order"
    field = "starts_at"


class IntervalTooShort(Refused):
    """`earliest` is the first local date on which the interval is kept."""

    code = "interval_too_short"
    field = "starts_at"
    overridable = True

    def __init__(self, sentence: str, *, earliest: date) -> None:
        super().__init__(sentence)
        self.earliest = earliest


class IntervalTooLong(Refused):
    """`latest` is the last local date on which the interval is kept."""

    code = "interval_too_long"
    field = "starts_at"
    overridable = True

    def __init__(self, sentence: str, *, latest: date) -> None:
        super().__init__(sentence)
        self.latest = latest


class SpacingTooShort(Refused):
    """Too near to another treatment; `earliest` is the first local date after it that is not."""

    code = "spacing_too_short"
    field = "starts_at"

    def __init__(self, sentence: str, *, earliest: date, overridable: bool) -> None:
        super().__init__(sentence)
        self.earliest = earliest
        self.overridable = overridable


class PatientElsewhere(WrongStart):
    """The patient has another visit at the wished `start`, or is on the way from or to one."""

    code = "patient_elsewhere"

    def __init__(self, sentence: str, *, start: datetime, instead: Iterable[datetime] = ()) -> None:
        super().__init__(sentence, instead=instead)
        self.start = start


class SlotTaken(Refused):
    """Somebody else holds a resource in that time.

    `start` (UTC) is the start that was wished for; `nearest` are up to three free places
    (`proposing.Place`) near it. `overlappable` when nothing but visits of others is in the way,
    which who may can book over.
    """

    code = "slot_taken"
    field = "starts_at"

    def __init__(
        self,
        sentence: str,
        *,
        resource_kind: str,
        resource_name: str,
        start: datetime,
        nearest: Sequence[Any] = (),
        overlappable: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.resource_kind = resource_kind
        self.resource_name = resource_name
        self.start = start
        self.nearest = tuple(nearest)
        self.overlappable = overlappable


class SlotHeld(SlotTaken):
    """Somebody keeps the place until `held_until` (UTC) and may yet let it go."""

    code = "slot_held"

    def __init__(self, sentence: str, *, held_until: datetime, **taken: Any) -> None:
        super().__init__(sentence, **taken)
        self.held_until = held_until


class SessionTaken(Refused):
    """The session number has another standing visit by now."""

    code = "session_taken"
    field = "session"


class VisitLocked(Refused):
    """The visit keeps its time until somebody unlocks it."""

    code = "visit_locked"
    field = "state"


class LockedAlready(Refused):
    code = "locked_already"
    field = "state"


class NotLocked(Refused):
    code = "not_locked"
    field = "state"


class MovedTwice(Refused):
    """One act gives the same visit two places."""

    code = "moved_twice"
    field = "moves"


class MovesCollide(Refused):
    """Two visits that are moved together want the same resource or patient at one time."""

    code = "moves_collide"
    field = "moves"


class NoWayForTheRest(Refused):
    """The visits that must follow a moved one find no places."""

    code = "no_way_for_the_rest"
    field = "starts_at"


class NothingToUndo(Refused):
    code = "nothing_to_undo"
    field = "state"


class VisitsInTheWay(Refused):
    """A block would lie over visits; `appointments` are their ids."""

    code = "visits_in_the_way"
    field = "starts_at"

    def __init__(self, sentence: str, *, appointments: Sequence[int]) -> None:
        super().__init__(sentence)
        self.appointments = tuple(appointments)


class NotBlockable(Refused):
    """Nothing that a block can hold: no resource, a patient, or one of another site."""

    code = "not_blockable"
    field = "resources"


class BlockOutOfOrder(Refused):
    """A block ends after it starts, not in the past, and within a year."""

    code = "block_out_of_order"
    field = "ends_at"


class BlockReleased(Refused):
    """The time of the block was given back before."""

    code = "block_released"
    field = "block"


class StaleVersion(Refused):
    """Somebody changed the visit since it was shown."""

    code = "stale_version"
    field = "version"


class LogSigned(Refused):
    """The log is signed: it never changes, and what it rests upon stays."""

    code = "log_signed"
    field = "log"


def busy() -> StaleVersion:
    """What the loser of a race hears who has nothing else to choose from."""
    return StaleVersion(
        gettext("Somebody is changing this at the moment. Look at it again, then repeat.")
    )


class BeingOffered(Refused):
    """An offer is open, and must be answered or taken back first."""

    code = "being_offered"
    field = "offer"


class GapClosed(Refused):
    """The place was filled or dismissed, or taken by somebody else."""

    code = "gap_closed"
    field = "gap"
