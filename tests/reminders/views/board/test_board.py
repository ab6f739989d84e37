"""The board: what it draws, what its address keeps, what it answers in part, whom it refuses."""

import gzip
import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from appointments.absences import blocks
from appointments.claiming import holding
from appointments.models import Appointment, BlockKind
from appointments.visits import cancelling
from clinic.models import ProtocolVersion, Resource, Site, Staff
from patients.models import Patient
from tests import full_day
from tests.personas import a_patient
from tests.reminders.views.conftest import FIRST, SECOND, SignIn, Wish, at

pytestmark = pytest.mark.django_db

# Of a day of 120 visits, with a flag on each.
MOST_BYTES, MOST_NODES = 30_000, 1_800
BOARD = f"/board/?date={FIRST}"
PANEL = {"HX-Request": "true", "HX-Target": "panel"}
WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def text(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def columns(page: str) -> dict[str, str]:
    """The markup of each column by the name at its head."""
    found = re.findall(r'<section class="board-col".*?</section>', page, re.S)
    return {re.search(r"<h2.*?<a[^>]*>(.*?)</a>", each, re.S)[1]: each for each in found}  # type: ignore[index]


def test_a_visit_stands_in_the_column_of_each_resource_at_its_time(
    desk: Client, visits: list[Appointment]
) -> None:
    shown = columns(text(desk, f"{BOARD}&cols=all"))
    assert list(shown) == ["Sam Okafor", "Room 1", "Needle 1"]
    for column in shown.values():
        assert "E. Sato" in column
        assert f'data-visit="{visits[0].pk}"' in column
        assert ">1/3 RM Face<" in column and "Booked" in column
        # Opening at nine: ten o'clock is one hour down, for 95 minutes.
        assert 'class="h1 m0 eh2 em7"' in column


def test_a_day_without_visits_leads_to_the_next_with_one(
    desk: Client, visits: list[Appointment]
) -> None:
    between = text(desk, f"/board/?date={FIRST + timedelta(days=1)}")
    assert f'href="/board/?date={SECOND}">Next busy day: ' in between
    assert "Next busy day" not in text(desk, BOARD)


def test_only_the_columns_asked_for_are_drawn(desk: Client, visits: list[Appointment]) -> None:
    assert list(columns(text(desk, BOARD))) == ["Sam Okafor"]
    assert list(columns(text(desk, f"{BOARD}&cols=rooms"))) == ["Room 1"]
    assert list(columns(text(desk, f"{BOARD}&cols=devices"))) == ["Needle 1"]
    assert list(columns(text(desk, f"{BOARD}&cols=nonsense"))) == ["Sam Okafor"]


def test_free_time_is_a_link_that_books_there(desk: Client, visits: list[Appointment]) -> None:
    column = columns(text(desk, BOARD))["Sam Okafor"]
    provider = visits[0].resources_held()["provider"]
    # Clean-up of the visit at ten ends at 11:40.
    free = f"20270218T1640~{provider}"
    assert f'href="/series/new/?from={FIRST}&amp;provider={provider}&amp;at={free}"' in column
    room = visits[0].resources_held()["room"]
    of_room = columns(text(desk, f"{BOARD}&cols=rooms"))["Room 1"]
    assert re.search(rf'href="/series/new/\?from={FIRST}&amp;at=20270218T\d{{4}}~{room}"', of_room)
    assert "Free 11:40–18:00 · book" in column


def test_a_provider_sees_the_board_and_books_from_it_but_who_may_not_book_gets_no_links(
    desk: Client, visits: list[Appointment], front_desk: Staff, site: Site
) -> None:
    assert "data-movable" in text(desk, BOARD)
    visits[0].series.patient  # noqa: B018 - read before the role goes
    front_desk.site_roles.all().delete()
    assert desk.get(BOARD).status_code == 403


def test_a_hold_and_a_block_stand_on_the_board_with_whose_they_are(
    desk: Client,
    patient: Patient,
    house: ProtocolVersion,
    site: Site,
    front_desk: Staff,
    manager: Staff,
    room: Resource,
    wish: Wish,
    now: datetime,
) -> None:
    holding.hold_plan(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(FIRST)],
        by=front_desk,
        now=now,
    )
    blocks.block(
        site=site,
        kind=BlockKind.MAINTENANCE,
        resources=[room],
        starts_at=at(FIRST, "14:00"),
        ends_at=at(FIRST, "15:00"),
        reason="New lamp",
        by=manager,
        now=now,
    )
    shown = columns(text(desk, f"{BOARD}&cols=all"))
    assert "Held by" in shown["Sam Okafor"] and front_desk.name in shown["Sam Okafor"]
    assert "Maintenance" in shown["Room 1"] and "New lamp" in shown["Room 1"]
    assert "Maintenance" not in shown["Sam Okafor"]


def test_cancelled_visits_stand_there_when_asked_for(
    desk: Client, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now, reason="Ill")
    assert "E. Sato" not in text(desk, BOARD)
    shown = columns(text(desk, f"{BOARD}&cancelled=1"))["Sam Okafor"]
    assert "E. Sato" in shown and "Cancelled" in shown


def test_names_are_initials_when_somebody_may_look_over_the_shoulder(
    desk: Client, visits: list[Appointment]
) -> None:
    page = text(desk, f"{BOARD}&names=initials&visit={visits[0].pk}")
    assert "E. S." in page
    assert "Sato" not in page
    assert str(visits[0].series.patient.birth_date.year) not in page


def test_a_week_is_one_resource_on_seven_days(desk: Client, visits: list[Appointment]) -> None:
    provider = visits[0].resources_held()["provider"]
    shown = columns(text(desk, f"{BOARD}&view=week&of={provider}"))
    assert [name.split(" ")[0] for name in shown] == [
        "Mon",
        "Tue",
        "Wed",
        "Thu",
        "Fri",
        "Sat",
        "Sun",
    ]
    assert [day for day, column in shown.items() if "E. Sato" in column] == ["Thu 18 Feb"]
    assert "Nothing" not in text(desk, f"{BOARD}&view=week&of=0")


def test_the_week_of_the_change_of_clocks_keeps_its_hours(
    desk: Client, visits: list[Appointment]
) -> None:
    provider = visits[1].resources_held()["provider"]
    shown = columns(text(desk, f"/board/?date={SECOND}&view=week&of={provider}"))
    assert 'class="h1 m0 eh2 em7"' in shown["Thu 18 Mar"]


def test_the_panel_of_a_visit_has_its_acts_and_keeps_the_board(
    desk: Client, visits: list[Appointment]
) -> None:
    page = text(desk, f"{BOARD}&visit={visits[0].pk}")
    panel = page[page.index('<aside id="panel"') :]
    for words in ("Elena Sato", "Confirm", "Move", "Room 1", "1/3", "2/3", "3/3"):
        assert words in panel
    assert f'value="/board/?date={FIRST}&amp;visit={visits[0].pk}"' in panel
    alone = text(desk, f"{BOARD}&visit={visits[0].pk}", **PANEL)
    assert "<html" not in alone and alone.strip().startswith('<aside id="panel"')


def test_an_act_of_the_panel_comes_back_to_the_board(
    desk: Client, visits: list[Appointment]
) -> None:
    here = f"{BOARD}&visit={visits[0].pk}"
    answer = desk.post(
        f"/visits/{visits[0].pk}/confirm/", {"version": visits[0].version, "next": here}
    )
    assert (answer.status_code, answer["Location"]) == (303, here)
    assert "Confirmed" in columns(text(desk, here))["Sam Okafor"]


def test_the_refresh_of_an_idle_page_answers_with_the_columns_alone(
    desk: Client, visits: list[Appointment]
) -> None:
    part = text(desk, BOARD, **{"HX-Request": "true", "HX-Target": "board"})
    assert "<html" not in part and "E. Sato" in part


def test_an_unreadable_date_says_so(desk: Client) -> None:
    assert "That is not a date" in text(desk, "/board/?date=2027-02-30")
    assert "<h1>Mon 15 Feb</h1>" in text(desk, "/board/?date=9999-12-31")


def test_a_day_on_which_nobody_works_says_what_to_do(desk: Client) -> None:
    page = text(desk, "/board/?date=2027-02-21")
    assert "Nobody works here on this day" in page
    assert "/hours/" in page


def test_a_visit_of_another_site_takes_time_but_has_no_name(
    desk: Client,
    other_site: Site,
    outsider: Staff,
    house: ProtocolVersion,
    treatment_provider: Resource,
    visits: list[Appointment],
    now: datetime,
) -> None:
    """The provider works at both; who is treated there is not this desk's to know."""
    stranger = a_patient(other_site, outsider, now, given="Zelda", family="Quick")
    Appointment.objects.filter(pk=visits[0].pk).update(site=other_site)
    visits[0].series.patient.sites.set([other_site])
    page = text(desk, BOARD)
    assert "Not at this site" in page
    assert "Sato" not in page and str(stranger.pk)


def test_an_outsider_sees_neither_the_board_nor_a_panel(
    stranger: Client, visits: list[Appointment], site: Site
) -> None:
    assert stranger.get(f"{BOARD}&site={site.slug}").status_code == 403
    assert "Sato" not in text(stranger, f"{BOARD}&visit={visits[0].pk}")


def test_nobody_is_sent_to_sign_in(client: Client) -> None:
    answer = client.get(BOARD)
    assert answer.status_code == 302 and answer["Location"].startswith("/login/")


def test_a_full_day_costs_no_more_queries_than_a_short_one_and_is_light(
    desk: Client, visits: list[Appointment], house: ProtocolVersion, site: Site
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            text(desk, f"{BOARD}&cols=all")
        return len(captured)

    asked()
    before = asked()
    full_day.fill(FIRST, site=site, version=house)
    assert asked() == before
    answer = desk.get(BOARD, headers={"Accept-Encoding": "gzip"})
    page = gzip.decompress(answer.content).decode()
    assert page.count("data-visit=") == full_day.VISITS + 1
    assert len(answer.content) <= MOST_BYTES
    assert len(re.findall(r"<[a-z]", page)) <= MOST_NODES


def test_what_is_past_is_not_offered(
    sign_in: SignIn, front_desk: Staff, clock: object, visits: list[Appointment]
) -> None:
    clock.move_to(at(FIRST, "09:00") + timedelta(days=1))  # type: ignore[attr-defined]
    desk = sign_in(front_desk)
    assert "· book" not in text(desk, BOARD)
    assert "board-now" not in text(desk, BOARD)


def test_the_present_is_a_line_at_its_row(
    sign_in: SignIn, front_desk: Staff, clock: object, visits: list[Appointment]
) -> None:
    clock.move_to(at(FIRST, "11:25"))  # type: ignore[attr-defined]
    desk = sign_in(front_desk)
    assert 'class="board-now h2 m5"' in text(desk, BOARD)
