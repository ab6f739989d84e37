"""The same screens as a hand feels them: in Chromium, on a slow processor and a slow network.

The conditions are those of Lighthouse's phone: a processor four times slower, and slow 4G with
150 ms a round trip, 1.6 Mbit/s down and 750 kbit/s up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from appointments.models import Appointment
from benchmarks.figures import Figure, LeftOut
from benchmarks.house import House
from config.embedded import database
from config.parts import free_port, house, together
from config.processes import wait_until
from tests import chromium
from tests.links import issued

GROUP = "screens"
SLOWER = 4
ROUND_TRIP_MS, DOWN, UP = 150, 1_600_000 / 8, 750_000 / 8
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
TIMES = 9
# The smallest that is shown as words.
LEAST = "/static/clinic/drafts.js"
# Milliseconds from a press to its next picture, and to a patient's main words (ux.md, 6); where
# the machine takes long for the smallest page, so many times as long as that.
MOST_TO_ANSWER, MOST_TIMES = 100, 4
MOST_TO_SHOW, SHOW_TIMES = 1200, 4

# How long presses took, from the event to the next picture, and when the largest part was shown.
_WATCH = """
globalThis.pressed = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (each.interactionId) pressed.push(each.duration);
}).observe({type: "event", durationThreshold: 16, buffered: true});
globalThis.shown = 0;
new PerformanceObserver((list) => {
  shown = list.getEntries().at(-1).startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
"""

_DRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))"
_SHOWN = """() => new Promise((done) => {
  const look = () => shown ? done(shown) : setTimeout(look, 20);
  look();
})"""


def figures(built: House, day: date, visit: Appointment) -> Iterator[Figure | LeftOut]:
    """What the board of `day` answers to a press, and how soon the page of `visit` is there."""
    if (path := chromium.path()) is None:
        yield LeftOut(GROUP, "in the browser", chromium.MISSING)
        return
    # Before the browser's event loop, in which Django asks nothing of the database.
    session = _signed_in(built)
    token = issued(patient_id=visit.series.patient_id, appointment=visit, now=timezone.now())
    with _served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        yield _answer(browser, address, session, f"{address}/board/?date={day}")
        yield _show(browser, address, f"{address}/p/{token}/")
        browser.close()


def _answer(browser: Browser, address: str, session: str, board: str) -> Figure:
    with browser.new_context(viewport=DESK) as context:  # type: ignore[arg-type]
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}]
        )
        page = _open(context)
        page.goto(f"{address}/preferences/")
        floor = _slowest(page, _aside)
        page.goto(board)
        taken = _slowest(page, _at_work)
    target = max(MOST_TO_ANSWER / floor, MOST_TIMES)
    return Figure(GROUP, "board, slowest press, CPU / 4", taken, "ms", floor, target)


def _show(browser: Browser, address: str, own: str) -> Figure:
    floor = _shown(browser, f"{address}{LEAST}")
    target = max(MOST_TO_SHOW / floor, SHOW_TIMES)
    taken = _shown(browser, own)
    return Figure(GROUP, "patient's page, main words, slow 4G", taken, "ms", floor, target)


def _slowest(page: Page, work: Callable[[Page], None]) -> float:
    """The longest that one of the presses of this work waits for its picture; those that the
    browser counts as less than it can tell apart are 16 ms."""
    slow = page.context.new_cdp_session(page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    slowest = []
    for _ in range(TIMES):
        page.evaluate("pressed.length = 0")
        work(page)
        page.evaluate(_DRAWN)
        slowest.append(max([16.0, *page.evaluate("pressed")]))
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return float(median(slowest))


def _aside(page: Page) -> None:
    """Presses to which the page itself does nothing."""
    _press(page, page.locator("h1"))
    page.keyboard.press("ArrowDown")


def _at_work(page: Page) -> None:
    """From visit to visit, one opened after the other, and the search."""
    cards = page.locator("a.slip[data-visit]")
    for number in (0, 60):
        _press(page, cards.nth(number))
        page.locator("#panel[data-visit]").wait_for()
        page.evaluate(_DRAWN)  # nobody presses before they see it
        for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowLeft"):
            page.keyboard.press(key)
    page.keyboard.press("/")
    page.keyboard.type("ben")
    page.keyboard.press("Escape")


def _press(page: Page, what: Locator) -> None:
    """As a hand does: the pointer stands on it before it is pressed. Playwright's own click asks
    the page where it would strike, which takes part of the same picture."""
    what.hover()
    page.evaluate(_DRAWN)
    page.mouse.down()
    page.mouse.up()


def _shown(browser: Browser, address: str) -> float:
    """How long a new visitor waits for the largest part of a page."""
    taken = []
    for _ in range(TIMES):
        with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]
            page = _open(context)
            far = context.new_cdp_session(page)
            far.send("Network.enable")
            away = {"offline": False, "latency": ROUND_TRIP_MS}
            speed = {"downloadThroughput": DOWN, "uploadThroughput": UP}
            far.send("Network.emulateNetworkConditions", away | speed)
            far.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            page.goto(address)
            taken.append(page.evaluate(_SHOWN))
    return float(median(taken))


def _open(context: BrowserContext) -> Page:
    context.add_init_script(_WATCH)
    return context.new_page()


def _signed_in(built: House) -> str:
    client = Client()
    client.force_login(built.desk)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def _served() -> Iterator[str]:
    """The house on the web server of production, at the address that is given."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    owner, runs = f"//{database.OWNER}@", f"//{database.APP}@"
    with TemporaryDirectory() as directory:
        web, *_ = house(Path(directory))
        env = os.environ | {
            "PUBLIC_URL": address,
            "PORT": str(port),
            "DATABASE_URL": os.environ["DATABASE_URL"].replace(owner, runs),
        }
        with together(env, Path(directory)) as parts:
            parts.start(web)
            assert wait_until(lambda: _is_there(f"{address}{LEAST}"), seconds=90), "no web"
            yield address


def _is_there(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
