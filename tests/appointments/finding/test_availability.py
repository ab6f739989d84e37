"""Free time of many days at once, against three other ways to the same answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.finding.availability import OFFERED_EVERY, Facts, Openings, fits, is_free
from appointments.finding.intervals import Spaced
from appointments.finding.local_days import Ints
from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM, Need, Window
from appointments.finding.ticks import TICK, aligned, ceil, floor, ticks
from appointments.finding.working_time import ProviderTime, SiteTime, Week
from clinic.periods import Period
from clinic.protocols.schema import Text
from clinic.wall_time import instant, local
from tests.appointments import oracles

NEW_YORK = "America/New_York"
ALWAYS: Week = tuple((day, 0, 1440) for day in range(7))
CREDENTIAL = ((date(2000, 1, 1), None),)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
DAY = date(2027, 3, 12)  # a Friday; the clocks go forward on the Sunday after
NONE = Window(0, 0)


def rows(*periods: Period) -> Ints:
    """Taken periods as the facts hold them."""
    ends = sorted((floor(each.starts_at), ceil(each.ends_at)) for each in periods)
    return np.array(ends, dtype=np.int64).reshape(-1, 2)


def facts(
    *,
    week: Week = ((4, 9 * 60, 17 * 60),),
    providers: Mapping[int, Week] | None = None,
    rooms: Sequence[int] = (20,),
    devices: Sequence[int] = (30,),
    busy: Mapping[int, Sequence[Period]] | None = None,
    body: int = 9,
    windows: Mapping[str, Window] | None = None,
    zone: str = NEW_YORK,
    first: date = DAY,
    last: date | None = None,
) -> Facts:
    """One provider (10), room (20), device (30) and the patient (1), if nothing else is said."""
    weeks = providers or {10: week}
    return Facts(
        site=SiteTime("Harbour", zone, week),
        need=Need(body, windows or dict.fromkeys((PROVIDER, ROOM, DEVICE, PATIENT), NONE)),
        pools={PROVIDER: tuple(weeks), ROOM: tuple(rooms), DEVICE: tuple(devices), PATIENT: (1,)},
        providers={pk: ProviderTime(each, CREDENTIAL) for pk, each in weeks.items()},
        busy={pk: rows(*periods) for pk, periods in (busy or {}).items()},
        not_before=LONG_AGO,
        first_day=first,
        last_day=last or first,
    )


def wall(minute: int, day: date = DAY) -> datetime:
    return instant(day, minute, NEW_YORK)


def starts(given: Facts, every: int = 1) -> list[datetime]:
    openings = Openings(given, every)
    return [openings.starts_at(int(position)) for position in np.flatnonzero(openings.feasible)]


# --- Ticks ----------------------------------------------------------------------------------------


def test_minutes_round_up_to_ticks() -> None:
    assert [ticks(minutes) for minutes in (0, 1, 5, 6, 95)] == [0, 1, 1, 2, 19]
    assert aligned(datetime(2027, 3, 12, 10, 5, tzinfo=UTC))
    assert not aligned(datetime(2027, 3, 12, 10, 5, 1, tzinfo=UTC))


# --- Four ways to the same starts -----------------------------------------------------------------

RESOURCES = {PROVIDER: (10, 11), ROOM: (20, 21), DEVICE: (30,), PATIENT: (1,)}
ZONES = ("America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/Santiago", "UTC")


@st.composite
def some_facts(draw: st.DrawFn) -> Facts:
    """Two to four days around a change of some zone's clock, two providers, two rooms."""
    zone = draw(st.sampled_from(ZONES))
    first = draw(
        st.sampled_from(
            [date(2027, 3, 12), date(2027, 11, 6), date(2027, 4, 3), date(2027, 9, 4), DAY]
        )
    )

    def window() -> Window:
        return Window(draw(st.integers(0, 3)), draw(st.integers(0, 3)))

    def span() -> tuple[int, int]:
        opens = draw(st.integers(0, 200))
        return opens * 5, (opens + draw(st.integers(1, 87))) * 5

    def week() -> Week:
        return tuple(
            (day, *span()) for day in range(7) for _ in range(draw(st.sampled_from([0, 1, 1, 2])))
        )

    def busy() -> list[Period]:
        spans = draw(st.lists(st.tuples(st.integers(0, 800), st.integers(1, 60)), max_size=5))
        base = instant(first, 0, zone)
        # Taken times may begin within a tick; they take all of it.
        shift = timedelta(minutes=draw(st.sampled_from([0, 0, 2])))
        return [Period(base + shift + a * TICK, base + shift + (a + n) * TICK) for a, n in spans]

    exception = {first + timedelta(days=1): (span(),)} if draw(st.booleans()) else {}
    day_off: dict[date, tuple[tuple[int, int], ...]] = {first: ()} if draw(st.booleans()) else {}
    given = facts(
        week=week(),
        providers={10: week(), 11: ALWAYS},
        rooms=(20, 21),
        body=draw(st.integers(1, 20)),
        windows={PROVIDER: window(), ROOM: window(), DEVICE: window(), PATIENT: NONE},
        busy={pk: busy() for pool in RESOURCES.values() for pk in pool},
        zone=zone,
        first=first,
        last=first + timedelta(days=draw(st.integers(1, 3))),
    )
    near = Spaced(
        first, Text("IPL", "IPL"), first - timedelta(days=1), first + timedelta(days=1), strict=True
    )
    return replace(
        given,
        site=replace(given.site, exceptions=exception),
        providers={**given.providers, 10: replace(given.providers[10], exceptions=day_off)},
        spaced=(near,) if draw(st.booleans()) else (),
        away=rows(*busy()[:1]),
        not_before=instant(first, draw(st.integers(0, 900)), zone),
    )


@given(some_facts(), st.sampled_from([1, OFFERED_EVERY]))
def test_four_ways_find_the_same_starts(given: Facts, every: int) -> None:
    found = starts(given, every)
    assert found == oracles.by_ticks(given, every)
    assert found == oracles.by_intervals(given, every)
    assert found == oracles.by_big_integers(given, every)


@given(some_facts())
def test_the_chosen_resources_fit_every_feasible_start(given: Facts) -> None:
    openings = Openings(given)
    for position in np.flatnonzero(openings.feasible):
        chosen = openings.choose(int(position), {})
        assert chosen is not None
        tick, on = int(openings.starts[position]), openings.day(int(position))
        assert all(oracles.one_fits(given, kind, each, tick, on) for kind, each in chosen.items())
        held = {kind: each for kind, each in chosen.items() if kind != PATIENT}
        assert fits(given, openings.starts_at(int(position)), held)


@given(some_facts(), st.integers(0, 600), st.sampled_from([10, 20, 30]))
def test_one_resource_at_any_tick_is_free_as_brute_force_says(
    given: Facts, tick: int, resource: int
) -> None:
    kind = {10: PROVIDER, 20: ROOM, 30: DEVICE}[resource]
    start = instant(given.first_day, 0, given.site.zone) + tick * TICK
    on = local(start, given.site.zone).date()
    assert is_free(given, kind, resource, start) == oracles.one_fits(
        given, kind, resource, floor(start), on
    )


@given(some_facts(), st.integers(0, 800), st.integers(1, 40), st.sampled_from([1, 10, 20, 30]))
def test_more_busy_time_never_adds_a_start(
    given: Facts, first: int, length: int, resource: int
) -> None:
    base = floor(instant(given.first_day, 0, given.site.zone)) + first
    more = np.concatenate([given.busy[resource], [[base, base + length]]])
    busier = replace(given, busy={**given.busy, resource: more[np.argsort(more[:, 0])]})
    assert set(starts(busier)) <= set(starts(given))


@given(some_facts())
def test_days_without_starts_name_what_binds(given: Facts) -> None:
    openings = Openings(given)
    why = openings.why_none(given.first_day, given.last_day)
    assert (why is None) == bool(openings.feasible.any())
    assert why in (None, PROVIDER, ROOM, DEVICE, PATIENT, "site", "spacing", "past")


@given(some_facts())
def test_idle_time_beside_a_visit_is_what_brute_force_counts(given: Facts) -> None:
    openings = Openings(given, every=1)
    before, after = openings.idle(PROVIDER)
    window = given.need.windows[PROVIDER]
    for position in np.flatnonzero(openings.free[PROVIDER][0])[:10]:
        tick, on = int(openings.starts[position]), openings.day(int(position))
        free = partial(_tick_is_free, given, 10, on)
        first, end = tick - window.set_up, tick + given.need.body + window.clean_up
        lead = next(n for n in range(2000) if not free(first - n - 1))
        trail = next(n for n in range(2000) if not free(end + n))
        assert (before[0, position], after[0, position]) == (lead, trail)


def _tick_is_free(given: Facts, resource: int, on: date, tick: int) -> bool:
    one = replace(given, need=Need(1, dict.fromkeys(given.need.windows, NONE)))
    return oracles.one_fits(one, PROVIDER, resource, tick, on)


@given(some_facts(), st.permutations([10, 11]), st.permutations([20, 21]))
def test_the_order_of_resources_changes_no_start(
    given: Facts, providers: list[int], rooms: list[int]
) -> None:
    pools = {**given.pools, PROVIDER: tuple(providers), ROOM: tuple(rooms)}
    assert starts(replace(given, pools=pools)) == starts(given)


# --- Hard cases -----------------------------------------------------------------------------------


def windows(**kinds: Window) -> dict[str, Window]:
    return {**dict.fromkeys((PROVIDER, ROOM, DEVICE, PATIENT), NONE), **kinds}


def test_clean_up_must_end_by_closing_time() -> None:
    found = starts(facts(windows=windows(room=Window(0, 2))))
    assert found[-1] == wall(16 * 60 + 5)


def test_set_up_must_begin_after_opening_time() -> None:
    found = starts(facts(windows=windows(device=Window(3, 0))))
    assert found[0] == wall(9 * 60 + 15)


def test_two_providers_are_not_stitched_together() -> None:
    halves: dict[int, Week] = {10: ((4, 540, 570),), 11: ((4, 570, 600),)}
    given = facts(providers=halves, body=12)
    assert starts(given) == []
    assert Openings(given).why_none(DAY, DAY) == PROVIDER


def test_two_rooms_are_not_stitched_together() -> None:
    given = facts(
        rooms=(20, 21),
        body=12,
        week=((4, 540, 600),),
        busy={20: [Period(wall(570), wall(600))], 21: [Period(wall(540), wall(570))]},
    )
    assert starts(given) == []
    assert Openings(given).why_none(DAY, DAY) == ROOM


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        (NEW_YORK, date(2027, 3, 14), 276),
        (NEW_YORK, date(2027, 11, 7), 300),
        (NEW_YORK, DAY, 288),
        ("Australia/Lord_Howe", date(2027, 10, 3), 282),
        ("Australia/Lord_Howe", date(2027, 4, 4), 294),
        ("Asia/Beirut", date(2027, 3, 28), 276),  # midnight itself is skipped
        ("America/Santiago", date(2027, 9, 5), 276),
    ],
)
def test_a_day_has_as_many_ticks_as_its_clock(zone: str, day: date, length: int) -> None:
    given = facts(week=ALWAYS, body=1, zone=zone, first=day)
    assert len(starts(given)) == length


def test_hours_in_a_gap_are_empty_and_around_it_short() -> None:
    sunday = date(2027, 3, 14)
    assert SiteTime("Harbour", NEW_YORK, ((6, 120, 150),)).open_on(sunday) == ()
    (around,) = SiteTime("Harbour", NEW_YORK, ((6, 60, 210),)).open_on(sunday)
    assert around.ends_at - around.starts_at == timedelta(hours=1, minutes=30)
    inside = facts(week=((6, 60, 210),), body=18, first=sunday)
    assert len(starts(inside)) == 1


def test_a_split_day_has_no_visit_over_the_break() -> None:
    found = starts(facts(week=((4, 540, 720), (4, 780, 1020)), body=12))
    assert wall(660) in found
    assert not any(wall(665) <= start < wall(780) for start in found)


def test_touching_hours_are_one_stretch() -> None:
    assert wall(715) in starts(facts(week=((4, 540, 720), (4, 720, 1020)), body=12))


def test_the_credential_must_hold_on_the_day() -> None:
    given = facts(week=ALWAYS, last=DAY + timedelta(days=3))
    ends = ProviderTime(ALWAYS, ((date(2026, 1, 1), DAY), (DAY + timedelta(days=2), None)))
    openings = Openings(replace(given, providers={10: ends}))
    free = [bool(len(openings.positions_on(DAY + timedelta(days=n)))) for n in range(4)]
    assert free == [True, False, True, True]
    assert openings.why_none(DAY + timedelta(days=1), DAY + timedelta(days=1)) == PROVIDER
    assert openings.free_again(PROVIDER, DAY + timedelta(days=1)) == wall(2 * 1440)


def test_an_exception_replaces_the_day_of_a_site_and_of_a_provider() -> None:
    given = facts()
    late = replace(given, site=replace(given.site, exceptions={DAY: ((600, 720),)}))
    assert starts(late)[0] == wall(600)
    assert starts(late)[-1] == wall(675)
    off = replace(given, providers={10: replace(given.providers[10], exceptions={DAY: ()})})
    assert starts(off) == []
    sunday = DAY + timedelta(days=2)
    opened = facts(first=sunday)
    opened = replace(
        opened,
        site=replace(opened.site, exceptions={sunday: ((600, 720),)}),
        providers={10: replace(opened.providers[10], exceptions={sunday: ((600, 900),)})},
    )
    assert len(starts(opened)) == 16


def test_a_closed_day_and_a_spaced_one_say_so() -> None:
    given = facts()
    closed = replace(given, site=replace(given.site, closures=((DAY, DAY, "Holiday"),)))
    assert Openings(closed).barred(DAY) == "Harbour is closed on Fri 12 Mar (Holiday)."
    assert Openings(closed).why_none(DAY, DAY) == "site"
    near = Spaced(
        DAY, Text("IPL", "IPL"), DAY - timedelta(days=28), DAY + timedelta(days=28), strict=True
    )
    spaced = Openings(replace(given, spaced=(near,)))
    assert spaced.why_none(DAY, DAY) == "spacing"
    assert str(spaced.barred(DAY)).startswith("Fri 12 Mar is too near to IPL")


def test_nothing_starts_before_now() -> None:
    given = replace(facts(), not_before=wall(12 * 60 + 1))
    assert starts(given)[0] == wall(12 * 60 + 5)
    past = Openings(replace(given, not_before=wall(1500)))
    assert past.why_none(DAY, DAY) == "past"


def test_a_patient_on_the_way_from_another_site_is_not_free() -> None:
    given = replace(facts(), away=rows(Period(wall(9 * 60), wall(11 * 60 + 30))))
    assert starts(given)[0] == wall(11 * 60 + 30)


def test_the_usual_resource_is_kept_and_else_the_tightest_gap_is_filled() -> None:
    given = facts(rooms=(20, 21), busy={21: [Period(wall(0), wall(600))]})
    openings = Openings(given)
    at_ten = openings.position(wall(600))
    assert at_ten is not None

    def room(position: int, usual: int | None) -> int:
        chosen = openings.choose(position, {ROOM: usual})
        assert chosen is not None
        return chosen[ROOM]

    assert room(at_ten, 20) == 20
    assert room(at_ten, None) == 21
    assert room(at_ten - 1, 21) == 20
    nobody = Openings(facts(busy={20: [Period(wall(600), wall(660))]}))
    assert nobody.choose(at_ten, {}) is None


def test_of_equal_gaps_the_one_with_less_to_do_that_day_is_filled() -> None:
    idle = [Period(wall(540), wall(600)), Period(wall(660), wall(1020))]
    full = [*idle, Period(wall(1100), wall(1200))]
    openings = Openings(facts(rooms=(20, 21), body=12, busy={20: full, 21: idle}))
    position = openings.position(wall(600))
    assert position is not None
    chosen = openings.choose(position, {})
    assert chosen is not None
    assert chosen[ROOM] == 21


def test_how_much_of_a_day_the_devices_are_taken() -> None:
    given = facts(devices=(30, 31), busy={30: [Period(wall(540), wall(780))]})
    assert Openings(given).day_load(DEVICE)[0] == 0.25


def test_an_empty_pool_and_a_site_that_never_opens_have_no_starts() -> None:
    assert starts(facts(devices=())) == []
    assert Openings(facts(devices=())).why_none(DAY, DAY) == DEVICE
    assert starts(facts(week=())) == []
    assert Openings(facts(week=())).why_none(DAY, DAY) == "site"
