"""A look finds what is wrong in one size or colour only."""

import re

from playwright.sync_api import Page

from tests.browser import measuring
from tests.browser.looking import LOOK, LOOKING, problems

FAULTY = """<!doctype html><html lang="en"><head><title>Faulty</title>
<meta name="viewport" content="width=device-width"><style>
  body { color-scheme: light dark; background: light-dark(white, black);
    color: light-dark(black, white); font: 16px/2 sans-serif; }
  .fold, .phone { display: none; }
  button { padding: 12px; border: 0; }
  @media (max-width: 1100px) { .fold { display: block; } .words { display: none; } }
  @media (max-width: 400px) {
    .phone { display: block; }
    #ground { background: #999; color: white; }
    .small { padding: 0; font-size: 8px; line-height: 8px; }
  }
  @media (prefers-color-scheme: dark) { #dim { color: #222; } }
  @media (prefers-color-scheme: dark) and (max-width: 400px) { #late { color: #333; } }
</style></head><body><main>
<h1>Faulty</h1>
<p id="pale" style="color: #888">Pale in the light</p>
<p id="dim">Dim in the dark</p>
<p id="late">Dim in the dark, on a phone</p>
<div id="ground"><p id="on">On other ground on a phone</p></div>
<button class="small" id="one">A</button><button class="small" id="two">B</button>
<button id="mute"><span class="words">Send</span><svg width="24" height="24"></svg></button>
<p class="fold"><input id="nameless"></p>
<p class="phone"><a href="/" id="empty"></a></p>
<div style="width: 350px">Wide</div>
</main><script>
const move = () => document.querySelector("h1").before(document.createElement("hr"));
requestAnimationFrame(() => setTimeout(move));  // once the heading was to be seen
</script></body></html>"""
FOUND = {
    ("desktop, light", "color-contrast"): {"pale"},
    ("desktop, dark", "color-contrast"): {"dim"},
    ("tablet, light", "button-name"): {"mute"},
    ("tablet, light", "label"): {"nameless"},
    ("phone, light", "color-contrast"): {"on"},
    ("phone, light", "target-size"): {"one", "two"},
    ("phone, light", "button-name"): {"mute"},
    ("phone, light", "label"): {"nameless"},
    ("phone, light", "link-name"): {"empty"},
    ("phone, dark", "color-contrast"): {"on", "late"},
}


# Resolves once something has moved: what has not by the first change of size was asked for.
MOVED = """() => new Promise((resolve) =>
  new PerformanceObserver(() => resolve()).observe({type: "layout-shift", buffered: true}))"""


def test_it_finds_what_one_size_or_colour_shows_and_what_moves_by_itself(page: Page) -> None:
    page.add_init_script(measuring.WATCH)
    address = "http://faulty.example/"
    page.route(address, lambda route: route.fulfill(body=FAULTY, content_type="text/html"))
    page.goto(address)
    page.evaluate(MOVED)
    found = [each.split(": ", 2) for each in problems(page, "it")]
    assert found.pop() == ["it", "358 px wide on a screen of 320"]
    told = {(where, rule): {*re.findall(r"(?:^|\| )#(\w+)", nodes)} for where, rule, nodes in found}
    assert told == {(f"it, {where}", rule): ids for (where, rule), ids in FOUND.items()}
    (moved,) = measuring.over(page, "it")
    assert moved.startswith("it: moved by itself: ")


def test_what_arrives_before_the_dark_is_asked_everything_in_the_next_light(page: Page) -> None:
    page.set_content(FAULTY)
    page.evaluate(LOOKING)
    page.evaluate(LOOK, ["desktop", "light", ""])
    page.evaluate("document.querySelector('h1').after(document.createElement('input'))")
    page.evaluate(LOOK, ["desktop", "dark", ""])
    assert "label" in dict(page.evaluate(LOOK, ["tablet", "light", ""]))
