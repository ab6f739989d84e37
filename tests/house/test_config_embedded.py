"""The embedded services start, share, stop and explain themselves."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from config.embedded import Unusable, default_data_dir, places, services
from config.embedded.places import PROJECT
from config.processes import wait_until


@pytest.fixture
def data_dir() -> Generator[Path]:
    """A directory that PostgreSQL's own user can reach, unlike pytest's, also as root."""
    parent = Path(tempfile.mkdtemp(prefix="afterglow-test-"))
    parent.chmod(0o711)
    yield parent / "data"
    shutil.rmtree(parent)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_was_stored_is_there_on_the_second_start_and_nothing_keeps_running(
    data_dir: Path,
) -> None:
    with services(data_dir, fsync=False) as first:
        with psycopg.connect(first.owner_database_url) as owner:
            owner.execute("CREATE TABLE kept AS SELECT 7 AS number")
            owner.execute("GRANT SELECT ON kept TO afterglow_app")
        with Redis.from_url(first.redis_url) as cache:
            assert cache.ping()
    assert not is_alive(first.postgres.pid)
    assert not is_alive(first.redis.pid)
    with services(data_dir, fsync=False) as second, psycopg.connect(second.database_url) as app:
        assert app.execute("SELECT number, current_user FROM kept").fetchone() == (
            7,
            "afterglow_app",
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("DROP TABLE kept")
    with (
        services(data_dir, fsync=False, fresh=True) as third,
        psycopg.connect(third.owner_database_url) as owner,
    ):
        assert owner.execute("SELECT to_regclass('kept')").fetchone() == (None,)


def test_a_directory_in_use_is_refused_with_the_process_that_holds_it(data_dir: Path) -> None:
    places.make(data_dir)
    with (
        places.exclusive(data_dir),
        pytest.raises(Unusable, match=rf"in use by process {os.getpid()}: stop it first"),
        services(data_dir),
    ):
        pass


def test_a_directory_without_a_database_of_ours_is_refused_and_left_alone(data_dir: Path) -> None:
    strange = data_dir / "postgres"
    strange.mkdir(parents=True)
    (strange / "PG_VERSION").write_text("12\n")
    data_dir.chmod(0o711)
    with pytest.raises(Unusable, match="delete it to begin with an empty"), services(data_dir):
        pass
    assert (strange / "PG_VERSION").read_text() == "12\n"


def test_a_broken_database_is_explained_in_one_line(data_dir: Path) -> None:
    with services(data_dir, fsync=False):
        pass
    (data_dir / "postgres" / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(Unusable, match="PostgreSQL does not start") as refusal, services(data_dir):
        pass
    assert "\n" not in str(refusal.value)


def test_a_lock_that_a_stranger_inherited_does_not_stop_the_start(data_dir: Path) -> None:
    with services(data_dir, fsync=False):
        pass
    lock = data_dir / "postgres" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{data_dir / 'postgres'}\n")
    with services(data_dir, fsync=False) as again, psycopg.connect(again.database_url) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_services_end_with_the_process_that_started_them(
    data_dir: Path, by: signal.Signals
) -> None:
    program = (
        "import sys, time; from pathlib import Path; from config.embedded import services\n"
        "with services(Path(sys.argv[1]), fsync=False) as s:\n"
        "    print(s.postgres.pid, s.redis.pid, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holder.stdout is not None
    with holder.stdout:
        pids = [int(pid) for pid in holder.stdout.readline().split()]
    assert len(pids) == 2
    holder.send_signal(by)
    holder.wait(20)
    assert wait_until(lambda: not any(map(is_alive, pids)), seconds=20)


def test_afterglow_data_chooses_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERGLOW_DATA", "/var/tmp/elsewhere")
    assert default_data_dir() == Path("/var/tmp/elsewhere")
