"""Visits, free places and tasks over the API."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import TimeMachineFixture

from appointments.models import Appointment, Task
from clinic.models import ProtocolVersion, Resource, Role, Site, SiteRole, Staff
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at
from tests.personas import a_patient

pytestmark = [pytest.mark.django_db, CLOCK]
VISITS, PROPOSE, STARTS = (
    "/api/v1/appointments/",
    "/api/v1/series/propose/",
    "/api/v1/series/free-starts/",
)
ACTS = ("move", "cancel", "confirm", "check-in", "start", "complete", "no-show", "undo")


def z(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def treatment(patient: Patient, site: Site, house: ProtocolVersion) -> dict[str, Any]:
    return {"patient": patient.pk, "site": site.pk, "protocol": house.pk, "areas": ["face"]}


# --- Where a treatment fits -----------------------------------------------------------------------


def test_a_proposal_keeps_the_intervals_and_the_wishes(
    front_desk: Staff, treatment: dict[str, Any]
) -> None:
    asked = treatment | {
        "sessions": 3,
        "first_from": "2027-03-01",
        "weekdays": [3],
        "earliest": 600,
        "latest": 720,
    }
    found = api(front_desk).post(PROPOSE, asked)
    assert found.status_code == 200
    visits = found.json()["visits"]
    assert [each["session"] for each in visits] == [1, 2, 3]
    days = [date.fromisoformat(each["starts_at"][:10]) for each in visits]
    assert {day.weekday() for day in days} == {3}
    for visit, day in zip(visits, days, strict=True):
        assert visit["bounds"]["earliest"] <= day.isoformat() <= visit["bounds"]["latest"]
    assert visits[0]["starts_at"].endswith("Z")
    assert found.json()["problem"] is None


def test_no_place_comes_with_what_is_lacking(
    front_desk: Staff, treatment: dict[str, Any], needling_device: Resource
) -> None:
    Resource.objects.filter(pk=needling_device.pk).update(is_active=False)
    found = api(front_desk).post(PROPOSE, treatment | {"sessions": 1}).json()
    assert found["visits"] == []
    assert found["problem"]["binding"] == "device"
    starts = api(front_desk).post(STARTS, treatment | {"day": "2027-03-04"}).json()
    assert starts["places"] == [] and "device" in starts["sentence"]


def test_a_house_where_nobody_treats_says_so_for_a_whole_series(
    front_desk: Staff, treatment: dict[str, Any], treatment_provider: Resource
) -> None:
    Resource.objects.filter(pk=treatment_provider.pk).update(is_active=False)
    found = api(front_desk).post(PROPOSE, treatment | {"sessions": 3}).json()
    assert (found["plans"], found["problem"]["binding"]) == ([], "provider")
    assert "Harbour Skin Clinic has no suitable provider" in found["problem"]["sentence"]


def test_free_starts_of_a_day_can_be_booked_as_they_are(
    front_desk: Staff, treatment: dict[str, Any]
) -> None:
    found = api(front_desk).post(STARTS, treatment | {"day": "2027-03-04"}).json()
    place = found["places"][0]
    visit = {
        "starts_at": place["starts_at"],
        **{kind: place[kind]["id"] for kind in ("provider", "room", "device")},
    }
    booked = api(front_desk).post("/api/v1/series/", treatment | {"visits": [visit]})
    assert booked.status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"areas": ["elbow"]}, 400, "area_not_treated", "areas"),
        ({"areas": ["face", "face"]}, 400, "invalid", "areas"),
        ({"areas": []}, 400, "min_length", "areas"),
        ({"sessions": 13}, 400, "max_value", "sessions"),
        ({"earliest": 900, "latest": 600}, 400, "invalid", "latest"),
        ({"weekdays": [7]}, 400, "max_value", "weekdays.0"),
        ({"first_from": "9999-12-31"}, 400, "range", "first_from"),
        ({"patient": 0}, 404, "not_found", "patient"),
        ({"provider": 2**70}, 404, "not_found", "provider"),
    ],
)
def test_what_cannot_be_proposed_is_refused_with_its_field(
    change: dict[str, Any],
    status: int,
    code: str,
    field: str,
    front_desk: Staff,
    treatment: dict[str, Any],
) -> None:
    answer = api(front_desk).post(PROPOSE, {**treatment, "sessions": 1, **change})
    refused(answer, status, code, field)


def test_plans_begin_in_a_free_time_that_is_named_or_the_answer_says_why_not(
    front_desk: Staff, treatment: dict[str, Any], treatment_provider: Resource
) -> None:
    def asked(starts_at: str) -> dict[str, Any]:
        free = {"starts_at": starts_at, "resource": treatment_provider.pk}
        asks = {**treatment, "sessions": 2, "first_from": "2027-03-04", "free_time": free}
        answer: dict[str, Any] = api(front_desk).post(PROPOSE, asks).json()
        return answer

    there = asked("2027-03-04T19:10:00Z")
    assert {plan["visits"][0]["starts_at"] for plan in there["plans"]} == {"2027-03-04T19:15:00Z"}
    assert there["unmet"] == ""
    elsewhere = asked("2027-03-04T22:50:00Z")
    assert "minutes of Sam Okafor with set-up and clean-up, and 10 are free" in elsewhere["unmet"]
    assert elsewhere["plans"]


def test_a_draft_protocol_is_not_proposed(
    front_desk: Staff, treatment: dict[str, Any], draft_protocol: ProtocolVersion
) -> None:
    draft = {**treatment, "sessions": 1, "protocol": draft_protocol.pk}
    answer = api(front_desk).post(PROPOSE, draft)
    refused(answer, 400, "protocol_not_approved", "protocol")


def test_nothing_is_proposed_for_a_patient_of_others(
    outsider: Staff, treatment: dict[str, Any]
) -> None:
    client = api(outsider)
    for address, more in (
        (PROPOSE, {"sessions": 1}),
        (STARTS, {"day": "2027-03-04"}),
        ("/api/v1/series/first-starts/", {}),
    ):
        refused(client.post(address, treatment | more), 404, "not_found", "patient")


def test_plans_come_ranked_with_their_points_and_reasons(
    front_desk: Staff, treatment: dict[str, Any]
) -> None:
    asked = {**treatment, "sessions": 3, "first_from": FIRST.isoformat()}
    answer = api(front_desk).post(PROPOSE, asked).json()
    plans = answer["plans"]
    assert len(plans) == 5 and answer["problem"] is None
    assert [plan["points"] for plan in plans] == sorted(plan["points"] for plan in plans)
    assert answer["visits"] == plans[0]["visits"]
    assert plans[0]["reasons"][0] == "The fewest points."
    assert set(plans[0]["visits"][-1]["points"]) == {"finish"}
    assert len({tuple(v["starts_at"] for v in plan["visits"]) for plan in plans}) == 5


def test_strict_wishes_that_cannot_be_met_come_with_what_would_help(
    front_desk: Staff, treatment: dict[str, Any]
) -> None:
    asked = {**treatment, "sessions": 2, "weekdays": [6], "strict": True}
    problem = api(front_desk).post(PROPOSE, asked).json()["problem"]
    assert (problem["session"], problem["binding"]) == (1, "wishes")
    assert [each["kind"] for each in problem["relaxations"]] == ["wishes", "waitlist"]
    assert problem["relaxations"][0]["day"] == "2027-02-16"


def test_the_first_starts_are_listed(front_desk: Staff, treatment: dict[str, Any]) -> None:
    asked = {**treatment, "first_from": FIRST.isoformat(), "limit": 3}
    found = api(front_desk).post("/api/v1/series/first-starts/", asked).json()["places"]
    assert [each["starts_at"] for each in found] == [
        "2027-03-04T14:15:00Z",
        "2027-03-04T14:30:00Z",
        "2027-03-04T14:45:00Z",
    ]
    assert found[0]["provider"]["name"] == "Sam Okafor"
    answer = api(front_desk).post("/api/v1/series/first-starts/", {**asked, "limit": 101})
    refused(answer, 400, "max_value", "limit")


# --- Visits ---------------------------------------------------------------------------------------


def test_visits_are_listed_by_site_local_day_patient_series_and_state(
    front_desk: Staff, visits: list[Appointment], site: Site, patient: Patient
) -> None:
    # Half past eight in the evening in New York is the next day in UTC.
    Appointment.objects.filter(pk=visits[0].pk).update(
        starts_at=at(FIRST, "20:30"), ends_at=at(FIRST, "21:30")
    )
    client = api(front_desk)

    def listed(query: str) -> list[int]:
        return [each["session"] for each in client.get(f"{VISITS}?{query}").json()["results"]]

    assert listed(f"date={FIRST}") == [1]
    assert listed(f"date={FIRST + timedelta(days=1)}") == []
    assert listed(f"site={site.pk}&patient={patient.pk}") == [1, 2, 3]
    assert listed(f"series={visits[0].series_id}&state=booked&state=confirmed") == [1, 2, 3]
    assert listed("state=done") == []
    assert listed("patient=999999") == []
    assert listed("date=0001-01-01") == []
    refused(client.get(f"{VISITS}?state=lost"), 400, "invalid_choice", "state")
    refused(client.get(f"{VISITS}?patient=1e999"), 400, "invalid", "patient")
    refused(client.get(f"{VISITS}?date=soon"), 400, "invalid", "date")


def test_a_visit_shows_what_it_holds_what_was_done_and_what_may_follow(
    front_desk: Staff, visits: list[Appointment]
) -> None:
    shown = api(front_desk).get(f"{VISITS}{visits[0].pk}/").json()
    assert shown["starts_at"] == "2027-03-04T15:00:00Z"
    assert {each["kind"] for each in shown["allocations"]} == {"provider", "room", "device"}
    assert [each["move"] for each in shown["history"]] == ["book"]
    assert shown["history"][0]["by"]["name"] == "Ana Front"
    assert "confirm" in shown["moves"]


def test_a_visit_is_moved_by_wall_time_or_instant_and_says_its_new_version(
    front_desk: Staff, visits: list[Appointment]
) -> None:
    client, address = api(front_desk), f"{VISITS}{visits[1].pk}/move/"
    wall = {"wall": f"{SECOND}T11:00"}
    moved = client.post(address, {"version": 1, "starts_at": wall, "reason": "Patient asked"})
    assert moved.status_code == 200, moved.content
    assert moved.json()["starts_at"] == z(at(SECOND, "11:00"))
    assert (moved.json()["version"], moved.json()["schedule_version"]) == (2, 2)
    assert moved.json()["history"][-1]["reason"] == "Patient asked"
    stale = client.post(address, {"version": 1, "starts_at": wall})
    refused(stale, 409, "stale_version", "version")
    back = client.post(address, {"version": 2, "starts_at": z(at(SECOND, "10:00"))})
    assert back.json()["starts_at"] == z(at(SECOND, "10:00"))
    naive = client.post(address, {"version": 3, "starts_at": f"{SECOND}T10:00:00"})
    refused(naive, 400, "naive", "starts_at")


def test_a_wall_time_that_the_clocks_skip_or_repeat_is_answered_with_the_instants(
    front_desk: Staff, visits: list[Appointment]
) -> None:
    client, address = api(front_desk), f"{VISITS}{visits[0].pk}/move/"

    def move(wall: str, **fold: int) -> Any:
        return client.post(address, {"version": 1, "starts_at": {"wall": wall, **fold}})

    missing = refused(move("2027-03-14T02:30"), 400, "wall_time_missing", "starts_at")
    assert missing["next"] == "2027-03-14T07:00:00Z"
    repeats = refused(move("2027-11-07T01:30"), 400, "wall_time_repeats", "starts_at")
    assert (repeats["first"], repeats["second"]) == (
        "2027-11-07T05:30:00Z",
        "2027-11-07T06:30:00Z",
    )
    refused(move("2027-11-07T01:30", fold=1), 400, "outside_hours", "starts_at")
    for wrong in ({"wall": "10 o'clock"}, {"wall": None}, {"wall": "2027-03-14T02:30", "fold": 2}):
        answer = client.post(address, {"version": 1, "starts_at": wrong})
        refused(answer, 400, "wall", "starts_at")


def test_an_interval_that_is_breached_says_the_earliest_date_and_whether_it_yields(
    front_desk: Staff, manager: Staff, visits: list[Appointment]
) -> None:
    address = f"{VISITS}{visits[1].pk}/move/"
    soon = {"version": 1, "starts_at": {"wall": f"{FIRST + timedelta(days=7)}T10:00"}}
    told = refused(api(front_desk).post(address, soon), 400, "interval_too_short", "starts_at")
    assert told["overridable"] is True
    assert FIRST.isoformat() < told["earliest"] <= SECOND.isoformat()
    reason = soon | {"override_reason": "Leaves the country"}
    refused(api(front_desk).post(address, reason), 403, "forbidden")
    moved = api(manager).post(address, reason)
    assert moved.json()["override_reason"] == "Leaves the country"


def test_a_taken_slot_is_a_conflict_with_three_places_near_it(
    front_desk: Staff, visits: list[Appointment], book: Book, wish: Wish, site: Site, now: datetime
) -> None:
    other = a_patient(site, front_desk, now, given="Ines", email="ines@patients.example")
    [theirs] = book(wish(FIRST, "13:00"), patient=other).appointments.all()
    taken = api(front_desk).post(
        f"{VISITS}{theirs.pk}/move/", {"version": 1, "starts_at": z(visits[0].starts_at)}
    )
    told = refused(taken, 409, "slot_taken", "starts_at")
    assert told["start"] == z(visits[0].starts_at)
    assert len(told["nearest"]) == 3
    assert set(told["nearest"][0]) == {"starts_at", "ends_at", "provider", "room", "device"}


def test_the_day_of_a_visit_and_its_way_back(
    front_desk: Staff, visits: list[Appointment], time_machine: TimeMachineFixture
) -> None:
    client, address = api(front_desk), f"{VISITS}{visits[0].pk}/"
    early = client.post(f"{address}check-in/", {"version": 1})
    refused(early, 400, "not_yet", "state")
    time_machine.move_to(visits[0].starts_at, tick=False)
    states = []
    for version, act in enumerate(("confirm", "check-in", "start", "complete", "undo"), 1):
        answer = client.post(f"{address}{act}/", {"version": version})
        assert answer.status_code == 200, answer.content
        states.append(answer.json()["state"])
    assert states == ["confirmed", "arrived", "in_treatment", "done", "in_treatment"]
    refused(client.post(f"{address}cancel/", {"version": 6}), 409, "move_refused", "state")
    second = f"{VISITS}{visits[1].pk}/"
    gone = client.post(f"{second}cancel/", {"version": 1, "by_patient": True, "reason": "Ill"})
    assert (gone.json()["state"], gone.json()["cancelled_by_patient"]) == ("cancelled", True)
    assert gone.json()["allocations"] == []
    assert gone.json()["history"][-1]["is_untold"] is False
    back = client.post(f"{second}undo/", {"version": 2}).json()
    quiet = client.post(f"{second}cancel/", {"version": 3, "tell_patient": False}).json()
    assert (back["state"], quiet["state"]) == ("booked", "cancelled")
    assert quiet["history"][-1]["is_untold"] is True
    third = f"{VISITS}{visits[2].pk}/"
    refused(client.post(f"{third}undo/", {"version": 1}), 409, "nothing_to_undo", "state")
    time_machine.move_to(visits[2].starts_at + timedelta(hours=1), tick=False)
    missed = client.post(f"{third}no-show/", {"version": 1})
    assert missed.json()["state"] == "no_show"


def test_free_starts_to_move_to_count_the_visits_own_place(
    front_desk: Staff, visits: list[Appointment]
) -> None:
    answer = api(front_desk).post(
        f"{VISITS}{visits[0].pk}/free-starts/", {"day": FIRST.isoformat()}
    )
    assert z(visits[0].starts_at) in {each["starts_at"] for each in answer.json()["places"]}


def test_an_outsider_finds_no_visit_and_does_nothing_to_one(
    outsider: Staff, visits: list[Appointment]
) -> None:
    client = api(outsider)
    assert client.get(VISITS).json()["count"] == 0
    refused(client.get(f"{VISITS}{visits[0].pk}/"), 404, "not_found")
    for act in (*ACTS, "free-starts"):
        refused(client.post(f"{VISITS}{visits[0].pk}/{act}/", {"version": 1}), 404, "not_found")


def test_who_sees_the_patient_but_does_not_work_at_the_site_may_not_act_there(
    outsider: Staff, other_site: Site, visits: list[Appointment], patient: Patient
) -> None:
    patient.sites.add(other_site)
    body = {"version": 1, "starts_at": z(at(SECOND, "11:00"))}
    for act in ACTS:
        sent = body if act == "move" else {"version": 1}
        answer = api(outsider).post(f"{VISITS}{visits[1].pk}/{act}/", sent)
        told = refused(answer, 403, "forbidden")
        assert "Harbour Skin Clinic" in told["sentence"]


def test_a_list_of_visits_costs_the_same_queries_however_long(
    front_desk: Staff, book: Book, wish: Wish, site: Site, now: datetime
) -> None:
    counts = []
    for day in range(2, 8, 2):
        patient = a_patient(site, front_desk, now, email=f"p{day}@patients.example")
        book(wish(FIRST + timedelta(days=day - 2 if day < 6 else 6)), patient=patient)
        with CaptureQueriesContext(connection) as queries:
            assert api(front_desk).get(VISITS).status_code == 200
        counts.append(len(queries))
    assert len(set(counts)) == 1 and counts[0] <= 5


# --- Tasks ----------------------------------------------------------------------------------------


@pytest.fixture
def a_task(site: Site, patient: Patient, now: datetime) -> Callable[..., Task]:
    def make(key: str = "plan.call", **changes: Any) -> Task:
        return Task.objects.create(
            key=key,
            site=site,
            patient=patient,
            kind="call",
            title="Call about sun exposure",
            why=["The protocol asks before the session."],
            due_at=now,
            created_at=now,
            **changes,
        )

    return make


def test_a_task_is_listed_taken_and_closed(
    front_desk: Staff, provider: Staff, a_task: Callable[..., Task], site: Site
) -> None:
    task = a_task()
    client = api(front_desk)
    address = f"/api/v1/tasks/{task.pk}/"
    listed = client.get(f"/api/v1/tasks/?open=true&site={site.pk}&kind=call&date=2027-02-15")
    assert [each["id"] for each in listed.json()["results"]] == [task.pk]
    assert client.get(address).json()["why"] == ["The protocol asks before the session."]
    assert client.post(f"{address}take/", {}).json()["owner"]["name"] == "Ana Front"
    refused(api(provider).post(f"{address}take/", {}), 409, "task_refused")
    assert api(provider).post(f"{address}take/", {"over": True}).status_code == 200
    refused(client.post(f"{address}close/", {"outcome": " "}), 400, "blank", "outcome")
    closed = client.post(f"{address}close/", {"outcome": "Will come"})
    assert (closed.json()["outcome"], closed.json()["closed_by"]) == ("Will come", front_desk.pk)
    refused(client.post(f"{address}close/", {"outcome": "Again"}), 409, "task_refused")
    assert client.get("/api/v1/tasks/?open=true").json()["count"] == 0


def test_tasks_are_those_of_ones_sites(outsider: Staff, a_task: Callable[..., Task]) -> None:
    address = f"/api/v1/tasks/{a_task().pk}/"
    assert api(outsider).get("/api/v1/tasks/").json()["count"] == 0
    for answer in (
        api(outsider).get(address),
        api(outsider).post(f"{address}take/", {}),
        api(outsider).post(f"{address}close/", {"outcome": "x"}),
    ):
        refused(answer, 404, "not_found")


def test_a_list_of_tasks_costs_the_same_queries_however_long(
    front_desk: Staff, site: Site, a_task: Callable[..., Task]
) -> None:
    counts = []
    for number in range(2):
        a_task(f"plan.{number}", owner=front_desk)
        SiteRole.objects.get_or_create(staff=front_desk, site=site, role=Role.MANAGER)
        with CaptureQueriesContext(connection) as queries:
            listed = api(front_desk).get("/api/v1/tasks/").json()
        assert listed["count"] == number + 1
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4
