"""The frame around every page: ways by role, sites, preferences, refusals."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from clinic.models import Role, Site, SiteRole, Staff
from clinic.models.staff import Staff as AnyStaff
from tests.clinic.views.conftest import keeps_to_the_policy

pytestmark = pytest.mark.django_db

As = Callable[[AnyStaff], Client]


def test_the_front_desk_has_every_way_and_books(as_: As, front_desk: Staff) -> None:
    html = as_(front_desk).get("/preferences/").content.decode()
    for path in ("/board/", "/patients/", "/messages/", "/tasks/", "/protocols/", "/series/new/"):
        assert f'href="{path}"' in html


def test_a_provider_has_no_way_to_the_messages(as_: As, provider: Staff) -> None:
    html = as_(provider).get("/preferences/").content.decode()
    assert 'href="/messages/"' not in html
    assert 'href="/tasks/"' in html


def test_the_way_that_leads_here_says_so(as_: As, front_desk: Staff) -> None:
    html = as_(front_desk).get("/protocols/").content.decode()
    assert (
        '<a class="other" href="/protocols/" data-key="g o" aria-current="page">Protocols</a>'
        in html
    )


@pytest.mark.parametrize(
    ("page", "way"),
    [
        ("/modalities/", "/resources/"),
        ("/sites/", "/settings/"),
        ("/phrases/harbour/", "/my-day/"),
        ("/wording/", "/messages/"),
    ],
)
def test_a_page_says_by_which_way_one_comes_to_it(
    as_: As, manager: Staff, site: Site, page: str, way: str
) -> None:
    SiteRole.objects.create(staff=manager, site=site, role=Role.PROVIDER)
    html = as_(manager).get(page).content.decode()
    current = set(re.findall('<a [^>]*?href="([^"]*)"[^>]*? aria-current="page"', html))
    assert current == {way}


def test_who_works_at_two_sites_may_change_between_them_and_is_remembered(
    as_: As, front_desk: Staff, site: Site, other_site: Site
) -> None:
    SiteRole.objects.create(staff=front_desk, site=other_site, role=Role.FRONT_DESK)
    client = as_(front_desk)
    assert "?site=sunset" in client.get("/protocols/").content.decode()
    client.get("/protocols/?site=sunset")
    again = client.get("/protocols/").content.decode()
    assert '<a href="/protocols/?site=sunset" aria-current="true">' in again


def test_who_works_at_one_site_has_nothing_to_choose(as_: As, front_desk: Staff) -> None:
    assert "site-menu" not in as_(front_desk).get("/protocols/").content.decode()


@pytest.mark.parametrize("slug", ["harbour", "no-such-site"])
def test_another_site_and_none_at_all_read_the_same(
    as_: As, outsider: Staff, site: Site, slug: str
) -> None:
    answer = as_(outsider).get(f"/protocols/?site={slug}")
    assert answer.status_code == 403
    assert "A manager of the site can give you a role there." in answer.content.decode()
    keeps_to_the_policy(answer)


def test_who_has_no_role_anywhere_is_told_who_can_help(as_: As, db: None) -> None:
    nobody = Staff.objects.create_user("new@clinic.example", "x", name="Nora New")
    answer = as_(nobody).get("/protocols/")
    assert answer.status_code == 403
    assert "A manager of the site can give you a role there." in answer.content.decode()


def test_a_strange_address_has_a_way_back(as_: As, front_desk: Staff) -> None:
    answer = as_(front_desk).get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
    keeps_to_the_policy(answer)


def test_a_form_without_its_token_says_what_to_do(front_desk: Staff) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(front_desk)
    answer = client.post("/preferences/", {"theme": "dark"})
    assert answer.status_code == 403
    assert "Please try again" in answer.content.decode()


def test_colours_and_keys_are_kept_on_the_device(as_: As, front_desk: Staff) -> None:
    client = as_(front_desk)
    client.post("/preferences/", {"theme": "dark", "compact": "on", "language": "browser"})
    html = client.get("/preferences/").content.decode()
    assert '<html lang="en" class="dark compact">' in html
    assert 'data-keys="off"' in html
    assert "Saved." in html
    keeps_to_the_policy(client.get("/preferences/"))


def test_who_chose_a_language_reads_in_it_and_others_in_that_of_their_browser(
    as_: As, front_desk: Staff, provider: Staff
) -> None:
    desk, browser = as_(front_desk), {"accept-language": "es-MX,es;q=0.9"}
    desk.post("/preferences/", {"theme": "device", "language": "es"})
    assert '<html lang="es">' in desk.get("/preferences/").content.decode()
    theirs = as_(provider).get("/preferences/", headers=browser)
    assert '<html lang="es">' in theirs.content.decode()
    assert '<html lang="en">' in as_(provider).get("/preferences/").content.decode()
    desk.post("/preferences/", {"theme": "device", "language": "en"})
    assert '<html lang="en">' in desk.get("/preferences/", headers=browser).content.decode()


def test_a_colour_that_does_not_exist_is_refused(as_: As, front_desk: Staff) -> None:
    client = as_(front_desk)
    answer = client.post("/preferences/", {"theme": '"><b>'})
    assert "There is a problem" in answer.content.decode()
    assert "afterglow_theme" not in client.cookies


def test_a_forged_cookie_changes_nothing(as_: As, front_desk: Staff) -> None:
    client = as_(front_desk)
    client.cookies["afterglow_theme"] = "x onload"
    assert '<html lang="en">' in client.get("/preferences/").content.decode()


def test_the_demo_says_on_every_page_that_it_is_one(
    as_: As, front_desk: Staff, settings: Settings
) -> None:
    assert "no real patients" not in as_(front_desk).get("/preferences/").content.decode()
    settings.DEMO = True
    html = as_(front_desk).get("/preferences/").content.decode()
    assert "approved by the demo&#x27;s clinical lead, no real patients" in html or (
        "approved by the demo's clinical lead, no real patients" in html
    )
    assert 'href="/sandbox/"' in html


@pytest.mark.parametrize("path", ["/protocols/", "/no-such-page/"])
def test_every_page_is_said_in_the_language_that_was_chosen_also_one_that_is_not_there(
    as_: As, front_desk: Staff, path: str
) -> None:
    front_desk.language = "es"
    front_desk.save()
    assert '<html lang="es"' in as_(front_desk).get(path).content.decode()
