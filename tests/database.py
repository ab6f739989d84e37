"""The database of the tests: migrated once, copied for every worker, emptied when asked.

`python -m tests.database` keeps what comes of migrating for the runs to come, and begins with it
while the workers of a run are still loading.
"""

import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import TransactionTestCase
from django.test.utils import setup_databases
from pytest_django import DjangoDbBlocker

from config.embedded import default_data_dir
from config.embedded.database import APP, DATABASE, installed
from config.embedded.places import PROJECT, digest

# A page that closes lets its hold go, and the server may still be at it when the test is over: what
# it writes would be left for the next one. Most tables are empty, and to delete from those costs
# next to nothing, unlike TRUNCATE. In the role of a replica no trigger fires: neither those of
# foreign keys, so that the order does not matter, nor those that keep what was signed.
_EMPTY = """
DO $$ DECLARE name text;
BEGIN
  FOR tries IN 1..500 LOOP
    PERFORM pg_stat_clear_snapshot();
    EXIT WHEN NOT EXISTS (
      SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND backend_type = 'client backend' AND state <> 'idle');
    PERFORM pg_sleep(0.01);
  END LOOP;
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT relname FROM pg_class
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN
        ('django_migrations', 'django_content_type', 'auth_permission')
  LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$
"""


@contextmanager
def migrated() -> Iterator[str]:
    """The name of the database to copy; nobody else is at it until the context ends."""
    anywhere = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres"))
    with psycopg.connect(anywhere, autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(1)")
        _migrate(default_data_dir() / "tests" / f"{_digest()}.sql")
        yield DATABASE


def _migrate(kept: Path) -> None:
    """Migrating takes seconds, so what came of it is kept, under a digest of all that it follows
    from."""
    owner = os.environ["DATABASE_URL"]
    with psycopg.connect(owner) as session:
        (there,) = session.execute("SELECT to_regclass('django_migrations')").fetchone() or (None,)
        if there is None and kept.exists():
            session.execute(kept.read_bytes())
            return
    if there is not None:
        return
    call_command("migrate", verbosity=0)
    connection.close()
    dumped = subprocess.run(
        [installed() / "bin" / "pg_dump", "--inserts", "--no-owner", "--no-comments", owner],
        capture_output=True,
        check=True,
    )
    # The lines of a backslash are psql's.
    lines = [line for line in dumped.stdout.splitlines() if not line.startswith(b"\\")]
    kept.parent.mkdir(parents=True, exist_ok=True)
    for outdated in kept.parent.glob("*.sql"):
        outdated.unlink(missing_ok=True)
    unfinished = kept.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(b"\n".join(lines))
    unfinished.replace(kept)


def _digest() -> str:
    files = [PROJECT / "requirements-dev.txt", *sorted(PROJECT.glob("*/migrations/*.py"))]
    return digest(*(file.name for file in files), *(file.read_text() for file in files))


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Generator[None]:
    """The owner migrates; after that every session has the powers of the running role only."""
    teardown = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
    with django_db_blocker.unblock():
        with migrated() as template:
            connection.settings_dict["TEST"]["TEMPLATE"] = template
            setup_databases(verbosity=0, interactive=False)
        connection_created.connect(_act_as_app)
        connection.close()
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]
    connection_created.disconnect(_act_as_app)
    connections.close_all()


def _act_as_app(connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.alias == "default":
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {APP}")


def _empty(_: TransactionTestCase) -> None:
    _as_owner(_EMPTY)


def _as_owner(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(statement)
        cursor.execute(f"SET ROLE {APP}")


@pytest.fixture
def as_owner() -> Callable[[str], None]:
    """Runs a statement as the owner of the tables, e.g. to break what the role that runs cannot."""
    return _as_owner


if __name__ == "__main__":
    import gc

    import django

    # Of migrating, a quarter would be to look for garbage.
    gc.disable()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    with migrated():
        pass
