"""What every test may ask for: the database as the role that runs, workers, a browser."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from tests import chromium

pytest_plugins = ["tests.database", "tests.personas", "tests.processes", "tests.faults.born"]

# The same examples on every run; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis_settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis_settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what drives a browser, leaves it out where BROWSER=0, and brings all in order."""
    driven = [item for item in items if _asks_for(item, "browser")]
    for item in driven:
        item.add_marker(pytest.mark.browser)
    if driven and not chromium.wanted():
        config.hook.pytest_deselected(items=driven)
        items[:] = [item for item in items if item not in driven]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """What needs no database goes first, as it is still being migrated. Browsers come last, for
    their event loop stays; and the longest of them before the others, so that the workers end
    together."""
    if _asks_for(item, "browser"):
        return 2 if _asks_for(item, "look") else 3
    return 1 if item.get_closest_marker("django_db") or _asks_for(item, "db") else 0


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Thousands of tests and all that they import stay to the end, so the collector of garbage need
    not look at them again and again; and what a test leaves behind can wait for some more."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def nobodys_language() -> Iterator[None]:
    """The language in which a test read its last page does not stay for the next one."""
    yield
    translation.deactivate()


def _asks_for(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


# --- The browser ----------------------------------------------------------------------------------


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
