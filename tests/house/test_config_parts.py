"""The parts of an installation are kept alive, and stopped together."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config import parts
from config.parts import Broken, Part, together
from tests.processes import eventually

STEADY = Part("steady", ("-c", "import time; time.sleep(60)"))
STUBBORN = Part(
    "stubborn",
    (
        "-c",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True); time.sleep(60)",
    ),
)
BROKEN = Part("broken", ("-c", "raise SystemExit('the cause')"))


def children() -> set[int]:
    listing = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in listing.split()}


def watched(house: parts.House, until: Callable[[], bool]) -> Callable[[], bool]:
    def look() -> bool:
        house.watch()
        return until()

    return look


def test_a_part_that_is_killed_is_started_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = children()
    with together(os.environ, tmp_path) as house:
        house.start(STEADY)
        (killed,) = children() - before
        os.kill(killed, signal.SIGKILL)
        eventually(watched(house, lambda: bool(children() - before - {killed})))
    assert "steady ended (-9), starting it again" in capfd.readouterr().err
    assert children() == before


def test_a_part_that_does_not_stay_up_is_named_with_its_last_words(tmp_path: Path) -> None:
    with together(os.environ, tmp_path) as house:
        house.start(BROKEN)
        never = watched(house, lambda: False)
        with pytest.raises(Broken, match=r"broken does not stay up \(the cause; read .*log"):
            eventually(never)


def test_a_part_that_ignores_the_request_is_killed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_STOP_SECONDS", 1)
    before = children()
    with together(os.environ, tmp_path) as house:
        house.start(STEADY)
        house.start(STUBBORN)
        eventually(lambda: "deaf" in (tmp_path / "stubborn.log").read_text())
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert children() == before


def test_a_port_in_use_is_noticed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not parts.port_is_free(taken.getsockname()[1])
    assert parts.port_is_free(parts.free_port())


def test_a_failing_command_is_reported_with_its_last_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(Broken, match=r"failed \(no such thing\): read .*log"):
        parts.run_once(("-c", "raise SystemExit('no such thing')"), os.environ, log)
