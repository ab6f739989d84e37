"""What falls due for many at once is spread: always alike for one, never past its time. Pure."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clinic.hours import CARE_HOURS
from reminders import gate, spreading
from reminders.catalogue import Channel, Purpose

TEN = timedelta(minutes=10)
NINE = datetime(2027, 3, 12, 9, 0, tzinfo=UTC)


def test_a_thousand_of_one_moment_leave_over_ten_minutes() -> None:
    lags = Counter(
        spreading.lag(number, over=TEN) // timedelta(minutes=1) for number in range(1000)
    )
    assert set(lags) == set(range(10))
    assert 60 < min(lags.values()) <= max(lags.values()) < 140


@given(st.integers(0, 2**63), st.integers(0, 14))
def test_a_lag_is_always_the_same_and_less_than_the_spread(recipient: int, minutes: int) -> None:
    over = timedelta(minutes=minutes)
    found = spreading.lag(recipient, over=over)
    assert found == spreading.lag(recipient, over=over)
    assert timedelta() <= found < over or found == over == timedelta()


@given(
    st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.integers(0, 14 * 60 - 1),
    st.integers(1, 2000),
)
def test_it_reaches_neither_its_end_nor_the_next_quarter(
    at: datetime, seconds: int, life: int
) -> None:
    at = at.replace(second=0, microsecond=0)
    ends = at + timedelta(seconds=life)
    found = spreading.later(at, timedelta(seconds=seconds), before=ends)
    assert at <= found < ends
    assert found == at if at.minute % 15 else found < at + timedelta(minutes=15)


def _wait(
    lag: timedelta, expires_at: datetime, quiet: tuple[int, int] | None = None
) -> gate.Decision:
    recipient = gate.Recipient(
        consents=frozenset({("care", "sms")}),
        address="+12125550123",
        suppressed="",
        zones=("UTC",),
        live_from=NINE - timedelta(days=9),
        quiet=quiet,
        lag=lag,
    )
    envelope = gate.Envelope(
        purpose=Purpose.CARE,
        channel=Channel.SMS,
        priority=2,
        due_at=NINE - timedelta(hours=4),
        expires_at=expires_at,
    )
    return gate.decide(envelope, recipient, now=NINE - timedelta(hours=4))


def test_what_waits_for_the_morning_does_not_leave_at_its_first_second() -> None:
    opens = NINE.replace(hour=CARE_HOURS.opens // 60)
    lag = timedelta(minutes=7, seconds=12)
    waits = [
        _wait(lag, NINE + timedelta(days=1)),
        _wait(lag, opens + lag),  # it would be too late then
        _wait(lag, NINE + timedelta(days=1), (8 * 60 + 5, 24 * 60 - 1)),  # so would this
    ]
    assert [each.until for each in waits if isinstance(each, gate.Wait)] == [
        opens + lag,
        opens,
        opens,
    ]
