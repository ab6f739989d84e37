"""A pytest plugin (`-p tests.services`): PostgreSQL and Redis of this run, before Django loads.

Starts both once per run in a temporary directory and hands their addresses to Django, to xdist's
workers and to child processes by the environment. Workers share the servers: each has a database of
its own and a Redis number of its own.
"""

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from config.embedded import Unusable, throwaway


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
    os.environ["DATABASE_URL"] = running.owner_database_url
    os.environ["REDIS_URL"] = running.redis_url
