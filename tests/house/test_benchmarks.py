"""What the benchmark promises about itself."""

import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import engine_memory, peer_side, peers
from benchmarks.figures import LeftOut

FIRST = date(2027, 3, 1)


def test_both_sides_book_twelve_slots_of_a_day_sixty_days_ahead_and_the_rest_before() -> None:
    booked = list(peer_side.rows(FIRST, 1_000))
    assert len(booked) == len(set(booked)) == 1_000
    days = Counter(day for day, _ in booked)
    ahead = [FIRST + timedelta(days=number) for number in range(60)]
    assert [days[day] for day in ahead] == [12] * 60
    assert sum(count for day, count in days.items() if day < FIRST) == 1_000 - 720
    assert {minute for _, minute in booked} <= set(range(9 * 60, 17 * 60, 30))


@pytest.mark.parametrize("asked", ["10000", "15000", "0", "-20000", "many", ""])
def test_a_memory_that_cannot_be_measured_is_told_before_anything_starts(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert engine_memory.unfit("20000") == engine_memory.unfit("1000000") == ""
    monkeypatch.setattr(engine_memory, "ASKED", asked)
    monkeypatch.setattr(sys, "argv", ["bench", "engine"])
    assert bench.main() == 1
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(f"afterglow: BENCH_MEMORY={asked} cannot be measured:"), said


def test_more_rows_are_the_same_rows_and_more() -> None:
    few, many = list(peer_side.rows(FIRST, 1_000)), list(peer_side.rows(FIRST, 5_000))
    assert many[:1_000] == few


def test_a_peer_that_cannot_be_installed_is_left_out_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "requirements.txt"
    broken.write_text("this is no requirement\n")
    install = peers.installed
    monkeypatch.setattr(peers, "installed", lambda: install(broken, tmp_path / "environment"))
    [told] = peers.figures(lambda words: None)
    assert isinstance(told, LeftOut) and told.ok
    assert told.reason.startswith("django-appointment cannot be installed: ")
    assert '"left_out"' in told.line()
    assert not (tmp_path / "environment" / "ready").exists()
