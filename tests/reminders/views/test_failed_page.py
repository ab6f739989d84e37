"""What patients read when something goes wrong, and that staff pages say it as ever."""

import pytest
from django.core.exceptions import BadRequest
from django.test import Client, RequestFactory
from django.utils import translation

from clinic.models import Site, Staff
from reminders.patient_pages import failed_page
from reminders.patient_pages.language import SWITCHED

ENORMOUS = str(400 * 1024 * 1024)


@pytest.mark.django_db
def test_an_address_that_no_page_has_leads_to_the_sites(client: Client, site: Site) -> None:
    answer = client.get("/p/not-a-token/nothing/here/?lang=es")
    page = answer.content.decode()
    assert answer.status_code == 404 and "no-store" in answer["Cache-Control"]
    assert "Este enlace no abre" in page and f"tel:{site.phone}" in page
    assert "There is nothing here" in client.get("/nothing/here/").content.decode()


@pytest.mark.django_db
def test_a_form_without_its_secret_says_what_to_do() -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies[SWITCHED] = "es"
    answer = client.post("/p/not-a-token/ask/")
    assert answer.status_code == 403 and "Envíelo otra vez" in answer.content.decode()
    assert 'class="topbar"' in client.post("/preferences/").content.decode()


def test_a_fault_of_ours_needs_no_database(rf: RequestFactory) -> None:
    answer = failed_page.broken(rf.get("/p/token/", {"lang": "es"}))
    assert answer.status_code == 500 and "Algo falló" in answer.content.decode()
    assert "To the day" in failed_page.broken(rf.get("/board/")).content.decode()


@pytest.mark.parametrize("path", ["/p/token/visits/3/move/", "/board/"])
def test_a_page_that_broke_is_tried_again_and_what_was_sent_is_not(
    rf: RequestFactory, path: str
) -> None:
    asked = failed_page.broken(rf.get(path, {"day": "2027-03-18"})).content.decode()
    assert f'<a class="btn p" href="{path}?day=2027-03-18">Try again</a>' in asked
    assert "What you sent" not in asked
    sent = failed_page.broken(rf.post(path)).content.decode()
    assert "What you sent was not" in sent and 'class="btn p"' not in sent


def test_what_cannot_be_read_is_told_in_the_readers_language(rf: RequestFactory) -> None:
    with translation.override("es"):
        staff = failed_page.unread(rf.get("/board/"), BadRequest())
        patient = failed_page.unread(rf.get("/p/token/", {"lang": "es"}), BadRequest())
    assert (staff.status_code, patient.status_code) == (400, 400)
    assert "No se pudo leer" in staff.content.decode() and 'lang="es"' in staff.content.decode()
    assert "No pudimos leer" in patient.content.decode()


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_told_so_on_a_page(client: Client) -> None:
    answer = client.get("/login/", HTTP_HOST="elsewhere.example")
    assert answer.status_code == 400 and "could not be read" in answer.content.decode()


@pytest.mark.django_db
def test_opening_what_only_takes_a_form_leads_on(client: Client, front_desk: Staff) -> None:
    assert client.get("/p/token/visits/3/confirm/")["Location"] == "/p/token/"
    client.force_login(front_desk)
    opened = client.get("/logout/")
    assert opened.status_code == 405 and "no page of its own" in opened.content.decode()
    assert opened["Allow"] == "POST, OPTIONS"
    Staff.objects.filter(pk=front_desk.pk).update(language="es")
    assert 'lang="es"' in client.get("/logout/").content.decode()
    assert client.put("/logout/").content == b""
    assert client.get("/webhooks/twilio/inbound/").content == b""


@pytest.mark.django_db
def test_what_is_too_large_is_told_in_the_words_of_who_sent_it(
    client: Client, front_desk: Staff, site: Site
) -> None:
    def sent(path: str) -> str:
        answer = client.post(
            path, b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=ENORMOUS
        )
        assert answer.status_code == 413
        return answer.content.decode()

    client.cookies[SWITCHED] = "es"
    page = sent("/p/not-a-token/photos/")
    assert "Es demasiado grande" in page and 'lang="es"' in page and "too large" not in page
    assert "como máximo" in page and 'href="/p/not-a-token/photos/"' in page
    assert f"tel:{site.phone}" in page
    client.force_login(front_desk)
    page = sent("/preferences/")
    assert "At most 2 MB" in page and 'class="topbar"' in page and "demasiado" not in page
    Staff.objects.filter(pk=front_desk.pk).update(language="es")
    assert "Es demasiado grande" in sent("/preferences/")
