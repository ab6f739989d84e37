"""What a page costs whoever opens it: how it moves by itself, how much is loaded, how large it is.

Everything is read from the page that a test has open anyway. Sizes are those that travel.
"""

import gzip
import re
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from playwright.sync_api import Page

from config.style_sheets import as_served

# When somebody first touched the page or its size: what moves or is loaded after that, they asked
# for.
WATCH = """{
globalThis.untouchedUntil = Infinity;
const touch = () => { untouchedUntil = Math.min(untouchedUntil, performance.now()); };
const kinds = ["pointerdown", "keydown", "input", "resize"];
for (const kind of kinds) addEventListener(kind, touch, true);
}"""
_READ = """() => {
  const observer = new PerformanceObserver(() => {});
  observer.observe({type: "layout-shift", buffered: true});
  const moved = observer.takeRecords();
  observer.disconnect();
  const untouched = (each) => each.startTime < (globalThis.untouchedUntil ?? Infinity);
  const named = (node) => node?.outerHTML?.slice(0, 60) ?? node?.data ?? "what is gone";
  return {
    moved: moved.filter((each) => untouched(each) && !each.hadRecentInput)
      .map((each) => [each.value, each.sources.map((source) => named(source.node))]),
    bytes: performance.getEntriesByType("navigation")[0].encodedBodySize,
    loaded: performance.getEntriesByType("resource").filter(untouched)
      .map((each) => [new URL(each.name).pathname, each.initiatorType, each.encodedBodySize]),
    nodes: document.getElementsByTagName("*").length,
    scripts: document.scripts.length,
  };
}"""


@dataclass(frozen=True)
class Bar:
    """The most that a page may cost: files with the page itself, kilobytes of all of them, nodes,
    and files of script."""

    files: int
    kilobytes: float
    nodes: int
    scripts: int


# What makes a page: style sheets, scripts, and what its own script asks for.
_PARTS = ("link", "css", "script", "xmlhttprequest", "fetch")
_ICON = "/static/clinic/icon.svg"

# By the beginning of the address, the narrowest first.
BARS = {
    # A plan says on one page of every message when, why and in which words.
    "/series/new/": Bar(files=6, kilobytes=45, nodes=1_900, scripts=2),
    # Where a finger signs.
    "/p/[^/]+/forms/": Bar(files=3, kilobytes=10, nodes=400, scripts=1),
    "/p/": Bar(files=2, kilobytes=10, nodes=400, scripts=0),
    # A version of a protocol is every step in two languages, with the sources behind each.
    r"/protocols/\w+/\d": Bar(files=6, kilobytes=55, nodes=2_100, scripts=2),
    "/": Bar(files=6, kilobytes=55, nodes=1_200, scripts=3),
}


def moved(page: Page, label: str) -> list[str]:
    """What of the page that is open moved by itself."""
    return _told(page.evaluate(_READ)["moved"], label)


def over(page: Page, label: str) -> list[str]:
    """Where the page that is open costs more than its bar."""
    seen = page.evaluate(_READ)
    path = urlsplit(page.url).path
    bar = next(bar for start, bar in BARS.items() if re.match(start, path))
    found = _told(seen["moved"], label)
    # A photo is what is looked at; the icon of the tab is asked for beside the page, or not at all.
    files = {path: size for path, by, size in seen["loaded"] if by in _PARTS and path != _ICON}
    weight = seen["bytes"] + sum(_compressed(path) or size for path, size in files.items())
    costs = Bar(len(files) + 1, weight / 1000, seen["nodes"], seen["scripts"])
    for what, cost in asdict(costs).items():
        if cost > (most := getattr(bar, what)):
            found.append(f"{label}: {cost:g} {what}, at most {most:g} ({' '.join(files)})")
    return found


def _told(moved: list[tuple[float, list[str]]], label: str) -> list[str]:
    return [f"{label}: moved by itself: {value:.4f} {nodes}" for value, nodes in moved]


@cache
def _compressed(path: str) -> int:
    """The size of a static file as it is served; 0 for what is none."""
    prefix = str(settings.STATIC_URL)
    file = finders.find(path.removeprefix(prefix)) if path.startswith(prefix) else None
    if not file:
        return 0
    content = Path(file).read_bytes()
    return len(gzip.compress(as_served(content) if path.endswith(".css") else content))
