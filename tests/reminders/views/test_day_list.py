"""The day of a site: what it shows, what one press does, and whom it refuses."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.visits import cancelling
from clinic import exceptional_hours
from clinic.models import ProtocolVersion, Resource, Site, Staff
from tests import full_day
from tests.reminders.views.conftest import FIRST, SECOND, SignIn, Wish, at

pytestmark = pytest.mark.django_db

DAY = f"/day/?date={FIRST}"
HTMX = {"HX-Request": "true"}


def body(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def press(client: Client, visit: Appointment, act: str, **extra: str) -> str:
    """Presses a button of the day list as htmx does and returns the fresh region."""
    response = client.post(
        reverse("visit-act", args=[visit.pk, act]),
        {"version": visit.version, "next": DAY, **extra},
        headers=HTMX,
        follow=True,
    )
    assert response.status_code == 200
    return response.content.decode()


def test_a_visit_shows_who_what_when_and_with_whom(desk: Client, visits: list[Appointment]) -> None:
    page = desk.get(DAY).content.decode()
    for words in ("Elena Sato", "10:00", "95 min", "1/3", ">RM<", "Face", "Sam Okafor", "Room 1"):
        assert words in page
    assert "Booked" in page


def test_a_row_says_what_is_locked_and_shows_names_as_they_were_typed(
    desk: Client, visits: list[Appointment]
) -> None:
    assert "Locked to its time" not in body(desk.get(DAY))
    Appointment.objects.filter(pk=visits[0].pk).update(is_locked=True)
    Resource.objects.filter(name="Room 1").update(name="Room <b>1 & 2")
    page = body(desk.get(DAY))
    assert 'aria-label="Locked to its time"' in page
    assert '<span class="unit">Room &lt;b&gt;1 &amp; 2</span>' in page


def test_who_has_not_confirmed_is_called_from_a_list_with_numbers(
    desk: Client, visits: list[Appointment]
) -> None:
    assert "unconfirmed=1" in body(desk.get(DAY))
    assert "unconfirmed=1" in body(desk.get(f"/board/?date={FIRST}"))
    assert "tel:" not in body(desk.get(DAY))
    calls = f"{DAY}&unconfirmed=1"
    assert f'href="tel:{visits[0].series.patient.contact_points.get(kind="phone").value}"' in body(
        desk.get(calls)
    )
    assert "Everybody has confirmed" in press(desk, visits[0], "confirm", next=calls)
    assert "Elena Sato" in body(desk.get(DAY))


def test_an_empty_day_leads_to_the_next_busy_one(desk: Client, visits: list[Appointment]) -> None:
    page = desk.get("/day/?date=2027-02-19").content.decode()
    assert "No visits" in page
    assert f"date={SECOND}" in page
    assert '<a href="/board/" data-key="g b" aria-current="page">' in page


def test_the_days_around_keep_the_filters(desk: Client, visits: list[Appointment]) -> None:
    page = desk.get(f"{DAY}&provider=3").content.decode()
    assert "?date=2027-02-17&amp;provider=3" in page
    assert "?date=2027-02-19&amp;provider=3" in page


def test_only_the_visits_of_the_chosen_provider_are_shown(
    desk: Client, visits: list[Appointment], wish: Wish
) -> None:
    provider = wish(FIRST).provider_id
    assert "Elena Sato" in desk.get(f"{DAY}&provider={provider}").content.decode()
    assert "Elena Sato" not in desk.get(f"{DAY}&provider={provider + 999}").content.decode()


def test_a_visit_that_was_over_when_it_was_brought_over_is_with_who_had_it(
    desk: Client, visits: list[Appointment], wish: Wish, now: datetime
) -> None:
    visits[0].allocations.update(active=False)
    over = {"state": State.DONE, "done_at": now, "imported_at": now, "imported_start": now}
    Appointment.objects.filter(pk=visits[0].pk).update(**over)
    page = desk.get(f"{DAY}&provider={wish(FIRST).provider_id}").content.decode()
    assert "Elena Sato" in page
    panel = desk.get(f"/board/?date={FIRST}&visit={visits[0].pk}", headers={"HX-Target": "panel"})
    assert "Sam Okafor" in panel.content.decode()


def test_a_cancelled_visit_hides_until_it_is_asked_for(
    desk: Client, visits: list[Appointment], front_desk: Staff, now: object
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now, reason="Ill")  # type: ignore[arg-type]
    assert "Elena Sato" not in desk.get(DAY).content.decode()
    assert "Elena Sato" in desk.get(f"{DAY}&cancelled=1").content.decode()


def test_a_whole_day_is_run_by_single_presses(
    desk: Client,
    visits: list[Appointment],
    clock: time_machine.Traveller,
    sign_in: SignIn,
    front_desk: Staff,
) -> None:
    visit = visits[0]
    clock.move_to(at(FIRST, "09:55"))
    sign_in(front_desk)
    for act, state in (
        ("check-in", State.ARRIVED),
        ("start", State.IN_TREATMENT),
        ("complete", State.DONE),
    ):
        region = press(desk, visit, act)
        visit.refresh_from_db()
        assert visit.state == state
        assert 'id="day"' in region
        assert "<html" not in region
        assert "Elena Sato" in region
        assert ("log not signed" in region) == (state == State.DONE)


def test_undo_takes_back_the_last_press_and_names_the_patient(
    desk: Client, visits: list[Appointment]
) -> None:
    visit = visits[0]
    region = press(desk, visit, "confirm")
    assert "Elena Sato: confirmed." in region
    undo = region.split('action="')[-1].split('"')[0].replace("&amp;", "&")
    page = desk.post(undo, follow=True).content.decode()
    visit.refresh_from_db()
    assert visit.state == State.BOOKED
    assert "back to what it was" in page


def test_a_press_on_a_stale_list_shows_both_values(desk: Client, visits: list[Appointment]) -> None:
    stale = visits[0]
    press(desk, stale, "confirm")
    region = press(desk, stale, "confirm")
    assert "you saw “Booked, Thu 18 Feb 10:00”" in region
    assert "it is “Confirmed, Thu 18 Feb 10:00” now (Ana Front" in region


def test_a_press_out_of_turn_says_what_is_possible(desk: Client, visits: list[Appointment]) -> None:
    assert "so it cannot be started" in press(desk, visits[0], "start")


def test_check_in_is_offered_on_the_day_alone(
    desk: Client,
    visits: list[Appointment],
    clock: time_machine.Traveller,
    sign_in: SignIn,
    front_desk: Staff,
) -> None:
    assert "Check in" not in desk.get(DAY).content.decode()
    clock.move_to(at(FIRST, "09:00"))
    sign_in(front_desk)
    page = desk.get(DAY).content.decode()
    assert "Check in" in page
    assert "No-show" not in page


def test_a_long_wait_stands_out(
    desk: Client,
    visits: list[Appointment],
    clock: time_machine.Traveller,
    sign_in: SignIn,
    front_desk: Staff,
) -> None:
    clock.move_to(at(FIRST, "09:50"))
    sign_in(front_desk)
    press(desk, visits[0], "check-in")
    clock.shift(timedelta(minutes=25))
    assert "waiting 25 min" in desk.get(DAY).content.decode()


def test_a_patient_who_may_not_be_written_to_is_flagged(
    desk: Client, visits: list[Appointment]
) -> None:
    assert "no consent" not in desk.get(DAY).content.decode()
    connection.cursor().execute(
        "UPDATE patients_contactconsent SET closed_at = opened_at, closed_source = 'phone'"
    )
    assert "no consent" in desk.get(DAY).content.decode()


def test_a_form_without_script_comes_back_to_the_list(
    desk: Client, visits: list[Appointment]
) -> None:
    response = desk.post(
        reverse("visit-act", args=[visits[0].pk, "confirm"]), {"version": 1, "next": DAY}
    )
    assert response.status_code == 303
    assert response["Location"] == DAY


def test_nobody_is_sent_to_another_house(desk: Client, visits: list[Appointment]) -> None:
    response = desk.post(
        reverse("visit-act", args=[visits[0].pk, "confirm"]), {"next": "https://evil.example/"}
    )
    assert response["Location"] == reverse("visit", args=[visits[0].pk])


def test_a_stranger_sees_neither_the_site_nor_the_visit(
    stranger: Client, visits: list[Appointment], site: Site
) -> None:
    assert "Elena Sato" not in stranger.get(DAY).content.decode()
    assert stranger.get(f"{DAY}&site={site.slug}").status_code == 403
    url = reverse("visit-act", args=[visits[0].pk, "confirm"])
    assert stranger.post(url, {"version": 1}).status_code == 404
    visits[0].refresh_from_db()
    assert visits[0].state == State.BOOKED


def test_nobody_sees_the_list_without_signing_in(client: Client, site: Site) -> None:
    assert client.get("/day/").status_code == 302


def test_a_visit_is_flagged_that_loses_its_provider_its_room_or_the_house(
    desk: Client,
    visits: list[Appointment],
    site: Site,
    room: Resource,
    treatment_provider: Resource,
    manager: Staff,
    now: datetime,
) -> None:
    def flags() -> set[str]:
        return set(re.findall(r"needs another \w+|outside opening hours", body(desk.get(DAY))))

    assert flags() == set()
    Resource.objects.filter(pk=room.pk).update(is_active=False)
    assert flags() == {"needs another room"}
    exceptional_hours.set_day(
        site=site, day=FIRST, stretches=[], provider=treatment_provider, by=manager, now=now
    )
    assert flags() == {"needs another room", "needs another provider"}
    exceptional_hours.set_day(site=site, day=FIRST, stretches=[], by=manager, now=now)
    assert flags() == {"needs another room", "outside opening hours"}


def test_a_full_day_costs_no_more_queries_than_a_short_one(
    desk: Client, visits: list[Appointment], site: Site, house: ProtocolVersion
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(DAY).status_code == 200
        return len(asked)

    desk.get(DAY)
    one = queries()
    full_day.fill(FIRST, site=site, version=house)
    assert queries() == one
    assert one <= 26
