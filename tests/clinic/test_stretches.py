"""Hours as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.stretches import HoursRefused, in_order, read, written

DAY = 24 * 60


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("", []),
        ("  ", []),
        ("09:00-17:00", [(540, 1020)]),
        ("9-12, 13-17:30", [(540, 720), (780, 1050)]),
        ("13:00 to 17:00; 9:00 – 12:00", [(540, 720), (780, 1020)]),
        ("9-12 and 13-17", [(540, 720), (780, 1020)]),
        ("0-24", [(0, DAY)]),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, hours: list[tuple[int, int]]) -> None:
    assert read(text) == hours


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nine", "such as"),
        ("9-12 x", "such as"),
        ("9-1213-17", "comma"),
        ("12-9", "end after"),
        ("9-25", "end after"),
        ("9:70-12", "minutes"),
        ("9-12, 11-13", "overlap"),
        (", ".join(f"{hour}-{hour}:30" for hour in range(9)), "at most"),
        ("9-12,", None),
        ("9-5", "end after they begin, on the same day"),
    ],
)
def test_what_is_no_hours_is_refused_in_words(text: str, said: str | None) -> None:
    if said is None:
        assert read(text) == [(540, 720)]
        return
    with pytest.raises(HoursRefused, match=said) as told:
        read(text, "day_3")
    assert told.value.field == "day_3"


@given(st.lists(st.integers(0, DAY), max_size=16, unique=True))
def test_what_is_written_is_read_back(ends: list[int]) -> None:
    ends = sorted(ends)[: len(ends) // 2 * 2]
    hours = in_order(list(zip(ends[::2], ends[1::2], strict=True)))
    assert read(written(hours)) == hours
