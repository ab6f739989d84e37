"""A step that is of no use after its moment comes before the quiet hours, and nothing else does."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from clinic.durations import Duration
from clinic.protocols.schema import Protocol
from reminders.planning.plans import plan
from tests.reminders.planning.world import patient, protocol, series, visit, wall


def fasting(hours_before: int, *, advance: bool = True) -> Protocol:
    """The protocol with one step made to fall that many hours before the visit."""
    whole = protocol()
    changed = tuple(
        replace(step, before=Duration(seconds=hours_before * 3600), advance=advance)
        if step.id == "pre.alcohol"
        else step
        for step in whole.steps
    )
    return replace(whole, steps=changed)


def due(hours_before: int, starts: str, *, advance: bool = True, **more: object) -> datetime:
    one = replace(series(visit(starts=starts)), protocol=fasting(hours_before, advance=advance))
    facts = replace(patient(one), **more)  # type: ignore[arg-type]
    [message] = [each for each in plan(facts).messages if "pre.alcohol" in each.steps]
    return message.due_at


def test_fasting_from_two_at_night_is_said_the_evening_before() -> None:
    assert due(8, "2027-04-12 10:00") == wall("2027-04-11 19:45")


def test_without_advance_it_keeps_its_moment_and_the_gate_lets_it_wait() -> None:
    assert due(8, "2027-04-12 10:00", advance=False) == wall("2027-04-12 02:00")


def test_by_day_nothing_is_moved() -> None:
    assert due(8, "2027-04-12 18:00") == wall("2027-04-12 10:00")


def test_it_counts_in_every_zone_in_which_the_patient_may_be() -> None:
    both = ("America/New_York", "America/Los_Angeles")
    assert due(8, "2027-04-12 18:00", zones=both) == wall("2027-04-11 19:45")


@pytest.mark.parametrize("day", ["2027-03-14", "2027-11-07"])
def test_through_the_night_in_which_the_clocks_change(day: str) -> None:
    evening = wall(f"{day} 10:00") - timedelta(days=1)
    assert due(8, f"{day} 10:00") == wall(f"{evening:%Y-%m-%d} 19:45")
