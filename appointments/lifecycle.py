"""The states of a visit and the moves between them: one table.

Owns what may follow what. Refuses to know who may do it, when, or what else it changes.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from appointments.refusals import Refused
from clinic.saying import gettext, noop


class State(StrEnum):
    BOOKED = "booked"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    IN_TREATMENT = "in_treatment"
    DONE = "done"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


# Booked for a time to come; at the clinic; and both.
TO_COME = (State.BOOKED, State.CONFIRMED)
UNDER_WAY = (State.ARRIVED, State.IN_TREATMENT)
OPEN = (*TO_COME, *UNDER_WAY)


class Move(StrEnum):
    BOOK = "book"
    MOVE = "move"
    RESIZE = "resize"  # another length, the same start
    CONFIRM = "confirm"
    CHECK_IN = "check_in"
    START = "start"
    COMPLETE = "complete"
    NO_SHOW = "no_show"
    CANCEL = "cancel"
    LOCK = "lock"
    UNLOCK = "unlock"
    MIGRATE = "migrate"  # to another version of its protocol
    UNDO = "undo"
    IMPORT = "import"  # from a former system


class MoveRefused(Refused):
    """The visit is in no state for this act. `sentence` says which, and what to do."""

    code = "move_refused"
    field = "state"


# A moved visit is booked again: the patient confirmed the former time, not this one.
_AFTER: dict[State, dict[Move, State]] = {
    State.BOOKED: {
        Move.CONFIRM: State.CONFIRMED,
        Move.CHECK_IN: State.ARRIVED,
        Move.MOVE: State.BOOKED,
        Move.RESIZE: State.BOOKED,
        Move.NO_SHOW: State.NO_SHOW,
        Move.CANCEL: State.CANCELLED,
        Move.LOCK: State.BOOKED,
        Move.UNLOCK: State.BOOKED,
        Move.MIGRATE: State.BOOKED,
    },
    State.CONFIRMED: {
        Move.CHECK_IN: State.ARRIVED,
        Move.MOVE: State.BOOKED,
        Move.RESIZE: State.CONFIRMED,
        Move.NO_SHOW: State.NO_SHOW,
        Move.CANCEL: State.CANCELLED,
        Move.LOCK: State.CONFIRMED,
        Move.UNLOCK: State.CONFIRMED,
        Move.MIGRATE: State.CONFIRMED,
    },
    State.ARRIVED: {
        Move.START: State.IN_TREATMENT,
        Move.RESIZE: State.ARRIVED,
        Move.CANCEL: State.CANCELLED,
    },
    State.IN_TREATMENT: {Move.COMPLETE: State.DONE, Move.RESIZE: State.IN_TREATMENT},
    State.DONE: {},
    State.NO_SHOW: {},
    State.CANCELLED: {},
}

_NAMES: dict[State, str] = {
    State.BOOKED: noop("booked"),
    State.CONFIRMED: noop("confirmed"),
    State.ARRIVED: noop("already checked in"),
    State.IN_TREATMENT: noop("in treatment"),
    State.DONE: noop("done"),
    State.NO_SHOW: noop("marked as no-show"),
    State.CANCELLED: noop("cancelled"),
}

_ACTS: dict[Move, str] = {
    Move.BOOK: noop("booked"),
    Move.MOVE: noop("moved"),
    Move.RESIZE: noop("made longer or shorter"),
    Move.CONFIRM: noop("confirmed"),
    Move.CHECK_IN: noop("checked in"),
    Move.START: noop("started"),
    Move.COMPLETE: noop("completed"),
    Move.NO_SHOW: noop("marked as no-show"),
    Move.CANCEL: noop("cancelled"),
    Move.LOCK: noop("locked"),
    Move.UNLOCK: noop("unlocked"),
    Move.MIGRATE: noop("given another version of its protocol"),
    Move.UNDO: noop("taken back"),
    Move.IMPORT: noop("brought over"),
}

# Acts beside the course of the day, which no refusal suggests.
_BESIDE = frozenset({Move.RESIZE, Move.LOCK, Move.UNLOCK, Move.MIGRATE})

# What the latest act leaves that `undo` can take back; booking is taken back by cancelling, and so
# is bringing over. A version is changed for a whole series at once, so it is taken back by changing
# it again.
UNDOABLE: frozenset[Move] = frozenset(Move) - {Move.BOOK, Move.UNDO, Move.MIGRATE, Move.IMPORT}


def allowed(state: State) -> tuple[Move, ...]:
    """The moves that a visit in `state` admits, undo aside, in the order of the day."""
    return tuple(_AFTER[state])


@cache
def offered(state: State, *, is_locked: bool) -> tuple[Move, ...]:
    """Those of `allowed` that one visit by itself may be offered: a locked one is unlocked and
    keeps its time, and a version is changed for a whole series."""
    kept = {Move.LOCK, Move.MOVE, Move.RESIZE}
    never = {Move.MIGRATE, *(kept if is_locked else {Move.UNLOCK})}
    return tuple(move for move in allowed(state) if move not in never)


def after(state: State, move: Move) -> State:
    """The state that `move` leads to from `state`.

    Raises:
        MoveRefused: when the table has no such move; the sentence names those there are.
    """
    following = _AFTER[state].get(move)
    if following is not None:
        return following
    sentence = gettext("This visit is %(state)s, so it cannot be %(move)s.") % {
        "state": gettext(_NAMES[state]),
        "move": gettext(_ACTS[move]),
    }
    if _AFTER[state]:
        acts = [gettext(_ACTS[each]) for each in _AFTER[state] if each not in _BESIDE]
        sentence += gettext(" It can be %(acts)s.") % {"acts": _listing(acts)}
    elif state in (State.NO_SHOW, State.CANCELLED):
        sentence += gettext(" Undo that first, or book a new visit.")
    raise MoveRefused(sentence)


def _listing(words: list[str]) -> str:
    return (
        words[0]
        if len(words) == 1
        else gettext("%(words)s or %(words_2)s")
        % {"words": ", ".join(words[:-1]), "words_2": words[-1]}
    )
