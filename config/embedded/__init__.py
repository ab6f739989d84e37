"""The PostgreSQL and Redis of the demo, the tests and the benchmarks, run from their wheels.

Both listen on Unix sockets in a private directory, start as children of the calling process and end
with it: by leaving the context, or by the kernel when the caller is killed. Refuses to touch a data
directory that another live process holds. Not for real patients: one machine, no backups.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded import cache, database, places
from config.embedded.places import Unusable, default_data_dir
from config.processes import Process, sigterm_unwinds

__all__ = ["Services", "Unusable", "default_data_dir", "services", "throwaway"]


@dataclass(frozen=True)
class Services:
    database_url: str  # as the role that runs
    owner_database_url: str  # as the role that migrates and owns the tables
    redis_url: str
    postgres: Process
    redis: Process

    def ended(self) -> str | None:
        """The name of a server that ended by itself."""
        servers = {"PostgreSQL": self.postgres, "Redis": self.redis}
        return next((name for name, server in servers.items() if server.poll() is not None), None)


@contextmanager
def services(
    data_dir: Path, *, fresh: bool = False, fsync: bool = True, redis_port: int | None = None
) -> Iterator[Services]:
    """PostgreSQL and Redis on `data_dir` until the context ends; raises `Unusable`.

    `fresh` empties the database; `redis_port` adds a TCP port on the loopback address.
    """
    with ExitStack() as stack:
        stack.enter_context(sigterm_unwinds())
        places.make(data_dir)
        stack.enter_context(places.exclusive(data_dir))
        sockets = stack.enter_context(places.sockets(data_dir))
        redis = stack.enter_context(cache.running(data_dir, sockets, port=redis_port))
        postgres = stack.enter_context(
            database.running(data_dir, sockets, fresh=fresh, fsync=fsync)
        )
        yield Services(
            database_url=database.url(database.APP, sockets),
            owner_database_url=database.url(database.OWNER, sockets),
            redis_url=f"unix://{sockets}/redis.sock",
            postgres=postgres,
            redis=redis,
        )


@contextmanager
def throwaway(*, redis_port: int | None = None) -> Iterator[Services]:
    """Empty services in a temporary directory that is deleted afterwards; no fsync."""
    data_dir = Path(tempfile.mkdtemp(prefix="afterglow-"))
    # As root, PostgreSQL's own user has to pass through.
    data_dir.chmod(0o711)
    try:
        with services(data_dir, fsync=False, redis_port=redis_port) as running:
            yield running
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)
