"""`make demo` from nothing to a working sign-in, and back to nothing."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.request import urlopen

import pytest

from config.embedded.places import PROJECT, digest
from config.parts import free_port, healthy
from tests.processes import eventually


@pytest.fixture
def home() -> Generator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="afterglow-demo-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


def processes_of(home: Path) -> list[str]:
    """The command lines of living processes that know the sockets of the demo in `home`."""
    sockets = f"afterglow-{digest(home / 'demo', os.geteuid())}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if sockets in command + (process / "environ").read_bytes():
                found.append(command.replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def test_the_demo_serves_every_part_and_ctrl_c_leaves_nothing_behind(home: Path) -> None:
    port = free_port()
    demo = subprocess.Popen(
        [sys.executable, "-m", "config.demo"],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "PORT": str(port),
            "PATIENTS": "30",
            "WEEKS": "1",
            "AFTERGLOW_DATA": str(home),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert demo.stdout is not None
    with demo.stdout as output:
        shown = ""
        while not shown.endswith("  Ctrl-C stops everything.\n"):
            line = output.readline()
            assert line, shown
            shown += line
        assert f"http://127.0.0.1:{port}/" in shown
        for role in ("Front desk", "Provider", "Manager", "Clinical lead"):
            assert re.search(rf"{role} +\S+@demo\.example +afterglow-demo", shown)
        assert healthy(port)
        with urlopen(f"http://127.0.0.1:{port}/login/") as page:
            assert page.status == 200
        assert len(processes_of(home)) > 8
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 0
    eventually(lambda: not processes_of(home))
