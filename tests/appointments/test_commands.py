"""Free starts and plans at a terminal: the same answers as the API gives."""

import json
import subprocess
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from appointments.absences import blocks
from appointments.models import BlockKind
from clinic.models import ProtocolVersion, Resource, Role, Site, Staff
from patients.models import Patient
from tests.api import CLOCK, api
from tests.appointments.conftest import FIRST, Book, Wish, at
from tests.personas import NOW, provider_resource, staff_at

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
AT_NOW = "2027-02-15T14:00:00Z"


@pytest.fixture
def ask(house: ProtocolVersion, patient: Patient) -> Callable[..., str]:
    """What a command prints for the patient: ask("find_slots", "--day", "2027-03-04"). Ends with
    SystemExit when there is nothing."""

    def run(command: str, *options: str, **instead: str | None) -> str:
        given: Mapping[str, str | None] = {
            "--patient": str(patient.pk),
            "--protocol": "rf_microneedling",
            "--area": "face",
            "--now": AT_NOW,
            **({"--sessions": "3"} if command == "plan_series" else {}),
            **{f"--{name}": value for name, value in instead.items()},
        }
        words = [
            part for name, value in given.items() if value is not None for part in (name, value)
        ]
        out = StringIO()
        try:
            call_command(command, *words, *options, stdout=out)
        except SystemExit as ended:
            assert ended.code == 1
            return f"none: {out.getvalue()}"
        return out.getvalue()

    return run


Ask = Callable[..., str]


def out_of_order(resource: Resource, site: Site, by: Staff, days: int) -> None:
    blocks.block(
        site=site,
        resources=[resource],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST, "00:00"),
        ends_at=at(FIRST + days * DAY, "00:00"),
        by=by,
        now=NOW,
    )


# --- plan_series ----------------------------------------------------------------------------------


@CLOCK
@pytest.mark.parametrize(
    ("options", "body"),
    [
        (
            ["--prefer", "thu,fri 14:00-18:00"],
            {"weekdays": [3, 4], "earliest": 840, "latest": 1080},
        ),
        (["--prefer", "mon mornings", "--only"], {"weekdays": [0], "latest": 720, "strict": True}),
        (["--prefer", "sun", "--only"], {"weekdays": [6], "strict": True}),
        ([], {}),
    ],
)
def test_a_plan_is_the_one_that_the_api_proposes(
    ask: Ask,
    house: ProtocolVersion,
    patient: Patient,
    site: Site,
    front_desk: Staff,
    options: list[str],
    body: dict[str, Any],
) -> None:
    provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    asked = {
        "patient": patient.pk,
        "site": site.pk,
        "protocol": house.pk,
        "areas": ["face"],
        "sessions": 3,
        "first_from": FIRST.isoformat(),
        **body,
    }
    answer = api(front_desk).post("/api/v1/series/propose/", asked)
    assert answer.status_code == 200, answer.content
    printed = ask("plan_series", "--from", FIRST.isoformat(), *options, "--json")
    assert json.loads(printed.removeprefix("none: ")) == answer.json()
    assert printed.startswith("none: ") == (answer.json()["plans"] == [])


def test_plans_are_printed_as_tables_with_their_intervals_points_and_reasons(ask: Ask) -> None:
    printed = ask("plan_series", "--from", "2027-03-10", "--prefer", "thu 14:00-16:00")
    assert "RF microneedling, Face, for patient" in printed
    assert "(America/New_York), thu 14:00-16:00" in printed
    assert "Plan 1 · " in printed and "Plan 2 · " in printed
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    # The clocks go forward between now and the visit; what is printed is the site's wall time.
    first = next(line for line in lines if line.startswith("1 Thu 11 Mar 2027"))
    assert "14:00–15:35 Sam Okafor Room 1" in first
    second = next(line for line in lines if line.startswith("2 Thu 8 Apr 2027"))
    assert "28 of 21–28–42" in second
    whole = " ".join(lines)
    for said in ("Same provider.", "finish ", "Always on a Thursday."):
        assert said in whole


def test_without_a_plan_the_cause_its_end_and_the_ways_out_are_printed(
    ask: Ask, site: Site, manager: Staff, needling_device: Resource
) -> None:
    out_of_order(needling_device, site, manager, days=120)
    printed = ask("plan_series", "--from", FIRST.isoformat())
    assert printed.startswith("none: ")
    whole = " ".join(printed.split())
    assert "Session 1 finds no place between Thu 4 Mar and Wed 2 Jun" in whole
    assert "What binds: device. Until: Fri 2 Jul 09:15." in whole
    assert "– Put the patient on the wait-list" in whole


def test_what_alone_is_possible_is_told_from_what_is_wished(ask: Ask) -> None:
    assert "Sun" not in ask("plan_series", "--prefer", "sun")
    none = " ".join(ask("plan_series", "--prefer", "sun", "--only").split())
    assert none.startswith("none: ")
    assert "nothing keeps to the wished weekdays and times" in none
    assert "On another weekday or at another time, session 1 can be on" in none


def test_a_provider_is_chosen_by_id_or_by_name(
    ask: Ask, house: ProtocolVersion, site: Site, treatment_provider: Resource
) -> None:
    kim = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)

    def who(provider: str) -> set[str]:
        plans = json.loads(ask("plan_series", "--json", provider=provider))["plans"]
        return {visit["provider"]["name"] for plan in plans for visit in plan["visits"]}

    assert who(str(kim.pk)) == who("kim lee") == {"Kim Lee"}
    assert who("Sam Okafor") == {"Sam Okafor"}
    twin = provider_resource(site, staff_at(site, Role.PROVIDER, "kim  lee"), house.modality)
    Resource.objects.filter(pk=twin.pk).update(name="Kim Lee")
    with pytest.raises(CommandError, match=f"choose by id of {kim.pk} Kim Lee, {twin.pk} Kim Lee"):
        who("Kim Lee")


# --- find_slots -----------------------------------------------------------------------------------


@CLOCK
@pytest.mark.parametrize(
    ("endpoint", "option", "day", "found"),
    [
        ("free-starts", "day", FIRST, True),
        ("free-starts", "day", FIRST + 3 * DAY, False),
        ("first-starts", "from", FIRST, True),
    ],
)
def test_the_starts_are_those_of_the_api(
    ask: Ask,
    house: ProtocolVersion,
    patient: Patient,
    site: Site,
    front_desk: Staff,
    endpoint: str,
    option: str,
    day: date,
    found: bool,
) -> None:
    asked = {
        "patient": patient.pk,
        "site": site.pk,
        "protocol": house.pk,
        "areas": ["face"],
        ("day" if option == "day" else "first_from"): day.isoformat(),
    }
    answer = api(front_desk).post(f"/api/v1/series/{endpoint}/", asked)
    assert answer.status_code == 200, answer.content
    printed = ask("find_slots", "--json", **{option: day.isoformat()})
    assert json.loads(printed.removeprefix("none: ")) == answer.json()
    assert printed.startswith("none: ") != found


def test_the_first_starts_are_printed_in_the_zone_of_the_site(ask: Ask) -> None:
    printed = ask("find_slots", "--from", "2027-03-15")
    assert "20 free starts at Harbour Skin Clinic (America/New_York)" in printed
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert "Mon 15 Mar 2027 09:15–10:50 Sam Okafor Room 1 Needle 1" in lines
    assert ask("find_slots", "--limit", "3").startswith("3 free starts")


def test_the_nearest_starts_come_nearest_first(ask: Ask) -> None:
    found = json.loads(ask("find_slots", "--nearest", "2027-03-15T12:10", "--limit", "3", "--json"))
    starts = [place["starts_at"] for place in found["places"]]
    assert starts == ["2027-03-15T16:15:00Z", "2027-03-15T16:00:00Z", "2027-03-15T16:30:00Z"]


def test_without_a_start_the_cause_and_its_end_are_printed(
    ask: Ask, site: Site, manager: Staff, room: Resource
) -> None:
    out_of_order(room, site, manager, days=2)
    printed = ask("find_slots", day=(FIRST + DAY).isoformat())
    assert printed == (
        "none: On Fri 5 Mar no room of the right kind is free long enough."
        " A room is free from Sat 6 Mar 09:15.\n"
        "What binds: room. Until: Sat 6 Mar 09:15.\n"
    )


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        ({"patient": "999999"}, "there is no patient '999999'"),
        ({"patient": "Elena"}, "there is no patient 'Elena'"),
        ({"patient": "9" * 400}, "there is no patient"),
        ({"protocol": "moon"}, "there is no 'moon'. Approved are: rf_microneedling"),
        ({"site": "sunset"}, "the patient is not at 'sunset'. Their sites: harbour"),
        ({"area": "moon"}, "does not treat 'moon'. It treats "),
        ({"provider": "Nobody"}, "'Nobody' does not work at Harbour Skin Clinic"),
        ({"now": "soon"}, "--now: 'soon' is not a time"),
        ({"now": "2027-03-14T02:30"}, "02:30 does not exist"),
        ({"now": "2027-11-07T01:30"}, "comes twice"),
        ({"from": "soon"}, "--from: 'soon' is not a date"),
        ({"from": "2027-02-30"}, "is not a date"),
        ({"from": "0001-01-01"}, "a year between 2000 and 2100"),
    ],
)
@pytest.mark.parametrize("command", ["find_slots", "plan_series"])
def test_what_does_not_fit_is_refused_with_what_to_write(
    ask: Ask, command: str, instead: dict[str, str | None], said: str
) -> None:
    with pytest.raises(CommandError, match=said.replace("?", r"\?")) as refused:
        ask(command, **instead)
    assert "Sato" not in str(refused.value)


@pytest.mark.parametrize(
    ("command", "instead", "said"),
    [
        ("plan_series", {"sessions": "0"}, "--sessions: between 1 and 12"),
        ("plan_series", {"sessions": "13"}, "--sessions: between 1 and 12"),
        ("plan_series", {"sessions": "many"}, "invalid int value"),
        ("plan_series", {"sessions": None}, "required: --sessions"),
        ("plan_series", {"prefer": "soon"}, "--prefer: 'soon' is no day and no time"),
        ("plan_series", {"prefer": ""}, "--prefer: There is no preference"),
        ("find_slots", {"day": "soon"}, "--day: 'soon' is not a date"),
        ("find_slots", {"nearest": "soon"}, "--nearest: 'soon' is not a time"),
        ("find_slots", {"limit": "0"}, "--limit: between 1 and 500"),
        ("find_slots", {"day": "2027-03-04", "from": "2027-03-04"}, "not allowed with"),
    ],
)
def test_each_command_refuses_its_own_options(
    ask: Ask, command: str, instead: dict[str, str | None], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        ask(command, **instead)


@pytest.mark.parametrize("command", ["find_slots", "plan_series"])
def test_without_an_area_the_patients_usual_one_is_taken_else_the_longest_and_said(
    ask: Ask, capsys: pytest.CaptureFixture[str], book: Book, wish: Wish, command: str
) -> None:
    assert json.loads(ask(command, "--json", area=None))
    assert "so this is for Both thighs." in capsys.readouterr().err
    book(wish(FIRST), areas=["neck"])
    ask(command, area=None)
    assert "so this is for Neck." in capsys.readouterr().err
    ask(command, area="face")
    assert not capsys.readouterr().err


def test_a_condition_needs_to_be_said(ask: Ask) -> None:
    with pytest.raises(CommandError, match="say with --prefer"):
        ask("plan_series", "--only")


def test_a_protocol_without_an_approved_version_is_refused(
    ask: Ask, house: ProtocolVersion, draft_protocol: ProtocolVersion, as_owner: Any
) -> None:
    ProtocolVersion.objects.filter(pk=house.pk).update(status="retired")
    with pytest.raises(CommandError, match="no version of rf_microneedling is approved"):
        ask("plan_series")


def test_a_patient_of_two_sites_needs_one_named(
    ask: Ask, patient: Patient, other_site: Site
) -> None:
    patient.sites.add(other_site)
    with pytest.raises(CommandError, match="choose one of harbour, sunset"):
        ask("find_slots")
    assert "Harbour Skin Clinic" in ask("find_slots", site="harbour")
    # Nobody works there.
    assert ask("find_slots", site="sunset").startswith("none: ")


# --- A real process -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_at_a_terminal_the_answer_is_printed_and_the_exit_says_whether_there_is_one(
    house: ProtocolVersion,
    patient: Patient,
    manage: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    asked = (
        *("plan_series", "--patient", str(patient.pk), "--protocol", "rf_microneedling"),
        *("--area", "face", "--sessions", "4", "--from", "2027-03-01", "--now", AT_NOW),
    )
    done = manage(*asked, "--prefer", "thu,fri 14:00-18:00", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    best = json.loads(done.stdout)["plans"][0]
    assert [visit["session"] for visit in best["visits"]] == [1, 2, 3, 4]
    assert best["visits"][0]["starts_at"] == "2027-03-04T19:00:00Z"
    none = manage(*asked, "--prefer", "sun", "--only")
    assert (none.returncode, none.stderr) == (1, "")
    assert "Session 1 finds no place" in none.stdout and "Sato" not in none.stdout
    wrong = manage(*asked, "--prefer", "soon")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "--prefer: 'soon' is no day and no time" in wrong.stderr
