"""What every test may ask for: the database as the role that runs, workers, a browser."""

import os
from collections.abc import Callable, Generator
from typing import Any

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from hypothesis import settings as hypothesis_settings

from config.embedded.database import APP
from tests import chromium

pytest_plugins = ["tests.personas", "tests.processes", "tests.faults.born"]

# The same examples on every run; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis_settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis_settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


# --- The database ---------------------------------------------------------------------------------


# A page that closes lets its hold go, and the server may still be at it when the test is over:
# emptying the tables beside it would be a deadlock.
_AWAIT_OTHERS = """
DO $$ BEGIN
  FOR tries IN 1..500 LOOP
    PERFORM pg_stat_clear_snapshot();
    EXIT WHEN NOT EXISTS (
      SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND backend_type = 'client backend' AND state <> 'idle');
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Generator[None]:
    """The owner has migrated; from here on every session has the powers of the running role only.

    Emptying the tables after a transactional test needs the owner again: the role that runs may
    not truncate.
    """
    connection_created.connect(_act_as_app)
    connection.close()
    operations = type(connection.ops)
    flush = operations.sql_flush

    def flush_as_owner(*args: Any, **kwargs: Any) -> list[str]:
        return ["RESET ROLE", _AWAIT_OTHERS, *flush(*args, **kwargs), f"SET ROLE {APP}"]

    # Of the class: beside Playwright's event loop, Django opens a connection of its own.
    operations.sql_flush = flush_as_owner  # type: ignore[method-assign]
    yield
    operations.sql_flush = flush  # type: ignore[method-assign]
    connection_created.disconnect(_act_as_app)
    connections.close_all()


def _act_as_app(connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.alias == "default":
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {APP}")


@pytest.fixture
def as_owner() -> Callable[[str], None]:
    """Runs a statement as the owner of the tables, e.g. to break what the role that runs cannot."""

    def run(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute(statement)
            cursor.execute(f"SET ROLE {APP}")

    return run


# --- The browser ----------------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what drives a browser, puts it last, and leaves it out where BROWSER=0."""
    driven = [item for item in items if "browser" in getattr(item, "fixturenames", ())]
    for item in driven:
        item.add_marker(pytest.mark.browser)
    others = [item for item in items if item not in driven]
    if chromium.wanted():
        items[:] = others + driven
    elif driven:
        config.hook.pytest_deselected(items=driven)
        items[:] = others


def pytest_report_header() -> str | None:
    return None if chromium.wanted() else "BROWSER=0: the browser tests are left out"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    # Playwright keeps an event loop in the main thread until the run ends, and Django would take
    # that for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    path = chromium.path()
    if path is None:
        pytest.fail(chromium.MISSING, pytrace=False)
    return {"executable_path": path, "args": chromium.FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "timezone_id": "UTC", "locale": "en-US"}
