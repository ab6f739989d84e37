"""Days between sessions and to other treatments."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.finding import intervals
from appointments.finding.intervals import Treated
from appointments.refusals import IntervalTooLong, IntervalTooShort, OutOfOrder
from clinic.durations import Duration
from clinic.protocols import loading, reading
from clinic.protocols.schema import (
    Direction,
    Interval,
    Kind,
    OverMax,
    Protocol,
    Spacing,
    SpacingOutcome,
    SpacingScope,
)

FIRST = date(2027, 3, 4)
DAYS = timedelta(days=1)


def library(name: str) -> Protocol:
    path = Path(loading.LIBRARY) / f"{name}.toml"
    return reading.read(path.read_text(), filename=path.name)


NEEDLING = library("rf_microneedling")
FACE = frozenset({"face"})


def rules(*spacing: Spacing, id: str = "needling", interval: Interval | None = None) -> Protocol:
    """RF microneedling under another name, with these spacing rules only."""
    series = replace(NEEDLING.series, interval=interval)
    return replace(NEEDLING, id=id, modality=id, spacing=spacing, series=series)


def gap(
    other: str,
    direction: Direction,
    days: int,
    scope: SpacingScope = SpacingScope.SAME_AREA,
    outcome: SpacingOutcome = SpacingOutcome.BLOCK,
) -> Spacing:
    return Spacing(other, direction, Duration(days=days), scope, outcome)


# --- Intervals ------------------------------------------------------------------------------------


def test_bounds_are_local_dates_from_the_session_before() -> None:
    interval = Interval(Duration(days=21), Duration(months=1), Duration(days=42))
    bounds = intervals.bounds(date(2027, 1, 31), interval)
    assert (bounds.earliest, bounds.ideal, bounds.latest) == (
        date(2027, 2, 21),
        date(2027, 2, 28),
        date(2027, 3, 14),
    )


@given(st.lists(st.integers(1, 60), max_size=5))
def test_exactly_the_gaps_outside_the_interval_are_breaches(gaps: list[int]) -> None:
    days, day = [(1, FIRST)], FIRST
    for number, length in enumerate(gaps, 2):
        day += length * DAYS
        days.append((number, day))
    breached = {session for session, _ in intervals.interval_breaches(days, NEEDLING)}
    assert breached == {n for n, length in enumerate(gaps, 2) if not 21 <= length <= 42}


def test_a_refusal_is_a_sentence_with_the_valid_date() -> None:
    ((_, refusal),) = intervals.interval_breaches([(1, FIRST), (2, FIRST + DAYS)], NEEDLING)
    assert isinstance(refusal, IntervalTooShort)
    assert refusal.sentence == (
        "Session 2 is 1 day after session 1; the protocol asks for at least 21."
        " The earliest valid date is Thu 25 Mar."
    )
    restart = replace(NEEDLING, series=replace(NEEDLING.series, gap_over_max=OverMax.RESTART))
    ((_, refusal),) = intervals.interval_breaches([(1, FIRST), (2, FIRST + 60 * DAYS)], restart)
    assert isinstance(refusal, IntervalTooLong)
    assert refusal.sentence.endswith("Start a new series, or have a clinician review it.")


def test_sessions_on_one_day_are_out_of_order() -> None:
    ((_, refusal),) = intervals.interval_breaches([(1, FIRST), (2, FIRST)], NEEDLING)
    assert isinstance(refusal, OutOfOrder)
    assert not refusal.overridable


def test_a_session_left_out_lengthens_what_is_allowed_but_not_what_is_asked() -> None:
    assert intervals.interval_breaches([(1, FIRST), (3, FIRST + 84 * DAYS)], NEEDLING) == []
    ((_, refusal),) = intervals.interval_breaches([(1, FIRST), (3, FIRST + 20 * DAYS)], NEEDLING)
    assert isinstance(refusal, IntervalTooShort)


# --- Spacing --------------------------------------------------------------------------------------


def kept(protocol: Protocol, other: Protocol, areas: frozenset[str] = FACE) -> tuple[int, int]:
    """The first allowed day before and after another treatment on FIRST; (0, 0) for any."""
    found = intervals.spaced(protocol, FACE, [Treated(FIRST, other, areas)])
    if not found:
        return 0, 0
    return (FIRST - found[0].after).days, (found[0].before - FIRST).days


def test_a_rule_speaks_of_the_side_on_which_the_other_treatment_lies() -> None:
    ipl = rules(id="ipl")
    assert kept(rules(gap("ipl", Direction.BEFORE, 14)), ipl) == (1, 14)
    assert kept(rules(gap("ipl", Direction.AFTER, 28)), ipl) == (28, 1)


def test_the_rule_of_either_protocol_counts_and_the_longer_wins() -> None:
    ours = rules(gap("ipl", Direction.BEFORE, 14))
    theirs = rules(gap("needling", Direction.AFTER, 28), id="ipl")
    assert kept(ours, theirs) == (1, 28)


def test_another_area_is_free_unless_the_rule_is_for_any() -> None:
    neck = frozenset({"neck"})
    assert kept(rules(gap("ipl", Direction.BEFORE, 14)), rules(id="ipl"), neck) == (0, 0)
    anywhere = rules(gap("ipl", Direction.BEFORE, 14, SpacingScope.ANY))
    assert kept(anywhere, rules(id="ipl"), neck) == (1, 14)


def test_an_area_touches_each_of_its_parts() -> None:
    both = frozenset({"face_neck"})
    assert kept(rules(gap("ipl", Direction.BEFORE, 14)), rules(id="ipl"), both) == (1, 14)


def test_two_modalities_of_the_library_on_one_area_are_weeks_apart_on_either_side() -> None:
    """A fortnight after ultrasound, else four weeks."""
    every = [library(file.stem) for file in sorted(Path(loading.LIBRARY).glob("*.toml"))]
    devices = [each for each in every if each.resources.device is not None]
    for one, other in permutations(devices, 2):
        least = 14 if "ultrasound" in (one.id, other.id) else 28
        assert min(kept(one, other)) >= least, (one.id, other.id)


def test_any_device_means_every_treatment_with_a_device_but_the_same() -> None:
    ours = rules(gap("any_device", Direction.BEFORE, 28))
    assert kept(ours, rules(id="ipl")) == (1, 28)
    assert kept(ours, rules(id="needling")) == (0, 0)
    by_hand = replace(rules(id="facial"), resources=replace(NEEDLING.resources, device=None))
    assert kept(ours, by_hand) == (0, 0)


def test_a_plain_service_counts_as_the_same_area() -> None:
    toxin = replace(rules(id="neurotoxin"), kind=Kind.SERVICE)
    assert kept(rules(gap("neurotoxin", Direction.BEFORE, 14)), toxin, frozenset({"visit"})) == (
        1,
        14,
    )


def test_the_same_protocol_keeps_its_own_least_interval_across_series() -> None:
    assert kept(NEEDLING, NEEDLING) == (21, 21)
    assert kept(NEEDLING, NEEDLING, frozenset({"hands"})) == (0, 0)


@pytest.mark.parametrize(("off", "free"), [(-28, True), (-27, False), (13, False), (14, True)])
def test_the_least_gap_itself_is_free(off: int, free: bool) -> None:
    ours = rules(gap("ipl", Direction.BEFORE, 14), gap("ipl", Direction.AFTER, 28))
    spaced = intervals.spaced(ours, FACE, [Treated(FIRST, rules(id="ipl"), FACE)])
    refusal = intervals.spacing_breach(FIRST + off * DAYS, spaced)
    assert (refusal is None) == free


def test_only_a_reviewable_spacing_may_be_overridden_and_the_stricter_rule_wins() -> None:
    theirs = rules(gap("needling", Direction.AFTER, 7, outcome=SpacingOutcome.REVIEW), id="ipl")
    for outcome, overridable in ((SpacingOutcome.BLOCK, False), (SpacingOutcome.REVIEW, True)):
        ours = rules(gap("ipl", Direction.BEFORE, 14, outcome=outcome))
        spaced = intervals.spaced(ours, FACE, [Treated(FIRST, theirs, FACE)])
        refusal = intervals.spacing_breach(FIRST + DAYS, spaced)
        assert refusal is not None
        assert refusal.overridable is overridable
        assert refusal.earliest == FIRST + 14 * DAYS
