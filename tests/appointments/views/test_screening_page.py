"""The screening page of a visit, and the API of the same."""

from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient, ScreeningAnswer, ScreeningDecision
from tests.api import CLOCK, api, refused

pytestmark = [pytest.mark.django_db, CLOCK]
ANSWERS, DECISIONS = "/api/v1/screening/answers/", "/api/v1/screening/decisions/"


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def path(visits: list[Appointment]) -> str:
    return f"/visits/{visits[0].pk}/screening/"


def test_answers_are_written_down_and_what_follows_is_shown(
    path: str, front_desk: Staff, patient: Patient
) -> None:
    client = signed_in(front_desk)
    page = client.get(path).content.decode()
    assert "Are you pregnant or breastfeeding?" in page and "Nothing that was answered" in page
    answer = {
        "q_bleeding": "yes",
        "q_filler": "date",
        "q_filler_day": "2027-02-10",
        "skin_type": "IV",
    }
    assert client.post(path, answer).status_code == 303
    page = client.get(path).content.decode()
    assert "Ask the prescriber; nobody else tells the patient" in page
    assert "not before Fri 12 Mar 2027" in page and "/move/?day=2027-03-12" in page
    assert "Skin type IV: a clinician decides" in page
    assert "Who may decide: provider, clinical lead" in page
    patient.refresh_from_db()
    assert (patient.skin_type, patient.skin_type_by) == ("IV", front_desk)
    assert "Answers" not in page and "lacking" not in page


def test_what_cannot_be_read_is_asked_again_with_what_was_typed(
    path: str, front_desk: Staff
) -> None:
    client = signed_in(front_desk)
    page = client.post(path, {"q_filler": "date", "q_filler_day": "soon", "q_keloid": "no"})
    assert page.status_code == 422 and not ScreeningAnswer.objects.exists()
    text = page.content.decode()
    assert "Give the day, or choose another answer." in text
    assert 'name="q_keloid" value="no" checked' in text
    ahead = {"q_filler": "date", "q_filler_day": "2027-02-20"}
    assert b"give a day that is past" in client.post(path, ahead).content


def test_a_clinician_decides_on_the_page_and_the_front_desk_does_not(
    path: str, front_desk: Staff, provider: Staff
) -> None:
    signed_in(front_desk).post(path, {"q_keloid": "yes"})
    answer = ScreeningAnswer.objects.get()
    form = {"rule": "keloid", "answers": str(answer.pk), "decision": "treat", "reason": "Seen it"}
    assert signed_in(front_desk).post(f"{path}decide/", form).status_code == 403
    client = signed_in(provider)
    stale = client.post(f"{path}decide/", form | {"answers": "x"})
    assert stale.status_code == 409 and b"answered anew meanwhile" in stale.content
    assert client.post(f"{path}decide/", form).status_code == 303
    assert "decided on Mon 15 Feb to treat all the same: Seen it" in (
        client.get(path).content.decode()
    )


def test_the_outsider_sees_nothing_of_it(path: str, outsider: Staff) -> None:
    client = signed_in(outsider)
    assert client.get(path).status_code == client.post(path).status_code == 404
    assert client.post(f"{path}decide/").status_code == 404
    assert Client().get(path).status_code == 302


# --- The API --------------------------------------------------------------------------------------


@pytest.fixture
def treatment(patient: Patient, site: Site, house: ProtocolVersion) -> dict[str, Any]:
    return {"patient": patient.pk, "site": site.pk, "protocol": house.pk, "areas": ["face"]}


def test_the_api_asks_writes_down_and_decides(
    treatment: dict[str, Any], front_desk: Staff, provider: Staff
) -> None:
    asked = api(front_desk).post(f"{ANSWERS}assess/", treatment).json()
    questions = {each["id"]: each for each in asked["questions"]}
    assert questions["filler"]["values"] == ["never", "date", "unsure"]
    assert questions["tan_planned"]["is_planned"] and asked["findings"][0]["rule"] == "lacking"
    said = [
        {"question": "keloid", "value": "yes"},
        {"question": "isotretinoin", "value": "date", "day": "2026-09-15"},
    ]
    told = api(front_desk).post(ANSWERS, treatment | {"answers": said, "skin_type": "III"})
    assert told.status_code == 201
    bars = {bar["about"]: bar for bar in told.json()["bars"]}
    assert (bars["isotretinoin"]["outcome"], bars["isotretinoin"]["until"]) == (
        *("block", "2027-03-15"),
    )
    (keloid,) = (each for each in told.json()["findings"] if each["rule"] == "keloid")
    decision = treatment | {
        "rule": "keloid",
        "answers": keloid["answers"],
        "proceeds": True,
        "reason": "Small and old",
    }
    refused(api(front_desk).post(DECISIONS, decision), 403, "forbidden")
    refused(
        api(provider).post(DECISIONS, decision | {"answers": [999]}),
        *(409, "answers_changed", "answers"),
    )
    refused(
        api(provider).post(DECISIONS, decision | {"rule": "pregnancy"}),
        *(409, "not_decidable", "rule"),
    )
    assert api(provider).post(DECISIONS, decision).json()["by"] == provider.pk
    assert len(api(front_desk).get(ANSWERS).json()["results"]) == 2
    assert len(api(front_desk).get(DECISIONS).json()["results"]) == 1
    wrong = treatment | {"answers": [{"question": "keloid", "value": "never"}]}
    refused(api(front_desk).post(ANSWERS, wrong), 400, "answer_refused", "keloid")


def test_the_api_refuses_the_outsider(
    treatment: dict[str, Any], outsider: Staff, patient: Patient, site: Site
) -> None:
    for path in (ANSWERS, DECISIONS):
        assert api().get(path).status_code == 401
        assert api(outsider).get(path).json()["results"] == []
    for path in (f"{ANSWERS}assess/", ANSWERS):
        refused(api(outsider).post(path, treatment), 404, "not_found", "patient")
    patient.sites.add(*outsider.site_roles.values_list("site", flat=True))
    refused(api(outsider).post(ANSWERS, treatment), 404, "not_found", "site")
    assert not ScreeningAnswer.objects.exists() and not ScreeningDecision.objects.exists()
