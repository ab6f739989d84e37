"""The bars above and below a page, in windows of every width."""

import pytest
from playwright.sync_api import Page

from clinic.models import Role, Site, SiteRole, Staff
from tests.browser.conftest import SignIn

pytestmark = pytest.mark.django_db(transaction=True)

CUT = """() => {
  const nav = document.querySelector(".topbar nav");
  const end = nav.getBoundingClientRect().right + 1;
  return [...nav.children].filter((each) => each.getBoundingClientRect().right > end)
    .map((each) => each.innerText);
}"""
SHOWN = "document.querySelector('.topbar nav .more').checkVisibility()"

ICONS = """() => [...document.querySelectorAll(".bottom-nav .i")].map((each) => {
  const { x, y, width, height } = each.getBoundingClientRect();
  return [x, y, width, height];
})"""
ONLY_ICONS = """() => {
  for (const each of document.querySelectorAll(".bottom-nav > *")) {
    each.replaceChildren(each.querySelector(".i"));
  }
}"""


@pytest.mark.parametrize(("language", "size"), [("en", 100), ("es", 100), ("es", 125)])
def test_the_ways_are_whole_or_behind_more_at_every_width(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    other_site: Site,
    manager: Staff,
    language: str,
    size: int,
) -> None:
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    Staff.objects.filter(pk=manager.pk).update(language=language)
    sign_in(manager)
    page.goto(f"{live_server}/preferences/")
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("[popovertarget=site-menu]").is_visible()
    page.evaluate(f"document.documentElement.style.fontSize = '{size}%'")
    cut, folded = {}, []
    for width in range(721, 1921, 30):
        page.set_viewport_size({"width": width, "height": 300})
        if found := page.evaluate(CUT):
            cut[width] = found
        folded.append(page.evaluate(SHOWN))
    assert cut == {}
    assert folded[0] and not folded[-1]


@pytest.mark.parametrize(("language", "width"), [("en", 320), ("es", 320), ("es", 390)])
def test_an_icon_of_the_bar_below_stands_in_its_place_before_its_label_has_come(
    page: Page, live_server: object, sign_in: SignIn, manager: Staff, language: str, width: int
) -> None:
    Staff.objects.filter(pk=manager.pk).update(language=language)
    sign_in(manager)
    page.set_viewport_size({"width": width, "height": 640})
    page.goto(f"{live_server}/preferences/")
    whole = page.evaluate(ICONS)
    assert len(whole) == 5
    page.evaluate(ONLY_ICONS)
    assert page.evaluate(ICONS) == whole
