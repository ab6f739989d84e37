"""A pytest plugin (`-p tests.services`): PostgreSQL and Redis of this run, before Django loads.

Starts both once per run in a temporary directory and hands their addresses to Django, to xdist's
workers and to child processes by the environment. Workers share the servers: each has a database of
its own and a Redis number of its own.
"""

import os
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from config.embedded import Services, Unusable, throwaway
from config.embedded.database import OWNER
from config.embedded.places import PROJECT
from config.processes import start, stop


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL']}?db={number}"
    else:
        _start(early_config)
    return (yield)


def _start(config: pytest.Config) -> None:
    stack = ExitStack()
    try:
        running = stack.enter_context(throwaway())
    except Unusable as problem:
        raise pytest.UsageError(str(problem)) from None
    config.add_cleanup(stack.close)
    _let_owner_silence_triggers(running)
    os.environ["DATABASE_URL"] = running.owner_database_url
    os.environ["REDIS_URL"] = running.redis_url
    if getattr(config.known_args_namespace, "numprocesses", None):
        _migrate_meanwhile(stack)


def _let_owner_silence_triggers(running: Services) -> None:
    """The tests empty tables whose rows nobody may delete."""
    address = urlsplit(running.owner_database_url)
    with psycopg.connect(urlunsplit(address._replace(netloc="postgres@"))) as superuser:
        superuser.execute(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}")


def _migrate_meanwhile(stack: ExitStack) -> None:
    """The workers load and collect for some seconds before they ask for a database. Should it fail,
    it fails again for the first who asks, who tells."""
    migrating = start(
        [sys.executable, "-m", "tests.database"],
        log=Path(os.devnull),
        dies_by=signal.SIGKILL,
        cwd=PROJECT,
    )
    stack.callback(stop, migrating, signal.SIGKILL, seconds=5)
