"""Series and messages over the API."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from rest_framework.response import Response

from appointments.models import Allocation, Appointment, TreatmentSeries
from clinic.models import ProtocolVersion, Resource, Site, Staff
from patients.models import Patient
from reminders.catalogue import MessageState
from reminders.journeys import replanning
from reminders.models import Attempt, Message, Receipt, SentContent, SkipChoice
from tests.api import CLOCK, api, refused
from tests.personas import a_patient
from tests.reminders.ledger import queued

SERIES, MESSAGES = "/api/v1/series/", "/api/v1/messages/"
pytestmark = [pytest.mark.django_db, CLOCK]


@pytest.fixture
def order(
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
) -> Callable[..., dict[str, Any]]:
    """What is sent to book RF microneedling of the face: order("2027-03-04T10:00", …)."""

    def make(*walls: str, **changes: Any) -> dict[str, Any]:
        place = {
            "provider": treatment_provider.pk,
            "room": room.pk,
            "device": needling_device.pk,
        }
        return {
            "patient": patient.pk,
            "site": site.pk,
            "protocol": house.pk,
            "areas": ["face"],
            "visits": [{"starts_at": {"wall": wall}, **place} for wall in walls],
            **changes,
        }

    return make


Order = Callable[..., dict[str, Any]]
FIRST, SECOND = "2027-03-04T10:00", "2027-04-01T10:00"


@pytest.fixture
def booked(order: Order, front_desk: Staff) -> dict[str, Any]:
    """A series of two sessions, as the API answered."""
    answer = api(front_desk).post(SERIES, order(FIRST, SECOND))
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


# --- Series ---------------------------------------------------------------------------------------


def test_a_booked_series_is_read_listed_and_pinned_to_its_protocol(
    front_desk: Staff, booked: dict[str, Any], patient: Patient, house: ProtocolVersion
) -> None:
    client = api(front_desk)
    assert booked["protocol"]["version"] == house.version
    assert [each["starts_at"] for each in booked["appointments"]] == [
        "2027-03-04T15:00:00Z",
        "2027-04-01T14:00:00Z",
    ]
    assert client.get(f"{SERIES}{booked['id']}/").json() == booked
    listed = client.get(f"{SERIES}?patient={patient.pk}&site={booked['site']}&state=open").json()
    assert [each["id"] for each in listed["results"]] == [booked["id"]]
    assert client.get(f"{SERIES}?state=ended").json()["count"] == 0


def test_what_was_skipped_while_booking_is_a_fact_before_the_first_plan(
    front_desk: Staff, order: Order, now: datetime
) -> None:
    client = api(front_desk)
    lines = client.post(f"{SERIES}preview/", order(visits=[{"starts_at": {"wall": FIRST}}])).json()
    sms = next(line for line in lines if line["channel"] == "sms" and line["decision"] == "send")
    skipped = client.post(SERIES, order(FIRST, skips=sms["skips"]))
    assert skipped.json()["skips"] == sms["skips"]
    assert SkipChoice.objects.count() == len(sms["skips"])
    replanning.sync_stale(now=now)
    stored = Message.objects.filter(kind=sms["kind"], channel="sms", due_at=sms["due_at"])
    assert {message.reason for message in stored} == {"skipped_by_staff"}


def test_the_preview_says_every_message_word_for_word_and_stores_nothing(
    front_desk: Staff, order: Order
) -> None:
    starts = [{"starts_at": {"wall": wall}} for wall in (FIRST, SECOND)]
    answer = api(front_desk).post(f"{SERIES}preview/", order(visits=starts))
    assert answer.status_code == 200, answer.content
    lines = answer.json()
    kinds = {line["kind"] for line in lines}
    assert {"booking_confirmed", "reminder_final", "checkin"} <= kinds
    for line in lines:
        assert line["due_at"].endswith("Z")
        assert (line["send_at"] is None) == (line["decision"] == "skip")
        assert line["why"] and line["body"]
    assert not TreatmentSeries.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"visits": []}, 400, "min_length", "visits"),
        ({"visits": "all"}, 400, "not_a_list", "visits"),
        ({"visits": [{"starts_at": "2027-03-04T15:00:00Z"}]}, 400, "required", "visits.0.provider"),
        ({"areas": ["elbow"]}, 400, "area_not_treated", "areas"),
        ({"sessions": 12}, 400, "too_many_sessions", "sessions"),
        ({"patient": 10**40}, 404, "not_found", "patient"),
        ({"protocol": 10**9}, 404, "not_found", "protocol"),
        (
            {"skips": [{"session": 1, "step": "x", "channel": "fax"}]},
            400,
            "invalid_choice",
            "skips.0.channel",
        ),
        ({"override_reason": "x" * 201}, 400, "max_length", "override_reason"),
    ],
)
def test_what_cannot_be_booked_is_refused_and_nothing_is_stored(
    changes: dict[str, Any], status: int, code: str, field: str, front_desk: Staff, order: Order
) -> None:
    answer = api(front_desk).post(SERIES, order(FIRST, **changes))
    refused(answer, status, code, field)
    assert not TreatmentSeries.objects.exists()


def test_an_interval_too_short_is_refused_or_overridden_by_who_may(
    front_desk: Staff, manager: Staff, order: Order
) -> None:
    near = order(FIRST, "2027-03-11T10:00")
    told = refused(
        api(front_desk).post(SERIES, near), 400, "interval_too_short", "visits.1.starts_at"
    )
    assert told["earliest"] and told["overridable"]
    near["override_reason"] = "Leaves the country"
    refused(api(front_desk).post(SERIES, near), 403, "forbidden")
    assert api(manager).post(SERIES, near).status_code == 201


def test_a_series_goes_on_with_a_proposed_visit_and_its_booking_can_be_taken_back(
    front_desk: Staff, booked: dict[str, Any]
) -> None:
    client, address = api(front_desk), f"{SERIES}{booked['id']}/"
    proposal = client.post(f"{address}propose-next/", {"weekdays": [3]}).json()
    [place] = proposal["visits"]
    assert place["session"] == 3
    visit = {
        "starts_at": place["starts_at"],
        **{kind: place[kind]["id"] for kind in ("provider", "room", "device")},
    }
    added = client.post(f"{address}appointments/", visit)
    assert (added.status_code, added.json()["session"]) == (201, 3)
    ended = client.post(f"{address}take-back/").json()
    assert ended["state"] == "ended"
    assert {each["state"] for each in ended["appointments"]} == {"cancelled"}
    refused(client.post(f"{address}appointments/", visit), 409, "series_closed", "series")


def test_a_series_is_not_there_for_an_outsider(
    outsider: Staff, booked: dict[str, Any], order: Order
) -> None:
    client, address = api(outsider), f"{SERIES}{booked['id']}/"
    assert client.get(SERIES).json()["count"] == 0
    refused(client.get(address), 404, "not_found")
    for act in ("appointments", "propose-next", "take-back"):
        refused(client.post(f"{address}{act}/", {}), 404, "not_found")
    for act in ("", "preview/"):
        refused(client.post(f"{SERIES}{act}", order(FIRST)), 404, "not_found", "patient")


def test_a_list_of_series_costs_the_same_queries_however_long(
    front_desk: Staff, order: Order, site: Site, now: datetime
) -> None:
    client, lists, details = api(front_desk), [], []
    for day in (4, 5, 6):
        patient = a_patient(site, front_desk, now, email=f"d{day}@patients.example")
        walls = [f"2027-03-0{day}T10:00", f"2027-04-0{day}T10:00"][: day - 3]
        made = client.post(SERIES, order(*walls, patient=patient.pk)).json()
        with CaptureQueriesContext(connection) as queries:
            client.get(SERIES)
        lists.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{SERIES}{made['id']}/")
        details.append(len(queries))
    assert len(set(lists)) == 1 and lists[0] <= 4
    assert len(set(details)) == 1 and details[0] <= 6


# --- Messages -------------------------------------------------------------------------------------


def test_messages_are_listed_by_what_staff_look_for(
    front_desk: Staff, booked: dict[str, Any], patient: Patient, site: Site, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    client = api(front_desk)

    def count(query: str) -> int:
        answer = client.get(f"{MESSAGES}?{query}")
        assert answer.status_code == 200, answer.content
        found: int = answer.json()["count"]
        return found

    total = count(f"patient={patient.pk}&site={site.pk}&series={booked['id']}")
    assert total == Message.objects.count() > 5
    assert count("channel=sms") + count("channel=email") == total
    assert 0 < count("kind=booking_confirmed&kind=reminder_final") < total
    assert count("state=scheduled") + count("state=skipped") == total
    assert 0 < count(f"date={now:%Y-%m-%d}") < total
    assert count("patient=1000000") == 0
    refused(client.get(f"{MESSAGES}?kind=spam"), 400, "invalid_choice", "kind")


@pytest.fixture
def message(booked: dict[str, Any], now: datetime) -> Message:
    visit = Appointment.objects.get(pk=booked["appointments"][0]["id"])
    return queued(visit, now=now)


def test_a_message_tells_why_it_is_and_what_became_of_it(
    front_desk: Staff, message: Message, now: datetime
) -> None:
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.DELIVERED,
        why=["The visit was booked."],
        gate_why=["It is due."],
        accepted_at=now,
        delivered_at=now,
    )
    Attempt.objects.create(message=message, number=1, started_at=now, ended_at=now, outcome="ok")
    Receipt.objects.create(
        provider="twilio",
        event_key="k",
        message=message,
        status="delivered",
        applied=True,
        received_at=now,
    )
    address = f"{MESSAGES}{message.pk}/"
    assert api(front_desk).get(address).json()["content"] is None
    SentContent.objects.create(message=message, address="+12125550123", text="Hello", at=now)
    shown = api(front_desk).get(address).json()
    assert shown["why"] == ["The visit was booked."] and shown["gate_why"] == ["It is due."]
    assert shown["attempts"][0]["number"] == 1
    assert shown["receipts"][0]["status"] == "delivered"
    assert shown["content"]["text"] == "Hello"
    assert shown["acts"] == []


def test_a_message_is_skipped_and_put_back(
    front_desk: Staff, booked: dict[str, Any], now: datetime
) -> None:
    replanning.sync_stale(now=now)
    client = api(front_desk)
    first = client.get(f"{MESSAGES}?state=scheduled&kind=reminder_final").json()["results"][0]
    address = f"{MESSAGES}{first['id']}/"
    may = ["skip", "put_off", "send_now", "switch"]
    assert client.get(address).json()["acts"] == may
    assert client.post(f"{address}skip/").status_code == 200
    replanning.sync_stale(now=now)
    skipped = client.get(address).json()
    assert (skipped["state"], skipped["reason"]) == ("skipped", "skipped_by_staff")
    assert skipped["acts"] == ["unskip"]
    refused(client.post(f"{address}skip/"), 409, "skip_refused", "state")
    assert client.post(f"{address}unskip/").status_code == 200
    replanning.sync_stale(now=now)
    assert client.get(address).json()["state"] == "scheduled"


def test_a_message_has_another_time_and_another_channel(
    front_desk: Staff, booked: dict[str, Any], now: datetime
) -> None:
    replanning.sync_stale(now=now)
    client = api(front_desk)
    first = client.get(f"{MESSAGES}?state=scheduled&kind=reminder_final").json()["results"][0]
    address, due = f"{MESSAGES}{first['id']}/", datetime.fromisoformat(first["due_at"])
    at_night = {"until": (due + timedelta(hours=12)).isoformat()}
    refused(client.post(f"{address}put-off/", at_night), 409, "time_refused", "until")
    later = {"until": (due + timedelta(hours=1)).isoformat()}
    assert client.post(f"{address}put-off/", later).status_code == 200
    replanning.sync_stale(now=now)
    shown = client.get(address).json()
    assert datetime.fromisoformat(shown["due_at"]) == due + timedelta(hours=1)
    assert "planned_time" in shown["acts"]
    assert client.post(f"{address}planned-time/").status_code == 200
    assert client.post(f"{address}switch/").status_code == 200
    replanning.sync_stale(now=now)
    assert client.get(address).json()["state"] == "withdrawn"
    assert client.post(f"{address}switch-back/").status_code == 200
    replanning.sync_stale(now=now)
    assert client.get(address).json()["due_at"] == first["due_at"]


def test_an_unknown_outcome_is_repeated_only_by_a_persons_word(
    front_desk: Staff, message: Message
) -> None:
    client, address = api(front_desk), f"{MESSAGES}{message.pk}/retry/"
    refused(client.post(address, {}), 409, "retry_refused", "state")
    Message.objects.filter(pk=message.pk).update(state=MessageState.UNKNOWN)
    refused(client.post(address, {}), 409, "may_repeat", "state")
    again = client.post(address, {"may_repeat": True, "reason": "The patient has not got it"})
    assert again.json()["state"] == "scheduled"


ACTS: dict[str, dict[str, Any]] = {
    **{act: {} for act in ("skip", "unskip", "retry", "send-now")},
    **{act: {} for act in ("planned-time", "switch", "switch-back")},
    "put-off": {"until": "2027-03-01T12:00:00Z"},
}


def test_messages_are_of_ones_own_patients_and_managed_by_who_may(
    outsider: Staff, provider: Staff, message: Message
) -> None:
    address = f"{MESSAGES}{message.pk}/"
    assert api(outsider).get(MESSAGES).json()["count"] == 0
    refused(api(outsider).get(address), 404, "not_found")
    assert api(provider).get(address).status_code == 200
    for act, body in ACTS.items():
        refused(api(outsider).post(f"{address}{act}/", body), 404, "not_found")
        told = refused(api(provider).post(f"{address}{act}/", body), 403, "forbidden")
        assert "front desk" in told["sentence"]


def test_a_list_of_messages_costs_the_same_queries_however_long(
    front_desk: Staff, message: Message, now: datetime
) -> None:
    visit = Appointment.objects.get(series=message.series_id, session=1)
    counts = []
    for number in range(2):
        queued(visit, now=now + timedelta(hours=1), steps=[f"step_{number}"])
        with CaptureQueriesContext(connection) as queries:
            api(front_desk).get(MESSAGES)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 3


# --- A race ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_twenty_bookings_of_one_slot_one_wins_and_the_others_hear_of_places_near_it(
    front_desk: Staff, order: Order, site: Site, now: datetime
) -> None:
    people = [a_patient(site, front_desk, now, email=f"p{n}@p.example") for n in range(20)]
    answers = posted_at_once(front_desk, [order(FIRST, patient=each.pk) for each in people])
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] + [409] * 19
    for answer in answers:
        if answer.status_code == 409:
            told = refused(answer, 409, "slot_taken", "visits.0.starts_at")
            assert len(told["nearest"]) == 3
    assert Appointment.objects.count() == 1
    assert Allocation.objects.count() == 4


def posted_at_once(staff: Staff, bodies: Sequence[dict[str, Any]]) -> list[Response]:
    """Each body posted by a thread of its own, all let go together."""
    answers: list[Response] = []
    barrier = Barrier(len(bodies))

    def post(body: dict[str, Any]) -> None:
        try:
            connections["default"].ensure_connection()
            barrier.wait()
            answers.append(api(staff).post(SERIES, body))
        finally:
            connections.close_all()

    threads = [Thread(target=post, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
