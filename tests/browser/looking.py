"""Looks at one page in every size and colour, and says what is wrong with it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page

SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}
NARROWEST = (320, 640)
THEMES = ("light", "dark")
LOOK = "([size, theme, within]) => lookAt(size, theme, within)"
LOOKING = AXE_SCRIPT + Path(__file__).with_suffix(".js").read_text()

_SEND = """([address, pairs]) => {
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: address});
  for (const [name, value] of [...pairs, ["csrfmiddlewaretoken", token]]) {
    const input = document.createElement("input");
    form.append(Object.assign(input, {type: "hidden", name, value}));
  }
  document.body.append(form);
  form.submit();
}"""


def problems(page: Page, label: str, within: str = "") -> list[str]:
    """What axe finds in every size and theme, and whether it is too wide for a small phone.

    `within` are the parts to look at, where the rest of the page was looked at before.
    """
    found: list[str] = []
    # A click waits until the next page has begun to come, not until it is there.
    page.wait_for_load_state()
    page.evaluate(LOOKING)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
            for rule, nodes in page.evaluate(LOOK, [size, theme, within]):
                found.append(f"{label}, {size}, {theme}: {rule}: {' | '.join(nodes)}")
            if folder := os.environ.get("SHOTS"):
                Path(folder).mkdir(exist_ok=True)
                page.screenshot(path=f"{folder}/{label}.{size}.{theme}.png", full_page=True)
    page.set_viewport_size({"width": NARROWEST[0], "height": NARROWEST[1]})
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > NARROWEST[0]:
        found.append(f"{label}: {wide} px wide on a screen of {NARROWEST[0]}")
    return found


def follow(control: Locator) -> None:
    """Presses what leads to another page, and returns once that one is there."""
    with control.page.expect_navigation():
        control.click()


def post(page: Page, address: str, data: Mapping[str, Any]) -> None:
    """Sends a form from the page that is open, as its own forms are sent."""
    pairs = [
        [name, str(one)]
        for name, value in data.items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    with page.expect_navigation():
        page.evaluate(_SEND, [address, pairs])
