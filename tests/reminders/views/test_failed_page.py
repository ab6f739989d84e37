"""What patients read when something goes wrong, and that staff pages say it as ever."""

import pytest
from django.test import Client, RequestFactory

from clinic.models import Site
from reminders.patient_pages import failed_page
from reminders.patient_pages.language import SWITCHED


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
