"""Signing in and out, and what a stranger may learn by trying."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from clinic.demo_logins import LOGINS, PASSWORD
from clinic.models import Role, Site, Staff
from tests.clinic.views.conftest import keeps_to_the_policy
from tests.personas import PASSWORD as THEIR_PASSWORD
from tests.personas import staff_at

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str, **more: str) -> Any:
    return client.post("/login/", {"username": email, "password": password, **more})


def test_the_right_password_leads_to_the_day(client: Client, front_desk: Staff) -> None:
    answer = sign_in(client, front_desk.email.upper(), THEIR_PASSWORD)
    assert answer.headers["Location"] == "/"
    assert client.get("/").headers["Location"] == "/board/"


def test_sign_in_leads_back_to_where_one_wanted_to_go(client: Client, front_desk: Staff) -> None:
    asked = client.get("/protocols/?site=harbour")
    assert asked.headers["Location"] == "/login/?next=/protocols/%3Fsite%3Dharbour"
    answer = sign_in(client, front_desk.email, THEIR_PASSWORD, next="/protocols/?site=harbour")
    assert answer.headers["Location"] == "/protocols/?site=harbour"


def test_sign_in_never_leads_to_another_house(client: Client, front_desk: Staff) -> None:
    answer = sign_in(client, front_desk.email, THEIR_PASSWORD, next="https://evil.example/")
    assert answer.headers["Location"] == "/"


def test_a_stranger_and_a_wrong_password_read_the_same(client: Client, front_desk: Staff) -> None:
    wrong = sign_in(client, front_desk.email, "wrong")
    stranger = sign_in(client, "nobody@clinic.example", "wrong")
    said = [re.findall(r"<li>(.*?)</li>", page.content.decode()) for page in (wrong, stranger)]
    assert said[0] == said[1] == ["E-mail and password do not match. Check both and try again."]


def test_one_who_left_reads_the_same_as_a_stranger(client: Client, front_desk: Staff) -> None:
    front_desk.is_active = False
    front_desk.save()
    answer = sign_in(client, front_desk.email, THEIR_PASSWORD)
    assert "E-mail and password do not match." in answer.content.decode()


def test_an_empty_form_names_its_fields_and_takes_the_focus(client: Client, db: None) -> None:
    html = sign_in(client, "", "").content.decode()
    assert "There is a problem" in html
    assert '<a href="#id_username">E-mail: Enter your e-mail address.</a>' in html
    assert re.search(r'class="error-summary"[^>]*autofocus', html)


def test_too_many_tries_rest_the_account_until_a_time_on_the_clinics_clock(
    client: Client, front_desk: Staff, site: Site
) -> None:
    answer = [sign_in(client, front_desk.email, "wrong") for _ in range(8)][-1]
    assert answer.status_code == 429
    assert re.search(r"until <b>\d\d:\d\d E[SD]T</b>", answer.content.decode())
    keeps_to_the_policy(answer)
    assert sign_in(client, front_desk.email, THEIR_PASSWORD).status_code == 429


def test_one_resting_account_leaves_the_others_alone(
    client: Client, front_desk: Staff, manager: Staff
) -> None:
    for _ in range(8):
        sign_in(client, front_desk.email, "wrong")
    assert sign_in(client, manager.email, THEIR_PASSWORD).status_code == 302


def test_signing_out_needs_a_press_and_ends_the_session(client: Client, front_desk: Staff) -> None:
    client.force_login(front_desk)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/protocols/").headers["Location"].startswith("/login/")


def test_who_is_signed_in_is_not_asked_again(client: Client, front_desk: Staff) -> None:
    client.force_login(front_desk)
    assert client.get("/login/").headers["Location"] == "/"


def test_the_demo_offers_its_four_people_by_one_press(
    client: Client, site: Site, settings: Settings
) -> None:
    settings.DEMO = True
    page = client.get("/login/")
    keeps_to_the_policy(page)
    for login in LOGINS:
        assert f'value="{login.email}"' in page.content.decode()
    member = staff_at(site, Role.FRONT_DESK, "Demo Desk")
    member.email = LOGINS[0].email
    member.set_password(PASSWORD)
    member.save()
    assert sign_in(client, LOGINS[0].email, PASSWORD).status_code == 302


def test_a_real_clinic_shows_no_login_of_the_demo(client: Client, db: None) -> None:
    html = client.get("/login/").content.decode()
    assert "demo.example" not in html
    assert PASSWORD not in html


def test_the_password_field_helps_a_password_manager(client: Client, db: None) -> None:
    html = client.get("/login/").content.decode()
    assert 'autocomplete="username"' in html
    assert 'autocomplete="current-password"' in html
