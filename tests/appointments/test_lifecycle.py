"""The table of states and moves, all of it."""

import pytest

from appointments import lifecycle
from appointments.lifecycle import Move, MoveRefused, State

TABLE = {
    (State.BOOKED, Move.MOVE): State.BOOKED,
    (State.BOOKED, Move.CONFIRM): State.CONFIRMED,
    (State.BOOKED, Move.CHECK_IN): State.ARRIVED,
    (State.BOOKED, Move.NO_SHOW): State.NO_SHOW,
    (State.BOOKED, Move.CANCEL): State.CANCELLED,
    (State.CONFIRMED, Move.MOVE): State.BOOKED,
    (State.CONFIRMED, Move.CHECK_IN): State.ARRIVED,
    (State.CONFIRMED, Move.NO_SHOW): State.NO_SHOW,
    (State.CONFIRMED, Move.CANCEL): State.CANCELLED,
    (State.ARRIVED, Move.START): State.IN_TREATMENT,
    (State.ARRIVED, Move.CANCEL): State.CANCELLED,
    **{
        (state, move): state
        for state in (State.BOOKED, State.CONFIRMED)
        for move in (Move.LOCK, Move.UNLOCK, Move.MIGRATE)
    },
    **{
        (state, Move.RESIZE): state
        for state in (State.BOOKED, State.CONFIRMED, State.ARRIVED, State.IN_TREATMENT)
    },
    (State.IN_TREATMENT, Move.COMPLETE): State.DONE,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", Move)
def test_every_pair_of_state_and_move_follows_the_table(state: State, move: Move) -> None:
    if (state, move) in TABLE:
        assert lifecycle.after(state, move) is TABLE[state, move]
        assert move in lifecycle.allowed(state)
    else:
        with pytest.raises(MoveRefused) as refused:
            lifecycle.after(state, move)
        assert refused.value.sentence.startswith("This visit is ")
        assert move not in lifecycle.allowed(state)


def test_a_refusal_says_what_is_possible() -> None:
    with pytest.raises(MoveRefused) as refused:
        lifecycle.after(State.ARRIVED, Move.MOVE)
    assert refused.value.sentence == (
        "This visit is already checked in, so it cannot be moved. It can be started or cancelled."
    )
    with pytest.raises(MoveRefused, match="Undo that first, or book a new visit"):
        lifecycle.after(State.CANCELLED, Move.CONFIRM)


def test_everything_but_booking_importing_migrating_and_undo_can_be_undone() -> None:
    assert set(Move) - lifecycle.UNDOABLE == {Move.BOOK, Move.IMPORT, Move.MIGRATE, Move.UNDO}
