"""The pages of blocks: a new one, the visits under it, and moving them with the progress bar."""

import re
from collections.abc import Generator
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from appointments.absences import blocks
from appointments.models import Appointment, Block, BlockKind
from clinic.models import ProtocolVersion, Resource, Site, Staff
from tests.appointments.claiming.test_races import patients
from tests.appointments.conftest import FIRST, Book, Wish, at

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Generator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def desk(client: Client, front_desk: Staff) -> Client:
    client.force_login(front_desk)
    return client


@pytest.fixture
def form(needling_device: Resource, house: ProtocolVersion) -> dict[str, Any]:
    return {
        "resources": [needling_device.pk],
        "kind": "maintenance",
        "reason": "Handpiece",
        "starts_day": "2027-03-04",
        "starts_time": "08:00",
        "ends_day": "2027-03-11",
        "ends_time": "08:00",
    }


@pytest.fixture
def second_device(site: Site, house: ProtocolVersion) -> Resource:
    return Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality
    )


@pytest.fixture
def block(site: Site, needling_device: Resource, front_desk: Staff, now: datetime) -> Block:
    return blocks.block(
        site=site,
        resources=[needling_device],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST, "08:00"),
        ends_at=at(FIRST + 7 * DAY, "08:00"),
        by=front_desk,
        now=now,
        over_visits=True,
    )


def hidden(page: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]*)"', page)


FIELDS = ("patient", "move", "total", "moved", "refused", "done")


def undos(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'action="([^"]*/take-back/[^"]*)"', page)]


def ticked(page: str) -> dict[str, Any]:
    return {name: hidden(page, name) for name in FIELDS}


# --- A new one ------------------------------------------------------------------------------------


def test_the_desk_blocks_a_device_and_is_shown_what_it_holds(
    desk: Client, form: dict[str, Any]
) -> None:
    answer = desk.post("/blocks/", form)
    made = Block.objects.get()
    assert answer.status_code == 303 and answer["Location"] == f"/blocks/{made.pk}/"
    assert (made.starts_at, made.ends_at) == (at(FIRST, "08:00"), at(FIRST + 7 * DAY, "08:00"))
    page = desk.get(f"/blocks/{made.pk}/").content.decode()
    assert "Needle 1" in page and "No visit must move" in page
    listed = desk.get("/blocks/").content.decode()
    assert "Needle 1" in listed and "Handpiece" in listed


def test_from_the_board_the_form_is_of_its_day_and_column(
    desk: Client, needling_device: Resource
) -> None:
    page = desk.get(f"/blocks/?date={FIRST + DAY}&of={needling_device.pk}").content.decode()
    assert hidden(page, "starts_day") == hidden(page, "ends_day") == [str(FIRST + DAY)]
    assert hidden(page, "starts_time") == ["08:00"]
    assert re.search(rf'name="resources" value="{needling_device.pk}"[^>]* checked', page)
    assert re.search(r'name="kind" value="maintenance"[^>]* checked', page)
    for nothing in ("date=soon&of=x", "date=&of=999999"):
        assert " checked" not in desk.get(f"/blocks/?{nothing}").content.decode()


def test_unless_somebody_chooses_people_are_off_and_things_are_looked_after(
    desk: Client, form: dict[str, Any], treatment_provider: Resource, needling_device: Resource
) -> None:
    page = desk.get(f"/blocks/?of={treatment_provider.pk}").content.decode()
    assert re.search(r'name="kind" value="time_off"[^>]* checked', page)
    people, things = [treatment_provider.pk], [needling_device.pk]
    for resources in (people, things):
        desk.post("/blocks/", {**form, "kind": "", "resources": resources})
    assert list(Block.objects.order_by("pk").values_list("kind", flat=True)) == [
        BlockKind.TIME_OFF,
        BlockKind.MAINTENANCE,
    ]


def test_visits_in_the_way_are_named_and_may_be_blocked_over(
    desk: Client, form: dict[str, Any], visits: list[Appointment]
) -> None:
    answer = desk.post("/blocks/", form)
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "1 visit is booked in that time" in said and "also over visits" in said
    assert not Block.objects.exists()
    assert desk.post("/blocks/", form | {"over_visits": "on"}).status_code == 303
    assert "1 to move" in desk.get("/blocks/").content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"starts_day": "2027-03-14", "starts_time": "02:30"}, "02:30 does not exist on Sun 14"),
        ({"ends_day": "2027-11-07", "ends_time": "01:30"}, "01:30 comes twice on Sun 7 Nov"),
        ({"ends_day": "2027-03-04", "ends_time": "07:00"}, "must come after the start"),
        ({"resources": []}, "Choose at least one provider, room or device."),
        ({"ends_time": ""}, "Enter a time such as 09:00."),
    ],
)
def test_a_block_that_cannot_be_says_what_to_mend_and_keeps_what_was_typed(
    desk: Client, form: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    answer = desk.post("/blocks/", form | changes)
    page = answer.content.decode()
    assert answer.status_code == 422 and said in page
    assert 'value="Handpiece"' in page
    assert not Block.objects.exists()


def test_of_a_repeated_time_the_form_asks_which(desk: Client, form: dict[str, Any]) -> None:
    twice = form | {"ends_day": "2027-11-07", "ends_time": "01:30"}
    page = desk.post("/blocks/", twice).content.decode()
    assert 'name="ends_fold"' in page and 'name="starts_fold"' not in page
    assert desk.post("/blocks/", twice | {"ends_fold": "1"}).status_code == 303
    assert Block.objects.get().ends_at.isoformat() == "2027-11-07T06:30:00+00:00"


# --- One block ------------------------------------------------------------------------------------


def test_the_page_shows_each_visit_with_its_place_then_and_now(
    desk: Client, visits: list[Appointment], block: Block, second_device: Resource
) -> None:
    page = desk.get(f"/blocks/{block.pk}/").content.decode()
    assert "1 visit to move" in page and "Elena S" in page
    assert "Same time" in page and '<b class="unit">Needle 2</b>' in page
    assert "Nobody must come at another time" in page


def test_without_script_one_press_moves_them_all_and_says_so(
    desk: Client,
    visits: list[Appointment],
    block: Block,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    page = desk.get(f"/blocks/{block.pk}/").content.decode()
    answer = desk.post(f"/blocks/{block.pk}/move/", ticked(page), follow=True)
    assert answer.redirect_chain == [(f"/blocks/{block.pk}/", 303)]
    said = answer.content.decode()
    assert "1 visit moved." in said and "No visit must move" in said
    visits[0].refresh_from_db()
    assert visits[0].starts_at == at(FIRST, "10:00")
    assert visits[0].history.order_by("-id")[0].reason == "Needle 1: maintenance"
    [undo] = undos(said)
    back = desk.post(undo, follow=True)
    assert back.redirect_chain == [(f"/blocks/{block.pk}/", 303)]
    # The device is blocked, so the former place is nobody's to have again.
    assert "has been taken meanwhile" in back.content.decode()
    blocks.release(block=block, by=front_desk, now=now)
    assert "back to what it was" in desk.post(undo, follow=True).content.decode()
    assert visits[0].resources_held()["device"] == block.resources.get().pk


def test_only_the_patient_whose_button_was_pressed_is_moved(
    desk: Client,
    book: Book,
    wish: Wish,
    block: Block,
    site: Site,
    needling_device: Resource,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    blocks.release(block=block, by=front_desk, now=now)
    made = [
        book(wish(FIRST, wall), patient=person).appointments.get()
        for person, wall in zip(patients(site, front_desk, now, 2), ("10:00", "13:00"), strict=True)
    ]
    anew = blocks.block(
        site=site,
        resources=[needling_device],
        kind=BlockKind.BLOCKED,
        starts_at=at(FIRST, "08:00"),
        ends_at=at(FIRST, "18:00"),
        by=front_desk,
        now=now,
        over_visits=True,
    )
    page = desk.get(f"/blocks/{anew.pk}/").content.decode()
    only = {**ticked(page), "only": made[1].series.patient_id}
    desk.post(f"/blocks/{anew.pk}/move/", only)
    assert [Appointment.objects.get(pk=visit.pk).version for visit in made] == [1, 2]
    nobody = {**ticked(page), "patient": []}
    said = desk.post(f"/blocks/{anew.pk}/move/", nobody, follow=True).content.decode()
    assert "Nothing was moved. Choose at least one patient" in said


def test_with_script_each_request_moves_some_and_shows_the_progress_until_all_are_done(
    desk: Client,
    book: Book,
    wish: Wish,
    block: Block,
    site: Site,
    needling_device: Resource,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from appointments.views import relocating

    # One patient a request, however fast the machine is.
    monkeypatch.setattr(relocating, "STEP_SECONDS", 0.0)
    blocks.release(block=block, by=front_desk, now=now)
    people = patients(site, front_desk, now, 40)
    day, slots = FIRST, list[tuple[date, str]]()
    while len(slots) < 40:
        if day.weekday() < 6:
            slots += [(day, wall) for wall in ("09:30", "11:30", "13:30", "15:30")]
        day += DAY
    for person, (on, wall) in zip(people, slots, strict=True):
        book(wish(on, wall), patient=person)
    anew = blocks.block(
        site=site,
        resources=[needling_device],
        kind=BlockKind.BLOCKED,
        starts_at=at(FIRST, "08:00"),
        ends_at=at(FIRST + 14 * DAY, "18:00"),
        by=front_desk,
        now=now,
        over_visits=True,
    )
    page = desk.get(f"/blocks/{anew.pk}/").content.decode()
    assert "40 visits to move" in page
    seen = []
    for _ in range(39):
        answer = desk.post(f"/blocks/{anew.pk}/move/", ticked(page), headers=HTMX)
        page = answer.content.decode()
        (progress,) = re.findall(r'<progress [^>]*value="(\d+)" max="(\d+)"', page)
        seen.append(progress)
        assert 'hx-trigger="load' in page
    assert seen == [(str(n), "40") for n in range(1, 40)]
    done = desk.post(f"/blocks/{anew.pk}/move/", ticked(page), headers=HTMX).content.decode()
    assert "40 visits moved." in done and "<progress" not in done
    assert "No visit must move" in done
    assert "Moved: 40 patients" in done and len(undos(done)) == 40


def test_who_finds_no_place_stays_listed_with_the_reason_and_a_way_on(
    desk: Client, visits: list[Appointment], block: Block
) -> None:
    Appointment.objects.filter(pk=visits[0].pk).update(is_locked=True)
    page = desk.get(f"/blocks/{block.pk}/").content.decode()
    assert "1 without a place" in page and "This visit is locked" in page
    assert f'href="/visits/{visits[0].pk}/move/"' in page
    assert "Move all that are ticked" not in page


def test_what_cannot_be_read_moves_nobody(
    desk: Client, visits: list[Appointment], block: Block
) -> None:
    for hostile in (
        "x",
        "1~1~20270304T1500~1~1",
        f"{visits[0].pk}~1~x~1~1~",
        "9" * 400,
        "\x00~~~~~",
    ):
        body = {"move": hostile, "patient": visits[0].series.patient_id, "total": "9" * 99}
        for headers in ({}, HTMX):
            answer = desk.post(f"/blocks/{block.pk}/move/", body, headers=headers)
            assert answer.status_code in (200, 303)
    visits[0].refresh_from_db()
    assert visits[0].version == 1


def test_a_block_is_shortened_and_given_back_with_its_own_buttons(
    desk: Client, block: Block
) -> None:
    sooner = {"ends_day": "2027-03-05", "ends_time": "12:00"}
    assert desk.post(f"/blocks/{block.pk}/end/", sooner).status_code == 303
    block.refresh_from_db()
    assert block.ends_at == at(date(2027, 3, 5), "12:00")
    past = desk.post(f"/blocks/{block.pk}/end/", {"ends_day": "2027-02-01", "ends_time": "12:00"})
    assert past.status_code == 422 and "must come after the start" in past.content.decode()
    assert desk.post(f"/blocks/{block.pk}/release/").status_code == 303
    block.refresh_from_db()
    assert block.released_at is not None
    again = desk.post(f"/blocks/{block.pk}/release/", follow=True)
    assert "released before" in again.content.decode()


# --- Who may --------------------------------------------------------------------------------------


def test_a_provider_looks_but_has_no_form_and_makes_nothing(
    client: Client, provider: Staff, block: Block, form: dict[str, Any]
) -> None:
    client.force_login(provider)
    assert "New block" not in client.get("/blocks/").content.decode()
    assert client.post("/blocks/", form).status_code == 403
    for act in ("release", "end"):
        body = {"ends_day": "2027-03-05", "ends_time": "12:00"}
        assert client.post(f"/blocks/{block.pk}/{act}/", body).status_code == 403


def test_what_is_blocked_elsewhere_is_nothing_to_a_stranger(
    client: Client, outsider: Staff, block: Block, site: Site
) -> None:
    client.force_login(outsider)
    assert "Needle 1" not in client.get("/blocks/").content.decode()
    assert client.get(f"/blocks/?site={site.slug}").status_code == 403
    assert client.get(f"/blocks/{block.pk}/").status_code == 404
    for address in (
        f"/blocks/{block.pk}/release/",
        f"/blocks/{block.pk}/end/",
        f"/blocks/{block.pk}/move/",
    ):
        assert client.post(address).status_code == 404
        assert client.get(address).status_code == 405


def test_the_day_list_flags_who_needs_something_else_and_counts_them(
    desk: Client, visits: list[Appointment], block: Block
) -> None:
    page = desk.get(f"/day/?date={FIRST}").content.decode()
    assert "needs another device" in page
    assert '<b class="bad">1</b> to move' in page
