"""The pages of imports: upload, columns, check, run, report; refused to whom they are not."""

import gc
import re
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from appointments.importing import working
from appointments.models import Import
from clinic.models import AuditEntry, Site, Staff
from patients.models import Patient
from tests.api import CLOCK
from tests.appointments.importing.conftest import HEADER, as_file, person
from tests.clinic.views.conftest import keeps_to_the_policy

pytestmark = [pytest.mark.django_db, CLOCK]
PAGE = "/imports/"


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def send(client: Client, content: bytes) -> str:
    answer = client.post(PAGE, {"file": SimpleUploadedFile("old.csv", content)})
    assert answer.status_code == 303, answer.content.decode()[:400]
    return answer.headers["Location"]


def columns_of(client: Client, address: str) -> dict[str, str]:
    form = client.get(address).context["form"]
    return {name: str(field.initial or "") for name, field in form.fields.items()}


def test_a_manager_goes_from_upload_to_report_without_script(
    site: Site, manager: Staff, now: datetime
) -> None:
    client = signed_in(manager)
    assert "Nothing imported yet" in client.get(PAGE).content.decode()
    bad = person(3, "Ben", "Berg", dob="soon")
    address = send(client, as_file(HEADER, person(1), bad))
    page = client.get(address)
    html = page.content.decode()
    assert "Those that could be guessed are set." in html and "(212) 555-1001" in html
    keeps_to_the_policy(page)
    assert client.post(address, columns_of(client, address)).status_code == 303
    html = client.get(address).content.decode()
    assert "<progress" in html and "Checking" in html and "Stop" in html
    working.work(clock=lambda: now)
    assert client.get(f"{address}progress/").headers["HX-Refresh"] == "true"
    html = client.get(address).content.decode()
    assert "Nothing is written yet." in html and "1 of 2 rows would change something" in html
    wrong = f"{address}?outcome=error"
    assert "“soon” is not a date" in client.get(wrong).content.decode()
    assert '<th scope="row">Ben Berg</th>' in client.get(wrong).content.decode()
    spanish = client.get(wrong, headers={"accept-language": "es"}).content.decode()
    assert "“soon” no es una fecha. Escríbala como 2026-04-03." in spanish
    assert client.post(f"{address}run/").status_code == 303
    working.work(clock=lambda: now)
    html = client.get(address).content.decode()
    assert "1 is left out until mended or decided." in html
    assert "New patients 1" in html and f"/patients/{Patient.objects.get().pk}/" in html
    lines = b"".join(client.get(f"{address}to-be-mended.csv")).decode().splitlines()
    assert len(lines) == 2 and lines[0].endswith(",problem,decision")
    # Whoever asks for the head alone leaves no file open: it would be warned of here.
    assert client.head(f"{address}to-be-mended.csv").status_code == 200
    gc.collect()
    # The next file with these columns is known.
    again = send(client, as_file(HEADER, person(1)))
    assert "as for the last file" in client.get(again).content.decode()
    client.post(again, columns_of(client, again))
    working.work(clock=lambda: now)
    html = client.get(again).content.decode()
    assert "Running it would change nothing." in html and "Import 0" not in html


def test_a_name_that_is_as_long_as_its_cell_is_cut_in_the_report(
    site: Site, manager: Staff, now: datetime
) -> None:
    client = signed_in(manager)
    address = send(client, as_file(HEADER, person(1, "Ben", "Berg" * 500)))
    client.post(address, columns_of(client, address))
    working.work(clock=lambda: now)
    html = client.get(f"{address}?outcome=error").content.decode()
    [who] = re.findall(r'<th scope="row">(Ben .*?)</th>', html)
    assert len(who) == 120 and who.endswith("BergBer…")


def test_what_cannot_be_is_told_and_nothing_is_lost(site: Site, manager: Staff) -> None:
    client = signed_in(manager)
    empty = client.post(PAGE, {"file": SimpleUploadedFile("old.csv", b"")})
    assert empty.status_code == 422 and "This file is empty." in empty.content.decode()
    assert client.post(PAGE).status_code == 422
    address = send(client, as_file(HEADER, person(1, dob="03/04/1980")))
    form = columns_of(client, address)
    asked = client.post(address, form)
    assert asked.status_code == 422 and "can be two dates" in asked.content.decode()
    twice = client.post(address, {**form, "column_1": "family", "date_order": "dmy"})
    assert "is the family name already" in twice.content.decode()
    without = {**form, "column_0": "", "column_3": "", "date_order": "dmy"}
    html = client.post(address, without).content.decode()
    assert "Say which columns hold the names and the birth date" in html
    assert not Import.objects.get().mapping


def test_a_file_without_rows_says_so_and_offers_another(
    site: Site, manager: Staff, now: datetime
) -> None:
    client = signed_in(manager)
    address = send(client, as_file(HEADER))
    client.post(address, columns_of(client, address) | {"date_order": "mdy"})
    working.work(clock=lambda: now)
    html = client.get(address).content.decode()
    assert "There is no row below" in html and "would change nothing" not in html
    assert f'<a class="btn p" href="{PAGE}?site={site.slug}">' in html


def test_a_number_or_address_that_is_none_is_named(
    site: Site, manager: Staff, now: datetime
) -> None:
    client = signed_in(manager)
    address = send(client, as_file(HEADER, person(1, mobile="55-x", email="ada at home")))
    client.post(address, columns_of(client, address))
    working.work(clock=lambda: now)
    html = client.get(address).content.decode()
    assert "“55-x”: This is not a phone number." in html
    assert "“ada at home”: This is not" in html
    spanish = client.get(address, headers={"accept-language": "es"}).content.decode()
    assert "“55-x”: Esto no es un número de teléfono." in spanish
    assert f'<a class="btn p" href="{address}to-be-mended.csv"' in html


def test_an_import_is_stopped_checked_again_and_deleted(
    site: Site, manager: Staff, now: datetime
) -> None:
    client = signed_in(manager)
    address = send(client, as_file(HEADER, person(1)))
    client.post(address, columns_of(client, address))
    client.post(f"{address}stop/")
    assert "Stopped." in client.get(address).content.decode()
    client.post(f"{address}check/")
    working.work(clock=lambda: now)
    assert "Import 1 row<" in client.get(address).content.decode()
    client.post(f"{address}delete/")
    html = client.get(address).content.decode()
    assert "The file and its rows are deleted." in html and "Import 1 row<" not in html
    gone = client.get(f"{address}to-be-mended.csv", follow=True).content.decode()
    assert "The file of this import was deleted." in gone


def test_others_have_no_imports(
    site: Site, manager: Staff, front_desk: Staff, outsider: Staff
) -> None:
    address = send(signed_in(manager), as_file(HEADER, person(1)))
    assert 'href="/imports/"' in signed_in(manager).get("/preferences/").content.decode()
    assert 'href="/imports/"' not in signed_in(front_desk).get("/preferences/").content.decode()
    for one in (PAGE, address, f"{address}progress/", f"{address}to-be-mended.csv"):
        assert signed_in(front_desk).get(one).status_code == 403, one
        assert Client().get(one).status_code == 302
    for one in (address, f"{address}progress/", f"{address}to-be-mended.csv"):
        assert signed_in(outsider).get(one).status_code == 404, one
    for act in ("check", "run", "stop", "delete"):
        assert signed_in(front_desk).post(f"{address}{act}/").status_code == 403
        assert signed_in(outsider).post(f"{address}{act}/").status_code == 404
    assert signed_in(outsider).get(f"{PAGE}?site={site.slug}").status_code == 403
    assert signed_in(front_desk).post("/imports/live/").status_code == 403


def test_a_manager_sets_when_the_site_goes_live(site: Site, manager: Staff) -> None:
    client, before = signed_in(manager), site.revision
    assert 'value="2025-12-31T19:00"' in client.get(PAGE).content.decode()
    assert client.post("/imports/live/", {"wall": "2027-03-01T08:00"}).status_code == 303
    site.refresh_from_db()
    assert site.live_from == datetime(2027, 3, 1, 13, 0, tzinfo=UTC)
    assert site.revision == before + 1
    assert AuditEntry.objects.get(action="site.settings").after == {
        "live_from": "2027-03-01T13:00:00+00:00"
    }
    refused = client.post("/imports/live/", {"wall": "2027-03-14T02:30"})
    assert refused.status_code == 422 and "does not exist" in refused.content.decode()
    client.post("/imports/live/", {"wall": ""})
    site.refresh_from_db()
    assert site.live_from is None
