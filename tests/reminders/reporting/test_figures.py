"""What is told of a share, of too few, of a change, and how a line is drawn: pure."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.wall_time import instant, local
from reminders.reporting.figures import HEIGHT, MARGIN, WIDTH, Bar, Figure, Share, line, worst_first
from reminders.reporting.periods import month, read_month, weeks_before

ZONE = "America/New_York"


def test_fewer_than_ten_are_too_few_to_tell() -> None:
    assert Share(1, 9).words == "too few"
    assert Share(1, 10).words == "10.0%"
    assert Share(0, 0).percent is None


@pytest.mark.parametrize(
    ("now", "before", "words", "is_worse"),
    [
        (Share(2, 10), Share(1, 10), "10.0 points more than before", False),
        (Share(1, 10), Share(2, 10), "10.0 points less than before", True),
        (Share(1, 10), Share(1, 10), "as before", False),
        (Share(1, 10), Share(1, 9), "nothing to compare with", False),
    ],
)
def test_a_change_is_told_in_points(now: Share, before: Share, words: str, is_worse: bool) -> None:
    figure = Figure("Kept", "", now, before)
    assert (figure.change_words, figure.is_worse) == (words, is_worse)


def test_more_of_what_is_bad_is_worse() -> None:
    figure = Figure("No-shows", "", Share(2, 10), Share(1, 10), more_is_better=False)
    assert figure.is_worse is True


def test_a_week_without_visits_breaks_the_line() -> None:
    drawn = line([Share(1, 2), Share(0, 0), Share(1, 2), Share(1, 1)])
    assert len(drawn.pieces) == 2
    assert drawn.last == pytest.approx((WIDTH - MARGIN, MARGIN))
    assert line([Share(1, 2), Share(0, 0)]).last is None
    assert line([]).pieces == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=60))
def test_every_point_lies_inside_of_the_drawing(weeks: list[tuple[int, int]]) -> None:
    shares = [Share(min(pair), max(pair)) for pair in weeks]
    for piece in line(shares).pieces:
        for point in piece.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH and 0 <= y <= HEIGHT


def test_the_worst_come_first_and_too_few_last() -> None:
    bars = [Bar("B", Share(9, 10)), Bar("Few", Share(0, 3)), Bar("A", Share(1, 10))]
    assert [bar.name for bar in worst_first(bars)] == ["A", "B", "Few"]
    of_bad = worst_first(bars, more_is_better=False)
    assert [bar.name for bar in of_bad] == ["B", "A", "Few"]


def test_weeks_are_whole_local_ones_over_the_change_of_clocks() -> None:
    weeks = weeks_before(date(2027, 3, 18), 2, ZONE)
    assert (weeks.first, weeks.last_day) == (date(2027, 3, 1), date(2027, 3, 14))
    edges = weeks.edges()
    assert edges[0] == instant(date(2027, 2, 15), 0, ZONE) and len(edges) == 4
    assert all(local(each, ZONE).hour == 0 and local(each, ZONE).weekday() == 0 for each in edges)
    # The clocks go forward in the last one.
    assert edges[-1] - edges[-2] == timedelta(days=7, hours=-1)


def test_a_month_is_that_of_the_sites_clock_in_weeks_beside_the_month_before() -> None:
    today = date(2027, 4, 20)
    march = month(date(2027, 3, 1), today, ZONE)
    assert march.ends_at - march.starts_at == timedelta(days=31, hours=-1)  # the clocks go forward
    assert march.weeks == [date(2027, 3, day) for day in (1, 8, 15, 22, 29)]
    days = [date(2027, 2, 1), *march.weeks, date(2027, 4, 1)]
    assert march.edges() == [instant(day, 0, ZONE) for day in days]
    november = month(date(2026, 11, 1), today, ZONE)  # from a Sunday on, and they go back on it
    assert november.weeks == [date(2026, 11, day) for day in (1, 2, 9, 16, 23, 30)]
    assert november.edges()[2] - november.starts_at == timedelta(hours=25)


def test_the_month_that_lasts_is_told_up_to_yesterday() -> None:
    so_far = month(date(2027, 4, 1), date(2027, 4, 5), ZONE)
    assert (so_far.last_day, so_far.weeks) == (date(2027, 4, 4), [date(2027, 4, 1)])
    assert read_month("2027-04", date(2027, 4, 2)) == date(2027, 4, 1)


@pytest.mark.parametrize(
    "text", ["2027-04", "1999-12", "2027-13", "2027-00", "2027-3", "2027-03-01", "٢٠٢٧-03", "x", ""]
)
def test_what_is_no_month_that_began_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        read_month(text, date(2027, 4, 1))
