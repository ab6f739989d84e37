"""Photos on the pages of staff, of the patient, and over the API: shown by permission only."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from appointments.models import Appointment, Photo
from appointments.photos import adding, preparing
from clinic import reader_language
from clinic.models import Staff
from patients.models import Patient, SignedForm
from tests.api import api, refused
from tests.appointments.photos.conftest import add as add
from tests.appointments.photos.conftest import agreed as agreed
from tests.appointments.photos.conftest import private_root as private_root
from tests.appointments.photos.conftest import record_form as record_form
from tests.appointments.photos.pictures import opened, picture
from tests.clinic.views.conftest import keeps_to_the_policy
from tests.links import issued

pytestmark = pytest.mark.django_db

BORN = {"year": "1988", "month": "5", "day": "4"}


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def file(content: bytes | None = None, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture() if content is None else content)


# --- Staff ----------------------------------------------------------------------------------------


def test_staff_add_a_photo_of_a_view_at_a_visit_with_the_last_one_as_ghost(
    desk: Client, visits: list[Appointment], patient: Patient, add: Any
) -> None:
    last = add()
    home = f"/patients/{patient.pk}/photos/"
    page = desk.get(f"{home}?visit={visits[0].pk}")
    keeps_to_the_policy(page)
    assert f"add/?area=face&amp;view=front&amp;visit={visits[0].pk}" in text_of(page)
    form = f"{home}add/?area=face&view=front&visit={visits[0].pk}"
    shown = desk.get(form)
    keeps_to_the_policy(shown)
    assert f'class="ghost" src="/photos/{last.pk}/screen.jpg"' in text_of(shown)
    done = desk.post(form, {"taken": file(name="evil.php")})
    assert done.status_code == 302, text_of(done)
    made = Photo.objects.latest("pk")
    assert (made.appointment_id, made.source, made.view) == (visits[0].pk, "camera", "front")
    for wrong in (b"<svg/>", b"GIF89a" + b"\x00" * 50):
        answer = desk.post(form, {"file": file(wrong)})
        assert answer.status_code == 422 and "JPEG, PNG or HEIC" in text_of(answer)
    assert desk.post(form).status_code == 422
    assert desk.get(f"{home}add/?area=face&view=palms_down").status_code == 404


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(
    desk: Client, patient: Patient, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "MOST_BYTES", 2000)
    address = f"/patients/{patient.pk}/photos/add/?area=face&view=front"
    answer = desk.post(address, {"file": file(b"\xff\xd8\xff" + b"\x00" * 4000)})
    assert answer.status_code == 422 and "larger than" in text_of(answer)


def test_a_picture_is_shown_to_who_may_see_the_patient_and_kept_by_nobody(
    desk: Client, stranger: Client, add: Any
) -> None:
    photo = add()
    for size in ("thumb", "screen", "full"):
        address = f"/photos/{photo.pk}/{size}.jpg"
        answer = desk.get(address)
        assert answer["Cache-Control"] == "no-store, private"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert opened(answer.content).format == "JPEG"
        assert photo.key.hex not in str(answer.headers)
        assert stranger.get(address).status_code == 404
        assert Client().get(address).status_code == 302
    for nowhere in (f"/photos/{photo.pk}/other.jpg", f"/static/photos/{photo.key.hex}/full.jpg"):
        assert desk.get(nowhere).status_code == 404
    for address in ("", "remove/"):
        act = stranger.post if address else stranger.get
        assert act(f"/photos/{photo.pk}/{address}").status_code == 404


def test_photos_of_one_view_are_compared_and_others_are_not(
    desk: Client, stranger: Client, patient: Patient, add: Any, now: datetime
) -> None:
    first, last = add(now=now - timedelta(days=30)), add()
    other = add(view="left")
    home = f"/patients/{patient.pk}/photos/compare/"
    page = desk.get(f"{home}?before={last.pk}&after={first.pk}")
    keeps_to_the_policy(page)
    said = text_of(page)
    assert said.index(f"/photos/{first.pk}/screen.jpg") < said.index(
        f"/photos/{last.pk}/screen.jpg"
    )
    wrong = desk.get(f"{home}?before={first.pk}&after={other.pk}")
    assert wrong["Location"] == f"/patients/{patient.pk}/photos/"
    assert desk.get(f"{home}?before={first.pk}&after=x").status_code == 404
    assert stranger.get(f"{home}?before={first.pk}&after={last.pk}").status_code == 404


def test_a_photo_says_what_it_shows_in_the_language_of_its_reader(
    desk: Client, add: Any, front_desk: Staff
) -> None:
    photo = add()
    reader_language.choose(front_desk, "es")
    page = text_of(desk.get(f"/photos/{photo.pk}/"))
    assert "<h1>Rostro, de frente</h1>" in page and "Rostro, lado izquierdo</option>" in page
    assert "Face" not in page and "left side" not in page


@pytest.mark.parametrize(
    ("area", "name"), [("decollete", "Escote"), ("periorbital_area", "Periorbital area")]
)
def test_an_area_that_no_series_of_the_patient_has_is_named_in_words(
    area: str,
    name: str,
    desk: Client,
    visits: list[Appointment],
    patient: Patient,
    add: Any,
    front_desk: Staff,
) -> None:
    """As another protocol names it, else by what its id tells."""
    one, other = add(area=area), add(area=area)
    reader_language.choose(front_desk, "es")
    home = f"/patients/{patient.pk}/photos/"
    for address in (
        home,
        f"{home}add/?area={area}&view=front",
        f"{home}compare/?before={one.pk}&after={other.pk}",
        f"/photos/{one.pk}/",
    ):
        said = re.sub(r"<[^>]*>", " ", text_of(desk.get(address)))
        assert name in said and area not in said, address


def test_a_photo_is_taken_out_with_a_reason_by_clinicians(
    desk: Client, provider: Staff, add: Any
) -> None:
    photo = add()
    address = f"/photos/{photo.pk}/"
    keeps_to_the_policy(desk.get(address))
    assert "Take it out" not in text_of(desk.get(address))
    assert desk.post(f"{address}remove/", {"reason": "x"}).status_code == 403
    desk.force_login(provider)
    desk.post(f"{address}remove/", {"reason": ""})
    assert Photo.objects.standing().exists()
    desk.post(f"{address}remove/", {"reason": "It shows somebody else"})
    assert desk.get(address).status_code == 404
    assert desk.get(f"{address}screen.jpg").status_code == 404


def test_without_the_signature_staff_are_told_and_nothing_is_taken(
    desk: Client, visits: list[Appointment], patient: Patient
) -> None:
    said = text_of(desk.get(f"/patients/{patient.pk}/photos/"))
    assert "No photos may be taken" in said and "add/?" not in said
    answer = desk.post(f"/patients/{patient.pk}/photos/add/?area=face&view=front", {"file": file()})
    assert answer.status_code == 422 and "has not agreed" in text_of(answer)


# --- The patient ----------------------------------------------------------------------------------


@pytest.fixture
def mine(visits: list[Appointment], patient: Patient, now: datetime) -> tuple[Client, str]:
    browser = Client()
    url = f"/p/{issued(patient_id=patient.pk, appointment=visits[0], now=now)}/"
    assert browser.post(url, BORN).status_code == 303
    return browser, url


def test_a_patient_sends_photos_that_staff_then_look_at(
    mine: tuple[Client, str], desk: Client, patient: Patient, agreed: SignedForm
) -> None:
    browser, url = mine
    assert "Send us photos" in text_of(browser.get(url))
    keeps_to_the_policy(browser.get(f"{url}photos/"))
    done = browser.post(f"{url}photos/", {"files": [file(), file(picture("HEIF"))]})
    assert done.status_code == 303
    assert "received: 2" in text_of(browser.get(done["Location"]))
    waiting = Photo.objects.to_review()
    assert waiting.count() == 2 and {each.source for each in waiting} == {"patient"}
    home = f"/patients/{patient.pk}/photos/"
    assert "to look at (2)" in text_of(desk.get(home))
    one = waiting[0]
    assert desk.post(f"/photos/{one.pk}/", {"shows": "face/none"}).status_code == 422
    assert desk.post(f"/photos/{one.pk}/", {"shows": "face/left"}).status_code == 302
    assert "to look at (1)" in text_of(desk.get(home))


def test_a_patients_page_refuses_in_their_words_and_keeps_the_good_ones(
    mine: tuple[Client, str], patient: Patient, agreed: SignedForm
) -> None:
    browser, url = mine
    Patient.objects.filter(pk=patient.pk).update(language="es")
    answer = browser.post(f"{url}photos/", {"files": [file(), file(b"none"), file()]})
    said = text_of(answer)
    assert answer.status_code == 422 and Photo.objects.count() == 1
    assert "Foto 2: no es una imagen" in said and "Foto 3: esta ya la tenemos" in said
    assert "Fotos que hemos recibido: 1." in said
    several = [file(picture(size=(300 + each, 300))) for each in range(8)]
    said = text_of(browser.post(f"{url}photos/", {"files": several}))
    assert "Fotos que hemos recibido: 6." in said
    assert "Se reciben 6 fotos como mucho a la vez. Sin mirar: 2." in said
    assert Photo.objects.count() == 7
    assert "Elija una foto" in text_of(browser.post(f"{url}photos/"))


def test_of_more_than_go_at_once_it_is_told_how_many_were_not_looked_at(
    mine: tuple[Client, str], agreed: SignedForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, url = mine

    def sent(*contents: bytes) -> str:
        return text_of(browser.post(f"{url}photos/", {"files": [file(each) for each in contents]}))

    several = [picture(size=(300 + each, 300)) for each in range(6)]
    said = sent(*[b"none"] * 3, *several)
    assert said.count("this is no JPEG") == 3 and "Photos that we received: 3." in said
    assert "At most 6 photos are taken at once. Not looked at: 3. Send those apart." in said
    assert "Only the first" not in said
    monkeypatch.setattr(adding, "MOST_WAITING", 4)
    said = sent(*several[3:], *[b"none"] * 6)
    assert "Send more later" in said and "Not looked at" not in said


def test_without_birth_date_or_signature_a_patient_sends_nothing(
    mine: tuple[Client, str], patient: Patient
) -> None:
    browser, url = mine
    assert "we need your signature" in text_of(browser.get(f"{url}photos/"))
    assert browser.post(f"{url}photos/", {"files": [file()]}).status_code == 422
    assert Client().post(f"{url}photos/", {"files": [file()]}).status_code == 302
    assert not Photo.objects.exists()


# --- API ------------------------------------------------------------------------------------------


def test_the_api_adds_reviews_shows_and_removes(
    patient: Patient,
    front_desk: Staff,
    provider: Staff,
    outsider: Staff,
    agreed: SignedForm,
) -> None:
    address = "/api/v1/photos/"

    def asked(content: bytes | None = None, **changed: Any) -> dict[str, Any]:
        said = {"patient": patient.pk, "site": patient.sites.get().pk, "area": "face"}
        return {**said, "view": "front", "file": file(content), **changed}

    def post(staff: Staff, body: dict[str, Any]) -> Any:
        return api(staff).post(address, body, format="multipart")

    refused(post(outsider, asked()), 404, "not_found", "patient")
    refused(post(front_desk, asked(b"none")), 400, "picture_refused", "file")
    refused(post(front_desk, asked(view="palms_down")), 400, "unknown_view", "view")
    made = post(front_desk, asked())
    assert made.status_code == 201, made.content
    refused(post(front_desk, asked()), 409, "photo_known", "file")
    here = f"{address}{made.json()['id']}/"
    shown = api(front_desk).get(f"{here}picture/?size=thumb")
    assert shown["Cache-Control"] == "no-store, private" and opened(shown.content).format == "JPEG"
    for path in (here, f"{here}picture/"):
        refused(api(outsider).get(path), 404, "not_found")
    refused(api(outsider).post(f"{here}remove/", {"reason": "x"}), 404, "not_found")
    refused(api(front_desk).post(f"{here}remove/", {"reason": "x"}), 403, "forbidden")
    review = {"area": "face", "view": "left"}
    assert api(front_desk).post(f"{here}review/", review).json()["view"] == "left"
    assert api(outsider).get(address).json()["count"] == 0
    assert api(provider).post(f"{here}remove/", {"reason": "Blurred"}).status_code == 204
    refused(api(provider).get(here), 404, "not_found")
