"""Where everything of a column lies: pure, and right on the days when clocks change."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appointments.finding.ticks import TICK
from clinic.periods import Period
from clinic.wall_time import instant, local
from reminders.views.board.layout import (
    HOUR,
    LEAST_GAP,
    Busy,
    Grid,
    Item,
    Kind,
    grid_of,
    hours_shown,
    lay_out,
)

ZONE = "America/New_York"
DAY = date(2027, 2, 18)
EARLY = datetime(2000, 1, 1, tzinfo=UTC)


def at(wall: str, day: date = DAY, zone: str = ZONE) -> datetime:
    hour, minute = map(int, wall.split(":"))
    return instant(day, hour * 60 + minute, zone)


def span(first: str, last: str) -> Period:
    return Period(at(first), at(last))


def visit(first: str, last: str, set_up: int = 0, clean_up: int = 0) -> Busy:
    body = span(first, last)
    held = Period(
        body.starts_at - timedelta(minutes=set_up), body.ends_at + timedelta(minutes=clean_up)
    )
    return Busy(Kind.VISIT, held, body, f"{first}-{last}")


GRID = grid_of(DAY, (9, 18), ZONE)


def drawn(items: list[Item], kind: Kind) -> list[tuple[int, int]]:
    return [(each.first, each.last) for each in items if each.kind == kind]


def test_a_visit_lies_between_its_buffers_and_the_rest_is_free() -> None:
    items = lay_out(GRID, [visit("10:00", "11:00", 5, 15)], [span("09:00", "18:00")], now=EARLY)
    assert drawn(items, Kind.VISIT) == [(12, 24)]
    assert drawn(items, Kind.BUFFER) == [(11, 12), (24, 27)]
    assert drawn(items, Kind.GAP) == [(0, 11), (27, 108)]


def test_what_lies_outside_of_the_hours_is_off_and_no_gap() -> None:
    items = lay_out(GRID, [], [span("10:00", "12:00"), span("13:00", "16:00")], now=EARLY)
    assert drawn(items, Kind.OFF) == [(0, 12), (36, 48), (84, 108)]
    assert drawn(items, Kind.GAP) == [(12, 36), (48, 84)]


def test_only_what_is_to_come_is_offered_and_nothing_shorter_than_a_visit() -> None:
    working = [span("09:00", "18:00")]
    assert drawn(lay_out(GRID, [], working, now=at("12:02")), Kind.GAP) == [(37, 108)]
    assert drawn(lay_out(GRID, [], working, now=at("18:00")), Kind.GAP) == []
    between = [visit("09:00", "12:00"), visit("12:10", "18:00")]
    assert drawn(lay_out(GRID, between, working, now=EARLY), Kind.GAP) == []


def test_visits_over_each_other_lie_side_by_side() -> None:
    over = [visit("10:00", "11:00"), visit("10:30", "12:00"), visit("11:00", "11:30")]
    apart = visit("13:00", "14:00")
    items = lay_out(GRID, [*over, apart], [span("09:00", "18:00")], now=EARLY)
    lanes = {each.owner: (each.lane, each.lanes) for each in items if each.kind == Kind.VISIT}
    assert lanes == {
        "10:00-11:00": (0, 2),
        "10:30-12:00": (1, 2),
        "11:00-11:30": (0, 2),
        "13:00-14:00": (0, 1),
    }


def test_what_begins_before_the_first_row_is_cut_at_the_edge() -> None:
    items = lay_out(GRID, [visit("07:00", "09:30")], [span("09:00", "18:00")], now=EARLY)
    assert drawn(items, Kind.VISIT) == [(0, 6)]


def test_the_rows_are_whole_hours_and_eight_at_least() -> None:
    assert hours_shown(ZONE, [span("09:15", "18:05")]) == (9, 19)
    assert hours_shown(ZONE, [span("12:00", "13:00")]) == (12, 20)
    assert hours_shown(ZONE, [span("20:00", "23:30")]) == (16, 24)
    assert hours_shown(ZONE, []) == (9, 17)
    midnight = Period(at("20:00"), instant(DAY, 24 * 60, ZONE))
    assert hours_shown(ZONE, [midnight])[1] == 24


def test_a_day_without_an_hour_skips_it_and_one_with_an_hour_twice_reads_it_twice() -> None:
    spring, autumn = date(2027, 3, 14), date(2027, 11, 7)
    short, long = grid_of(spring, (0, 24), ZONE), grid_of(autumn, (0, 24), ZONE)
    assert (short.rows, long.rows) == (23 * HOUR, 25 * HOUR)
    assert "02:00" not in [words for _, words in short.hours()]
    assert [words for _, words in long.hours()].count("01:00") == 2
    # What begins after the change still lies at its own wall time.
    visits = lay_out(short, [], [], now=EARLY)
    assert visits[0].last == short.rows
    assert short.row(instant(spring, 10 * 60, ZONE)) == 9 * HOUR


def test_a_place_is_told_in_hours_and_fives() -> None:
    item = Item(Kind.VISIT, 25, 38, span("11:05", "12:10"))
    assert item.classes == "h2 m1 eh3 em2"
    assert GRID.place_of(at("10:07")) == "h1 m1"


quarters = st.integers(0, 107)


@st.composite
def days(draw: st.DrawFn) -> list[Busy]:
    found = []
    for first in draw(st.lists(quarters, max_size=8)):
        length = draw(st.integers(1, 30))
        starts = GRID.starts_at + first * TICK
        body = Period(starts, starts + length * TICK)
        around = draw(st.integers(0, 3)) * TICK
        held = Period(body.starts_at - around, body.ends_at + around)
        found.append(Busy(Kind.VISIT, held, body, first))
    return found


@given(days())
def test_nothing_free_is_taken_and_nothing_in_a_lane_lies_over_another(busy: list[Busy]) -> None:
    items = lay_out(GRID, busy, [span("09:00", "18:00")], now=EARLY)
    for gap in (each for each in items if each.kind == Kind.GAP):
        assert gap.last - gap.first >= LEAST_GAP // TICK
        for each in busy:
            assert (
                each.held.ends_at <= gap.period.starts_at
                or each.held.starts_at >= gap.period.ends_at
            )
    visits = [each for each in items if each.kind == Kind.VISIT]
    for one in visits:
        assert one.lane < one.lanes
        assert 0 <= one.first < one.last <= GRID.rows
        for other in visits:
            if one is not other and one.lane == other.lane:
                assert one.last <= other.first or other.last <= one.first


def test_a_local_hour_of_the_grid_is_what_its_words_say() -> None:
    grid = Grid(GRID.first, GRID.last, ZONE)
    for row, words in grid.hours():
        assert f"{local(grid.starts_at + row * TICK, ZONE):%H:%M}" == words
