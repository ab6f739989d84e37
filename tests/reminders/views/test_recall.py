"""The recall page: rows, tabs, where Book leads, a call written down, and whom it refuses."""

from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from appointments.models import RecallAttempt, TreatmentSeries
from appointments.waitlist import entries
from appointments.waitlist.entries import NextSession
from appointments.waitlist.wishes import Wishes
from clinic.models import ProtocolVersion, Site, Staff
from clinic.wall_time import local
from patients import consent
from patients.models import Patient
from tests.history import a_past_visit

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def today(site: Site, now: datetime) -> date:
    return local(now, site.zone).date()


@pytest.fixture
def unfinished(
    patient: Patient, site: Site, house: ProtocolVersion, today: date
) -> TreatmentSeries:
    return a_past_visit(patient, site, house, today - 30 * DAY, sessions=3).series


def test_a_row_says_who_what_until_when_and_leads_to_the_next_session(
    desk: Client, unfinished: TreatmentSeries
) -> None:
    page = desk.get("/recall/").content.decode()
    for words in ("Elena Sato", "Session 2/3", ">RM<", "Face", "days left", "ideal"):
        assert words in page, words
    assert f'href="/series/{unfinished.pk}/next/"' in page


def test_a_touch_up_leads_to_booking_it_and_says_when_nobody_may_offer(
    desk: Client,
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    today: date,
    now: datetime,
) -> None:
    a_past_visit(patient, site, house, today - 200 * DAY, ended="completed")
    page = desk.get("/recall/?cause=touch_up").content.decode()
    assert f"/series/new/dates/?site=harbour&amp;patient={patient.pk}" in page
    assert "sessions=1" in page and f"from={today}" in page
    for purpose, channel in list(consent.standing({patient.pk})[patient.pk]):
        if purpose == "marketing":
            consent.withdraw(
                patient=patient, purpose=purpose, channel=channel, by=front_desk, now=now
            )
    assert "do not call for this alone" in desk.get("/recall/").content.decode()
    booking = desk.get(
        page.split('href="/series/new/dates/')[1]
        .split('"')[0]
        .join(["/series/new/dates/", ""])
        .replace("&amp;", "&")
    )
    assert booking.status_code == 200


def test_who_waits_for_the_session_shows_their_wishes(
    desk: Client, unfinished: TreatmentSeries, front_desk: Staff, now: datetime
) -> None:
    assert "On the wait-list" not in desk.get("/recall/").content.decode()
    entries.add(
        target=NextSession(unfinished),
        wishes=Wishes(weekdays=(0, 3), earliest=14 * 60),
        by=front_desk,
        now=now,
    )
    assert "On the wait-list: Mon, Thu · from 14:00 on" in desk.get("/recall/").content.decode()


def test_the_tabs_part_them(desk: Client, unfinished: TreatmentSeries) -> None:
    assert "Elena Sato" in desk.get("/recall/?cause=next_session").content.decode()
    assert "Nobody is due" in desk.get("/recall/?cause=missed").content.decode()
    assert "Elena Sato" in desk.get("/recall/?cause=nonsense").content.decode()


def test_a_call_is_written_down_and_the_row_goes(desk: Client, unfinished: TreatmentSeries) -> None:
    answer = desk.post(
        f"/recall/{unfinished.pk}/asked/",
        {"outcome": "no_answer", "note": "Voice mail", "cause": "next_session"},
    )
    assert (answer.status_code, answer["Location"]) == (303, "/recall/?cause=next_session")
    assert RecallAttempt.objects.get().note == "Voice mail"
    assert "Nobody is due" in desk.get("/recall/").content.decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"outcome": "perhaps"}, "Choose what came of it."),
        ({"outcome": "later", "again_on": "2020-01-01"}, "Choose a day after today"),
        ({"outcome": "later", "again_on": "soon"}, "That is not a date"),
    ],
)
def test_bad_input_is_told_beside_the_row(
    desk: Client, unfinished: TreatmentSeries, data: dict[str, str], words: str
) -> None:
    answer = desk.post(f"/recall/{unfinished.pk}/asked/", data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not RecallAttempt.objects.exists()


def test_outsiders_and_nobody_are_refused(
    stranger: Client, client: Client, unfinished: TreatmentSeries, site: Site
) -> None:
    assert stranger.get(f"/recall/?site={site.slug}").status_code == 403
    assert stranger.post(f"/recall/{unfinished.pk}/asked/").status_code == 404
    assert Client().get("/recall/").status_code == 302
    assert "Sato" not in stranger.get("/recall/").content.decode()
