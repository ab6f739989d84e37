"""What is sent after the session has ended: it comes back to who wrote it, and to nobody else."""

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from axes.utils import reset
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from clinic import kept_forms, on_call
from clinic.models import OnCallShift, Role, Site, SiteRole, Staff
from patients.models import Patient
from tests.clinic.views.conftest import keeps_to_the_policy
from tests.personas import NOW, PASSWORD, open_site

pytestmark = pytest.mark.django_db

PAGE = "/on-call/"
WROTE = {"starts_at": "2031-03-04T09:00", "ends_at": "2031-03-04T17:00", "phone": "+1 212 555 0177"}


@pytest.fixture
def ended(client: Client, manager: Staff) -> Client:
    """A browser on which the manager was signed in, until the session ended."""
    client.force_login(manager)
    assert client.get(PAGE).status_code == 200
    Session.objects.all().delete()
    return client


def sent(client: Client, to: str = PAGE, data: Any = None, **headers: str) -> Any:
    asked = {"referer": f"http://testserver{PAGE}"} | headers
    return client.post(to, WROTE if data is None else data, headers=asked)


def fields(answer: Any) -> dict[str, str]:
    """The fields of the sign-in form."""
    tags = re.findall(r'<input type="hidden" name="(next|kept)" value="([^"]*)"', answer.text)
    return {name: unescape(value) for name, value in tags}


def sign_in(client: Client, answer: Any, who: Staff, password: str = PASSWORD) -> Any:
    return client.post("/login/", {"username": who.email, "password": password, **fields(answer)})


def test_it_comes_back_filled_and_is_sent_by_a_press_only(ended: Client, manager: Staff) -> None:
    asked = sent(ended, data={**WROTE, "staff": manager.pk})
    assert asked.status_code == 401 and "You were signed out meanwhile" in asked.text
    assert "555 0177" not in asked.text and asked.headers["Cache-Control"] == "no-store"
    keeps_to_the_policy(asked)
    # A mistyped password loses nothing.
    wrong = sign_in(ended, asked, manager, "wrong")
    back = sign_in(ended, wrong, manager)
    assert back.headers["Location"] == PAGE
    for _ in range(2):
        page = ended.get(PAGE)
        assert "It is all here again" in page.text
        assert 'value="+1 212 555 0177"' in page.text and 'value="2031-03-04T09:00"' in page.text
        assert f'<option value="{manager.pk}" selected>' in page.text
        assert not OnCallShift.objects.exists()
        keeps_to_the_policy(page)
    assert sent(ended, data={**WROTE, "staff": manager.pk}).status_code in (302, 303)
    assert OnCallShift.objects.get().phone == "+12125550177"
    assert "It is all here again" not in ended.get(PAGE).text


def test_another_person_who_signs_in_does_not_see_it(
    ended: Client, manager: Staff, front_desk: Staff
) -> None:
    asked = sent(ended)
    back = sign_in(ended, asked, front_desk)
    assert back.headers["Location"] == "/"
    page = ended.get(PAGE)
    assert "was not yours" in page.text and "555 0177" not in page.text
    # Nor where they were the last to be signed in, by what the first one had been given.
    Session.objects.all().delete()
    again = sent(ended)
    assert sign_in(ended, asked, manager).headers["Location"] == PAGE
    Session.objects.all().delete()
    assert sign_in(ended, again, manager).headers["Location"] == "/"


def test_it_can_be_discarded(ended: Client, manager: Staff) -> None:
    sign_in(ended, sent(ended), manager)
    assert ended.get("/kept-form/discard/").status_code == 405
    assert ended.post("/kept-form/discard/").headers["Location"] == PAGE
    assert "555 0177" not in ended.get(PAGE).text
    assert ended.post("/kept-form/discard/").headers["Location"] == "/"


def test_what_no_page_can_show_is_shown_by_itself_and_sent_by_a_press(
    ended: Client, manager: Staff
) -> None:
    at = "/on-call/77/remove/?site=harbour"
    asked = ended.post(at, {"reason": "Moved to <Tuesday>"})
    assert sign_in(ended, asked, manager).headers["Location"] == at
    page = ended.get(at)
    assert page.status_code == 200 and "Moved to &lt;Tuesday&gt;" in page.text
    assert f'<form method="post" action="{at}">' in page.text
    # What was refused is still there.
    assert ended.post(at, {"reason": "Moved to <Tuesday>"}).status_code == 404
    assert "Moved to &lt;Tuesday&gt;" in ended.get(at).text
    ended.post("/kept-form/discard/")
    assert ended.get(at).status_code == 405


def test_it_waits_until_it_was_taken(
    ended: Client, manager: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(ended, sent(ended), manager)
    data = {**WROTE, "staff": manager.pk}
    with monkeypatch.context() as broken:
        broken.setattr(on_call, "add", lambda **_: 1 / 0)
        ended.raise_request_exception = False
        assert sent(ended, data=data).status_code == 500
    assert sent(ended, data={**data, "ends_at": WROTE["starts_at"]}).status_code == 422
    ahead = {"HX-Request": "true", "Looks-Ahead": "1"}
    assert sent(ended, **ahead, data=data).status_code == 302
    assert "It is all here again" in ended.get(PAGE).text
    OnCallShift.objects.all().delete()
    assert sent(ended, data=data, **{"HX-Request": "true"}).status_code == 302
    assert "It is all here again" not in ended.get(PAGE).text


def test_files_and_passwords_are_not_kept_and_that_is_said(ended: Client, manager: Staff) -> None:
    data = {"old_password": "secret-1", "phone": "5", "file": SimpleUploadedFile("a.csv", b"x")}
    asked = sent(ended, data=data)
    assert "1 file cannot be kept" in asked.text
    kept = kept_forms.unseal(fields(asked)["kept"], now=timezone.now())
    assert kept is not None and kept.entries == (("phone", "5"),)
    sign_in(ended, asked, manager)
    assert "1 file could not be kept" in ended.get(PAGE).text


def test_a_part_of_a_page_becomes_the_sign_in_page(ended: Client, manager: Staff) -> None:
    asked = sent(
        ended,
        f"{PAGE}?site=harbour",
        referer="",
        **{"HX-Request": "true", "HX-Current-URL": f"http://testserver{PAGE}?site=harbour"},
    )
    assert (asked.status_code, asked.headers["HX-Retarget"]) == (401, "body")
    assert sign_in(ended, asked, manager).headers["Location"] == f"{PAGE}?site=harbour"
    assert "It is all here again" in ended.get(f"{PAGE}?site=harbour").text


def test_who_never_signed_in_here_and_what_scripts_send_are_sent_to_the_sign_in(
    ended: Client, manager: Staff
) -> None:
    assert sent(Client()).headers["Location"] == f"/login/?next={PAGE}"
    assert sent(ended, **{"Sec-Fetch-Mode": "cors"}).status_code == 302
    ended.cookies[kept_forms.WHO] = f"{manager.pk}:forged"
    assert sent(ended).status_code == 302


def test_a_page_from_before_another_sign_in_loses_nothing(
    manager: Staff, front_desk: Staff
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(manager)
    browser.get(PAGE)
    assert sent(browser, origin="https://evil.example").status_code == 403
    assert sent(browser).headers["Location"] == PAGE
    assert 'value="+1 212 555 0177"' in browser.get(PAGE).text
    assert not OnCallShift.objects.exists()
    part = sent(browser, **{"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == PAGE
    # A sign-in page that had it brings it as well.
    Session.objects.all().delete()
    browser.cookies["afterglow_csrf"] = "a" * 32
    token = {"csrfmiddlewaretoken": "a" * 32}
    asked = sent(browser, data=WROTE | token)
    assert asked.status_code == 401
    browser.force_login(manager)
    assert sent(browser, "/login/", fields(asked)).headers["Location"] == PAGE
    browser.force_login(front_desk)
    assert sent(browser).status_code == 403


def test_who_must_rest_before_they_sign_in_loses_nothing(ended: Client, manager: Staff) -> None:
    asked = sent(ended)
    rests = [sign_in(ended, asked, manager, "wrong") for _ in range(8)][-1]
    assert rests.status_code == 429
    keeps_to_the_policy(rests)
    again = ended.post("/login/", fields(rests))
    assert again.status_code == 200 and "There is a problem" not in again.text
    reset()
    assert sign_in(ended, again, manager).headers["Location"] == PAGE
    assert 'value="+1 212 555 0177"' in ended.get(PAGE).text


def test_who_signed_out_or_handed_the_tablet_over_wrote_nothing_after_that(
    client: Client, provider: Staff, patient: Patient
) -> None:
    for leave in ("/logout/", f"/patients/{patient.pk}/hand-over/"):
        client.force_login(provider)
        client.get(PAGE)
        assert client.cookies[kept_forms.WHO].value
        assert client.post(leave).status_code == 302
        assert sent(client).headers["Location"] == f"/login/?next={PAGE}"


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/trap/",
        "http://testserver//evil.example/",
        "http://testserver/\\evil.example/",
    ],
)
def test_nobody_is_led_to_another_house(page: str, ended: Client, manager: Staff) -> None:
    asked = sent(ended, referer=page)
    assert fields(asked)["next"] == PAGE
    assert sign_in(ended, asked, manager).headers["Location"] == PAGE


def test_it_comes_back_at_the_site_for_which_it_was_written(
    client: Client, manager: Staff, site: Site
) -> None:
    first = open_site("albany", "Albany Skin Clinic", "America/New_York", "+15185550100")
    role = SiteRole.objects.create(staff=manager, site=first, role=Role.MANAGER)
    client.force_login(manager)
    assert "Albany Skin Clinic" in client.get(PAGE).text
    client.get(f"{PAGE}?site=harbour")
    Session.objects.all().delete()
    asked = sent(client)
    sign_in(client, asked, manager)
    data = {**WROTE, "staff": manager.pk}
    client.get(f"{PAGE}?site=albany")
    assert "555 0177" not in client.get(PAGE).text
    client.get(f"{PAGE}?site=harbour")
    assert 'value="+1 212 555 0177"' in client.get(PAGE).text
    sent(client, data=data)
    assert OnCallShift.objects.get().site == site
    # Who works there no more finds it nowhere else.
    client.get(f"{PAGE}?site=albany")
    Session.objects.all().delete()
    asked = sent(client)
    role.delete()
    sign_in(client, asked, manager)
    assert "555 0177" not in client.get(PAGE).text


def test_what_is_old_or_not_ours_is_not_read(manager: Staff) -> None:
    kept = kept_forms.Kept(manager.pk, PAGE, PAGE, (("phone", "5"),), 0, "harbour")
    sealed = kept_forms.seal(kept, now=NOW)
    assert "phone" not in sealed and kept_forms.unseal(sealed, now=NOW) == kept
    assert kept_forms.unseal(sealed, now=NOW + timedelta(hours=25)) is None
    assert kept_forms.unseal(sealed[:-9] + "AAAAAAAA=", now=NOW) is None
    assert kept_forms.unseal("", now=NOW) is None


@dataclass(frozen=True)
class Later(kept_forms.Kept):
    """As a later edition may have it."""

    more: str = ""


def test_what_another_edition_sealed_is_not_read(ended: Client, manager: Staff) -> None:
    kept = (manager.pk, PAGE, PAGE)
    for other in (Later(*kept, (), 0, ""), kept_forms.Kept(*kept, (("one",),), 0, "")):  # type: ignore[arg-type]
        assert kept_forms.unseal(kept_forms.seal(other, now=NOW), now=NOW) is None
    # Nor does it stand in the way of a page.
    sign_in(ended, sent(ended), manager)
    session = ended.session
    session[kept_forms.KEY] = kept_forms.seal(Later(*kept, (), 0, ""), now=timezone.now())
    session.save()
    assert ended.get(PAGE).status_code == 200


def test_beside_a_page_its_reader_signs_in_and_anybody_else_is_led_away(
    ended: Client, manager: Staff, front_desk: Staff, site: Site
) -> None:
    elsewhere = open_site("pier", "Pier Clinic", "America/New_York", "+15185550101")
    SiteRole.objects.create(staff=manager, site=elsewhere, role=Role.MANAGER)
    beside = f"/login/beside/?by={manager.pk}&site={elsewhere.slug}"
    assert "what you wrote is still there" in ended.get(beside).text
    credentials = {"username": manager.email, "password": PASSWORD}
    wrong = ended.post(beside, credentials | {"password": "wrong"})
    assert "There is a problem" in wrong.text and 'id="signed-in"' not in wrong.text
    done = ended.post(beside, credentials)
    assert 'id="signed-in"' in done.text and "csrfmiddlewaretoken" in done.text
    assert ended.session["site"] == elsewhere.slug
    # Another tab, for which nobody has to sign in any more.
    assert 'id="signed-in"' in ended.get(beside).text
    other = Client().post(beside, {"username": front_desk.email, "password": PASSWORD})
    assert other.headers["HX-Redirect"] == "/" and not other.content


def test_beside_a_page_nobody_else_gets_more_than_the_way_out(
    ended: Client, manager: Staff, front_desk: Staff, other_site: Site
) -> None:
    credentials = {"username": manager.email, "password": PASSWORD}
    beside = f"/login/beside/?by={manager.pk}&site={other_site.slug}"
    assert 'id="signed-in"' in ended.post(beside, credentials).text
    assert ended.session.get("site") != other_site.slug
    ended.force_login(front_desk)
    other = ended.get(beside)
    assert other.headers["HX-Redirect"] == "/" and not other.content
    wrong = credentials | {"password": "wrong"}
    rests = [Client().post(beside, wrong) for _ in range(8)][-1]
    assert rests.status_code == 429 and "Too many tries" in rests.text
    assert "What you wrote stays here" in rests.text and "<html" not in rests.text
