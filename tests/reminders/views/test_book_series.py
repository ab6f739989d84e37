"""Booking a series through its screens, from a name typed to visits, messages and skips."""

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment, TreatmentSeries
from clinic.models import OpeningHours, ProtocolVersion, Role, Site, Staff
from patients.models import Patient
from reminders.views.book_series.draft import written
from tests.personas import staff_at
from tests.reminders.views.conftest import (
    DATES,
    HTMX,
    NEW,
    SignIn,
    Wish,
    body,
    chosen,
    form_of,
    planned_at,
)

pytestmark = pytest.mark.django_db


# --- Who and what ---------------------------------------------------------------------------------


def test_a_patient_is_found_by_the_beginning_of_a_name(desk: Client, patient: Patient) -> None:
    part = body(desk.get("/series/new/patients/", {"find": "sat"}, headers=HTMX))
    assert "Elena Sato" in part
    assert "born 4 May 1988" in part
    assert "<html" not in part


def test_nobody_found_leads_to_adding_a_patient(desk: Client, patient: Patient) -> None:
    for address in (NEW, f"{NEW}patients/"):
        page = body(desk.get(address, {"find": "zzz", "weekday": "3"}))
        assert "Nobody found for “zzz”" in page
        assert 'href="/patients/new/?q=zzz&next=%2Fseries%2Fnew%2F%3Fsite%3D' in page
        assert "%26weekday%3D3" in page


def test_a_search_keeps_what_was_chosen(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    typed: dict[str, Any] = {
        "find": "nobody",
        "patient": patient.pk,
        "protocol": house.pk,
        f"area_{house.pk}": "neck",
        f"sessions_{house.pk}": 2,
        "weekday": [3, 4],
        "earliest": "14:00",
    }
    page = body(desk.get(NEW, typed))
    assert f'name="patient" value="{patient.pk}" checked' in page
    assert f'name="area_{house.pk}" value="neck" checked' in page
    assert re.search(rf'name="sessions_{house.pk}" value="2"', page)
    assert re.findall(r'name="weekday" value="(\d)" checked', page) == ["3", "4"]
    assert 'name="earliest" value="14:00"' in page


def test_drafts_and_retired_protocols_cannot_be_chosen(
    desk: Client, house: ProtocolVersion
) -> None:
    page = body(desk.get(NEW))
    assert "RF microneedling" in page
    assert "Focused ultrasound" not in page


def test_what_is_missing_is_said_beside_what_was_chosen(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    answer = desk.get(DATES, {"patient": patient.pk, "protocol": house.pk})
    assert answer.status_code == 422
    assert "Choose at least one area." in body(answer)
    assert f'name="patient" value="{patient.pk}" checked' in body(answer)
    assert "Choose a patient." in body(desk.get(DATES))


def test_the_first_form_leads_to_an_address_that_can_be_kept(
    desk: Client, patient: Patient, house: ProtocolVersion, site: Site
) -> None:
    typed: dict[str, Any] = {
        "patient": patient.pk,
        "protocol": house.pk,
        f"area_{house.pk}": ["face", "neck"],
        f"sessions_{house.pk}": 2,
        "sessions_999": 1,
    }
    answer = desk.get(DATES, typed)
    assert answer.status_code == 303
    assert f"site={site.slug}&patient={patient.pk}" in answer["Location"]
    assert "area=face&area=neck&sessions=2" in answer["Location"]


# --- Dates and messages ---------------------------------------------------------------------------


def test_the_plan_shows_dates_resources_intervals_and_messages(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    page = body(desk.get(DATES, chosen(patient, house)))
    for words in (
        "Thu 18 Feb",
        "Thu 18 Mar",
        "Thu 15 Apr",
        "Sam Okafor",
        "Room 1 · Needle 1",
        "28 days",
        "21–42, ideal 28",
        "Booking confirmation",
        "Last reminder",
        "Same provider.",
        "Book 3 visits",
    ):
        assert words in page


def test_wished_weekdays_and_hours_are_kept_as_the_command_keeps_them(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    wished: dict[str, Any] = {"weekday": [4, 1], "earliest": "12:00", "latest": "12:30", "only": 1}
    page = body(desk.get(planned_at(desk, chosen(patient, house, **wished), house)))
    days = re.findall(r"(\w{3}) \d+ \w{3}</time>, ", page)
    assert set(days) == {"Tue", "Fri"}
    assert set(re.findall(r">(\d\d:\d\d)</time><small>to", page)) <= {"12:00", "12:15", "12:30"}
    assert "only Tue, Fri from 12:00 until 12:30" in page
    kept = form_of(page)
    assert (kept["weekday"], kept["earliest"], kept["latest"]) == (["1", "4"], ["12:00"], ["12:30"])


def test_hours_that_end_before_they_begin_are_sent_back(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    answer = desk.get(DATES, chosen(patient, house, earliest="18:00", latest="14:00"))
    assert answer.status_code == 422
    assert '<a href="#latest">The latest start must not lie before' in body(answer)
    assert 'name="latest" value="14:00"' in body(answer)


def test_without_a_place_the_reason_is_said_and_nothing_is_lost(
    desk: Client, patient: Patient, house: ProtocolVersion, site: Site
) -> None:
    OpeningHours.objects.filter(site=site).delete()
    page = body(desk.get(DATES, chosen(patient, house)))
    assert "Session 1 finds no place" in page
    assert "the site is closed" in page
    assert f"patient={patient.pk}&protocol={house.pk}&area=face" in page


def test_another_day_is_looked_at_without_losing_ticks_and_dates(
    desk: Client, plan: dict[str, list[str]], site: Site
) -> None:
    skip = "1:reminder_final:sms"
    answer = desk.post(
        f"/series/new/change/?site={site.slug}",
        {**plan, "skip": skip, "look": "2@2027-03-19"},
        headers=HTMX,
        follow=True,
    )
    part = body(answer)
    assert "<html" not in part
    assert "The protocol allows Thu 11 Mar to Thu 1 Apr; ideal is Thu 18 Mar." in part
    assert "2@20270319T130" in part or "2@20270319T1315" in part
    kept = form_of(part)
    assert kept["visit"] == plan["visit"]
    address = answer.redirect_chain[-1][0]
    assert "skip=1%3Areminder_final%3Asms" in address


def test_one_date_changes_and_the_others_stay(
    desk: Client, plan: dict[str, list[str]], wish: Wish
) -> None:
    new = written(wish(date(2027, 3, 19), "14:00"))
    part = body(desk.post("/series/new/change/", {**plan, "choose": f"2@{new}"}, follow=True))
    assert form_of(part)["visit"] == [plan["visit"][0], new, plan["visit"][2]]
    assert "29 days" in part


def test_a_date_too_early_says_so_before_it_is_booked(
    desk: Client, plan: dict[str, list[str]], wish: Wish
) -> None:
    new = written(wish(date(2027, 3, 2)))
    part = body(desk.post("/series/new/change/", {**plan, "choose": f"2@{new}"}, follow=True))
    assert "The earliest valid date is Thu 11 Mar" in part
    assert "A manager or clinical lead may book it with a reason" in part
    refused = desk.post("/series/new/book/", form_of(part))
    assert refused.status_code == 409
    assert "The earliest valid date is Thu 11 Mar" in body(refused)
    assert not Appointment.objects.exists()


def test_a_manager_books_a_breach_with_a_reason(
    sign_in: SignIn, manager: Staff, plan: dict[str, list[str]], wish: Wish
) -> None:
    client = sign_in(manager)
    plan["visit"][1] = written(wish(date(2027, 3, 2)))
    asked = client.post("/series/new/book/", plan)
    assert 'name="reason"' in body(asked)
    client.post("/series/new/book/", {**plan, "reason": "Lead agreed"})
    assert Appointment.objects.get(session=2).override_reason == "Lead agreed"


# --- Whom it refuses ------------------------------------------------------------------------------


def test_a_stranger_books_nothing_and_sees_nobody(
    stranger: Client, patient: Patient, house: ProtocolVersion, series: TreatmentSeries, site: Site
) -> None:
    assert "Elena" not in body(stranger.get(NEW, {"find": "elena"}))
    assert "Elena" not in body(stranger.get(NEW, {"patient": patient.pk}))
    assert stranger.get(DATES, chosen(patient, house)).status_code == 404
    assert stranger.get(f"{DATES}?site={site.slug}", chosen(patient, house)).status_code in (
        403,
        404,
    )
    plan = {**chosen(patient, house), "visit": "20270218T1500~1~1~1"}
    assert stranger.post("/series/new/book/", plan).status_code == 404
    assert stranger.post(f"/series/new/book/?site={site.slug}", plan).status_code == 403
    assert stranger.get(reverse("series-booked", args=[series.pk])).status_code == 404
    assert stranger.post(reverse("series-take-back", args=[series.pk])).status_code == 404
    assert TreatmentSeries.objects.count() == 1


def test_who_holds_no_role_is_told_who_may_book(client: Client, site: Site) -> None:
    member = staff_at(site, Role.FRONT_DESK, "Uma Unassigned")
    member.site_roles.all().delete()
    client.force_login(member)
    assert client.get(NEW).status_code == 403


def test_what_nobody_wrote_by_hand_breaks_nothing(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    odd = chosen(
        patient, house, visit="nonsense", skip="x:y", weekday="9", sessions="-4", latest="tea"
    )
    assert desk.get(DATES, odd).status_code == 200
    assert (
        desk.get(DATES, chosen(patient, house, visit=["20270218T1500~999~999~"] * 3)).status_code
        == 200
    )
    assert desk.post("/series/new/change/", {"choose": "1@nonsense"}).status_code in (303, 404)
