from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reminders.ledger.backoff import LONGEST_DELAY, MOST_TRIES, GiveUp, Retry, after_not_sent

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def follow(
    tries: int,
    *,
    wish: int | None = None,
    expires_at: datetime = LATER,
    chance: float = 0.5,
) -> Retry | GiveUp:
    return after_not_sent(
        tries=tries, retry_after_seconds=wish, expires_at=expires_at, now=NOW, chance=chance
    )


def test_the_first_pause_is_half_a_minute_and_each_next_one_is_doubled() -> None:
    pauses = [follow(tries) for tries in (1, 2, 3, 4)]
    assert pauses == [Retry(NOW + timedelta(seconds=each)) for each in (30, 60, 120, 240)]


def test_a_longer_pause_that_the_provider_asks_for_is_kept() -> None:
    assert follow(1, wish=900) == Retry(NOW + timedelta(minutes=15))


def test_tries_come_to_an_end() -> None:
    assert follow(MOST_TRIES) == GiveUp("attempts_spent")


def test_no_try_is_planned_for_when_the_message_has_expired() -> None:
    assert follow(1, expires_at=NOW + timedelta(seconds=30)) == GiveUp("attempts_spent")


@given(tries=st.integers(1, MOST_TRIES - 1), chance=st.floats(0, 1, exclude_max=True))
def test_chance_moves_a_pause_by_a_quarter_at_most(tries: int, chance: float) -> None:
    middle = min(timedelta(seconds=30) * 2 ** (tries - 1), LONGEST_DELAY)
    following = follow(tries, chance=chance)
    assert isinstance(following, Retry)
    assert 0.75 * middle <= following.at - NOW <= 1.25 * middle
