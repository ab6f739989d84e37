"""The bar above a page, in windows of every width."""

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
