"""Adverse events as pages and through the API."""

from typing import Any

import pytest
from django.test import Client

from appointments.models import AdverseEvent, Appointment, Photo
from clinic.models import Staff
from tests.api import api, refused
from tests.appointments.conftest import FIRST, at

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.time_machine(at(FIRST, "18:00"), tick=False),
]


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def form(**changes: Any) -> dict[str, Any]:
    return {
        "what": "Blister on the cheek",
        "severity": "moderate",
        "areas": ["face"],
        "day": "2027-03-04",
        "time": "17:30",
        **changes,
    }


def test_the_desk_reports_it_and_a_clinician_closes_it(
    visits: list[Appointment], front_desk: Staff, provider: Staff
) -> None:
    desk, clinician = signed_in(front_desk), signed_in(provider)
    new = f"/events/new/?visit={visits[0].pk}"
    assert desk.get(new).status_code == 200
    wrong = desk.post(new, form(what="", day="2027-03-05"))
    assert wrong.status_code == 422 and "in a few words" in wrong.content.decode()
    assert "in the future" in desk.post(new, form(day="2027-03-05")).content.decode()
    made = desk.post(new, form())
    event = AdverseEvent.objects.get()
    assert made.status_code == 303 and made.headers["Location"] == f"/events/{event.pk}/"
    assert event.noticed_at == at(FIRST, "17:30")
    address = f"/events/{event.pk}/"
    assert "nobody sees to it yet" in desk.get("/events/").content.decode()
    shown, other = (_photo(event, area, front_desk) for area in ("face", "neck"))
    page = desk.get(address).content.decode()
    assert "I see to it" in page and "Close it" not in page
    assert f"/photos/{shown.pk}/" in page and f"/photos/{other.pk}/" not in page
    # The one that bars the visit, and not another one that is open.
    desk.post(new, form(areas=["neck"]))
    of_face = desk.get(f"/events/visit/{visits[1].pk}/").headers["Location"]
    assert of_face == address
    assert clinician.post(f"{address}take/").status_code == 303
    later = {
        "version": 2,
        "severity": "mild",
        "areas": ["face"],
        "course": "Smaller",
        "measures": "",
    }
    assert clinician.post(f"{address}complete/", later).status_code == 303
    assert clinician.post(f"{address}complete/", later).status_code == 409
    assert clinician.post(f"{address}close/", {"version": 3}).status_code == 422
    closing = {"version": 3, "outcome": "resolved", "conclusion": "Healed"}
    assert desk.post(f"{address}close/", closing).status_code == 403
    assert clinician.post(f"{address}close/", closing).status_code == 303
    assert "Healed without a trace" in desk.get("/events/?closed=1").content.decode()
    assert "What is known" in desk.get(address).content.decode()
    assert desk.get(f"{address}device-data.json").json()["event"]["outcome"] == "resolved"
    sheet = desk.get(f"{address}device-data.pdf")
    assert sheet.headers["Content-Type"] == "application/pdf" and sheet.content[:4] == b"%PDF"


def test_an_event_that_was_closed_unseen_asks_for_nobody(
    visits: list[Appointment], provider: Staff, front_desk: Staff
) -> None:
    signed_in(front_desk).post(f"/events/new/?visit={visits[0].pk}", form())
    event = AdverseEvent.objects.get()
    clinician, address = signed_in(provider), f"/events/{event.pk}/"
    assert "nobody yet" in clinician.get(address).content.decode()
    closing = {"version": 1, "outcome": "resolved", "conclusion": "Healed"}
    assert clinician.post(f"{address}close/", closing).status_code == 303
    page = clinician.get(address).content.decode()
    assert "nobody yet" not in page and "<dd>nobody</dd>" in page


def _photo(event: AdverseEvent, area: str, by: Staff) -> Photo:
    return Photo.objects.create(
        patient=event.patient, site=event.site, area=area, view="front", digest=area, width=1,
        height=1, source="camera", taken_at=event.noticed_at, is_dated=True,
        added_at=event.noticed_at, added_by=by,
    )  # fmt: skip


def test_the_other_site_sees_nothing_and_nobody_signs_in(
    visits: list[Appointment], front_desk: Staff, outsider: Staff
) -> None:
    signed_in(front_desk).post(f"/events/new/?visit={visits[0].pk}", form())
    event = AdverseEvent.objects.get()
    stranger = signed_in(outsider)
    for path in ("", "device-data.json", "device-data.pdf"):
        assert stranger.get(f"/events/{event.pk}/{path}").status_code == 404
        assert Client().get(f"/events/{event.pk}/{path}").status_code == 302
    for act in ("take", "complete", "close", "photos"):
        assert stranger.post(f"/events/{event.pk}/{act}/").status_code == 404
    assert stranger.get(f"/events/new/?visit={visits[0].pk}").status_code == 404
    assert stranger.get(f"/events/new/?patient={event.patient_id}").status_code == 404
    assert stranger.get(f"/events/visit/{visits[0].pk}/").status_code == 404
    assert "Blister" not in stranger.get("/events/").content.decode()
    address = f"/api/v1/adverse-events/{event.pk}/"
    assert api(outsider).get("/api/v1/adverse-events/").json()["results"] == []
    for method, path in (
        *(("get", ""), ("get", "device-data/"), ("post", "take/")),
        *(("post", "complete/"), ("post", "close/")),
    ):
        refused(getattr(api(outsider), method)(f"{address}{path}"), 404, "not_found")


def test_the_api_reports_takes_completes_and_closes(
    visits: list[Appointment], front_desk: Staff, provider: Staff
) -> None:
    sent = {
        "patient": visits[0].series.patient_id,
        "site": visits[0].site_id,
        "appointment": visits[0].pk,
        "what": "Blister",
        "severity": "severe",
        "noticed_at": "2027-03-04T22:30:00Z",
        "areas": ["face"],
    }
    desk, address = api(front_desk), "/api/v1/adverse-events/"
    wrong = desk.post(address, {**sent, "areas": ["moon"]}, format="json")
    refused(wrong, 400, "event_refused", "areas")
    made = desk.post(address, sent, format="json")
    assert made.status_code == 201
    one = f"{address}{made.json()['id']}/"
    assert desk.post(f"{one}take/").json()["taken_by"]["name"] == "Ana Front"
    more = {"version": 2, "severity": "moderate", "areas": [], "course": "Less red"}
    assert desk.post(f"{one}complete/", more, format="json").json()["severity"] == "moderate"
    refused(desk.post(f"{one}complete/", more, format="json"), 409, "stale_version", "version")
    closing = {"version": 3, "outcome": "with_traces", "conclusion": "A small mark stays"}
    refused(desk.post(f"{one}close/", closing, format="json"), 403, "forbidden")
    closed = api(provider).post(f"{one}close/", closing, format="json").json()
    assert (closed["outcome"], closed["closed_by"]["name"]) == ("with_traces", "Sam Okafor")
    refused(desk.post(f"{one}take/"), 409, "event_closed", "event")
    assert desk.get(f"{one}device-data/").json()["event"]["conclusion"] == "A small mark stays"
    assert desk.get(f"{one}device-data/sheet/").content.startswith(b"%PDF")
    assert [row["id"] for row in desk.get(f"{address}?open=false").json()["results"]] == [
        made.json()["id"]
    ]
