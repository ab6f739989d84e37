"""What stretches of time have in common."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clinic import periods
from clinic.periods import Period
from tests.clinic.clocks import utc

EPOCH = utc(2027, 1, 1)
several = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(
        lambda pair: Period(
            EPOCH + timedelta(hours=pair[0]), EPOCH + timedelta(hours=pair[0] + pair[1])
        )
    ),
    max_size=8,
)


def moments(some: list[Period]) -> set[int]:
    return {hour for hour in range(60) if any(EPOCH + timedelta(hours=hour) in p for p in some)}


@given(several, several)
def test_period_algebra_equals_sets_of_moments(a: list[Period], b: list[Period]) -> None:
    assert moments(periods.merge(a)) == moments(a)
    assert moments(periods.subtract(a, b)) == moments(a) - moments(b)
    assert moments(periods.intersect(a, b)) == moments(a) & moments(b)
    merged = periods.merge(a)
    assert all(x.ends_at < y.starts_at for x, y in pairwise(merged))
