"""Booking a series through its screens, from a name typed to visits, messages and skips."""

import re
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from appointments.lifecycle import State
from appointments.models import Appointment, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.proposing.places import VisitWish
from appointments.visits import booking
from clinic.hours import format_day
from clinic.models import OpeningHours, ProtocolVersion, Resource, ResourceKind, Role, Site, Staff
from clinic.protocols import loading
from clinic.protocols.schema import Text
from patients.models import Patient
from reminders import series_booking
from reminders.journeys import replanning
from reminders.models import Message, SkipChoice
from reminders.views.book_series.draft import written
from tests import pdf
from tests.history import treated_by
from tests.personas import a_patient, staff_at
from tests.reminders.views.conftest import FIRST, SECOND, THIRD, SignIn, Wish, at

pytestmark = pytest.mark.django_db

NEW, DATES = "/series/new/", "/series/new/dates/"
HTMX = {"HX-Request": "true"}


def body(response: object) -> str:
    return unescape(response.content.decode())  # type: ignore[attr-defined]


def words(response: object) -> str:
    """What can be read on a page."""
    return " ".join(re.sub(r"<[^>]+>", "", body(response)).split())


def chosen(patient: Patient, house: ProtocolVersion, **more: Any) -> dict[str, Any]:
    return {
        "patient": patient.pk,
        "protocol": house.pk,
        "area": "face",
        "sessions": 3,
        "from": str(FIRST),
        **more,
    }


def planned_at(desk: Client, typed: dict[str, Any], house: ProtocolVersion) -> str:
    """The address of the plan, with all that the first form makes of what was typed there."""
    leads_to = desk.get(DATES, {**typed, f"area_{house.pk}": "face"})["Location"]
    return f"{DATES}?{leads_to.partition('?')[2]}"


def form_of(page: str) -> dict[str, list[str]]:
    """The hidden and ticked fields of the plan's form."""
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        fields.setdefault(name, []).append(value)
    fields.pop("csrfmiddlewaretoken", None)
    return fields


@pytest.fixture
def plan(desk: Client, patient: Patient, house: ProtocolVersion) -> dict[str, list[str]]:
    """The fields of the plan that is proposed for three sessions from FIRST on."""
    return form_of(body(desk.get(DATES, chosen(patient, house))))


# --- Who and what ---------------------------------------------------------------------------------


def test_a_patient_is_found_by_the_beginning_of_a_name(desk: Client, patient: Patient) -> None:
    part = body(desk.get("/series/new/patients/", {"find": "sat"}, headers=HTMX))
    assert "Elena Sato" in part
    assert "born 4 May 1988" in part
    assert "<html" not in part


def test_nobody_found_leads_to_adding_a_patient(desk: Client, patient: Patient) -> None:
    assert "Nobody found for “zzz”" in body(desk.get(NEW, {"find": "zzz"}))


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


# --- Choosing among plans -------------------------------------------------------------------------


def plan_values(page: str) -> list[str]:
    return re.findall(r'name="plan" value="([^"]+)"', page)


def test_five_plans_are_offered_and_the_best_one_is_shown(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    page = body(desk.get(DATES, chosen(patient, house)))
    plans = plan_values(page)
    assert len(plans) == 5
    assert form_of(page)["visit"] == plans[0].split()
    assert page.count('class="plan-choice"') == 5
    assert len(re.findall(r'class="plan-choice"[^>]*aria-current="true"', page)) == 1
    assert "28 · 28 days apart" in page
    assert "The fewest points." in page


def test_another_plan_takes_the_place_of_the_first_and_is_booked(
    desk: Client, patient: Patient, house: ProtocolVersion, plan: dict[str, list[str]]
) -> None:
    third = plan_values(body(desk.get(DATES, chosen(patient, house))))[2]
    answer = desk.post("/series/new/change/", {**plan, "plan": third, "skip": "1:x:sms"})
    assert answer.status_code == 303
    page = body(desk.get(answer["Location"]))
    assert form_of(page)["visit"] == third.split()
    assert f'value="{third}" data-key="3"' in page
    shown = re.findall(r'value="([^"]+)" data-key="\d"[^>]*aria-current="true"', page)
    assert shown == [third]
    booked = desk.post("/series/new/book/", form_of(page))
    assert booked.status_code == 302
    starts = [written(wish) for wish in _wishes(TreatmentSeries.objects.get())]
    assert starts == third.split()


def _wishes(series: TreatmentSeries) -> list[VisitWish]:
    return [
        VisitWish(
            visit.starts_at,
            *(visit.allocations.get(resource__kind=k).resource_id for k in KINDS),
        )
        for visit in series.appointments.order_by("session")
    ]


KINDS = ("provider", "room", "device")


def test_a_plan_that_cannot_be_read_is_not_found(desk: Client, plan: dict[str, list[str]]) -> None:
    for hostile in ("x", "1~2~3", "20270304T1000~a~b~c", "\x00"):
        assert desk.post("/series/new/change/", {**plan, "plan": hostile}).status_code == 404


def test_wishes_that_are_conditions_say_what_would_help_when_they_cannot_be_met(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    answer = desk.get(DATES, chosen(patient, house, weekday=6, only=1))
    page = body(answer)
    assert "nothing keeps to the wished weekdays and times" in page
    assert "On another weekday or at another time, session 1 can be on" in page
    assert "Put the patient on the wait-list" in page
    assert "plan-choice" not in page
    lenient = body(desk.get(DATES, chosen(patient, house, weekday=6)))
    assert "plan-choice" in lenient


# --- From a free time of the board ----------------------------------------------------------------


def test_a_free_time_of_the_board_is_where_the_plans_begin(
    desk: Client, patient: Patient, house: ProtocolVersion, wish: Wish
) -> None:
    free = f"20270218T1910~{wish(FIRST).provider_id}"
    first = desk.get(NEW, {"from": str(FIRST), "at": free})
    assert "for the free time Thu 18 Feb 14:10 with Sam Okafor" in words(first)
    page = body(desk.get(planned_at(desk, chosen(patient, house, at=free), house)))
    plans = plan_values(page)
    assert len(plans) > 1
    assert {plan.split()[0] for plan in plans} == {
        f"20270218T1915~{wish(FIRST).provider_id}~{wish(FIRST).room_id}~{wish(FIRST).device_id}"
    }
    assert "In the chosen free time, after set-up from 14:10 on." in page
    assert form_of(page)["at"] == [free]


def test_a_free_time_that_does_not_fit_says_why_and_the_plans_begin_elsewhere(
    desk: Client, patient: Patient, house: ProtocolVersion, wish: Wish
) -> None:
    page = words(desk.get(DATES, chosen(patient, house, at=f"20270218T2150~{wish(FIRST).room_id}")))
    assert "Not in the free time Thu 18 Feb 16:50 in Room 1: The visit takes" in page
    assert "Book 3 visits" in page


def test_a_free_time_is_dropped_by_a_button_and_one_of_nobody_here_is_none(
    desk: Client, patient: Patient, house: ProtocolVersion, wish: Wish
) -> None:
    free = f"20270218T1910~{wish(FIRST).room_id}"
    page = body(desk.get(NEW, {"at": [free, ""], "patient": str(patient.pk)}))
    assert "free time" not in page
    assert f'name="patient" value="{patient.pk}" checked' in page
    for nobody in (f"20270218T1910~{patient.resource_id}", "20270218T1910~999999", "x~1", "~"):
        assert "free time" not in body(desk.get(NEW, {"at": nobody}))
        assert "free time" not in body(desk.get(DATES, chosen(patient, house, at=nobody)))


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


# --- Booking --------------------------------------------------------------------------------------


def test_a_series_is_booked_from_the_plan(
    desk: Client, plan: dict[str, list[str]], patient: Patient, now: datetime
) -> None:
    answer = desk.post("/series/new/book/", plan, follow=True)
    series = TreatmentSeries.objects.get()
    assert answer.redirect_chain == [(reverse("series-booked", args=[series.pk]), 302)]
    assert series.patient == patient
    assert list(series.appointments.order_by("session").values_list("starts_at", flat=True)) == [
        at(day, "09:15") for day in (FIRST, SECOND, THIRD)
    ]
    assert "3 visits booked" in body(answer)
    assert "The messages are being planned" in body(answer)
    replanning.sync_stale(now=now)
    part = words(desk.get(reverse("series-booked", args=[series.pk]), headers=HTMX))
    planned = Message.objects.filter(series=series, state="scheduled").count()
    assert f"{planned} messages planned, the first for Mon 15 Feb 09:03" in part

    sheet = desk.get(reverse("series-sheet", args=[series.pk]))
    assert sheet["Content-Type"] == "application/pdf"
    paper = pdf.text(sheet.content)
    for said in (patient.display_name, series.site.address, series.site.phone, "Your visits"):
        assert said in paper
    for day in (FIRST, SECOND, THIRD):
        assert f"{format_day(day)} 09:15" in paper
    assert f"Before your visit on {format_day(FIRST)}" in paper and "strong sun" in paper


def test_the_sheet_names_who_treats_now(
    desk: Client, visits: list[Appointment], treatment_provider: Resource
) -> None:
    another = Resource.objects.create(kind=ResourceKind.PROVIDER, name="Ana Ruiz")
    for visit in visits:
        treated_by(visit, another)
    paper = pdf.text(desk.get(reverse("series-sheet", args=[visits[0].series_id])).content)
    assert "Ana Ruiz" in paper and treatment_provider.name not in paper


def test_ticked_boxes_are_not_sent(
    desk: Client,
    plan: dict[str, list[str]],
    patient: Patient,
    house: ProtocolVersion,
    now: datetime,
) -> None:
    page = body(desk.get(DATES, chosen(patient, house)))
    boxes = re.findall(r'name="skip" value="([^"]+)"', page)
    last_reminder = next(box for box in boxes if "3:" in box and "reminder_final" in box)
    desk.post("/series/new/book/", {**plan, "skip": last_reminder})
    stored = SkipChoice.objects.values_list("session", "step", "channel")
    assert {":".join(map(str, each)) for each in stored} == set(last_reminder.split())
    replanning.sync_stale(now=now)
    assert Message.objects.filter(state="skipped", reason="skipped_by_staff", session=3).exists()


def test_a_lost_race_offers_three_starts_and_keeps_the_rest(
    desk: Client,
    plan: dict[str, list[str]],
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    wish: Wish,
    now: datetime,
) -> None:
    other = a_patient(
        site, front_desk, now, given="Nadia", phone="+12125550177", email="n@p.example"
    )
    booking.book_series(
        patient=other,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(SECOND, "09:15")],
        by=front_desk,
        now=now,
    )
    lost = desk.post("/series/new/book/", {**plan, "skip": "1:reminder_final:sms"})
    page = body(lost)
    assert lost.status_code == 409
    assert "was just taken at Thu 18 Mar 09:15" in page
    assert "Choose another time for session 2; the others are kept" in page
    offers = re.findall(r'name="choose" value="(2@[^"]+)"', page)
    assert len(offers) == 3
    assert form_of(page)["visit"] == plan["visit"]
    again = desk.post("/series/new/change/", {**form_of(page), "choose": offers[0]}, follow=True)
    desk.post("/series/new/book/", form_of(body(again)))
    series = TreatmentSeries.objects.get(patient__legal_given="Elena")
    assert series.appointments.count() == 3


def test_a_second_press_on_book_books_nothing_twice(
    desk: Client, plan: dict[str, list[str]]
) -> None:
    desk.post("/series/new/book/", plan)
    again = desk.post("/series/new/book/", plan)
    assert again.status_code == 409
    assert "The patient has another visit" in body(again)
    assert TreatmentSeries.objects.count() == 1


def test_a_plain_service_is_booked_the_same_way(
    desk: Client,
    manager: Staff,
    patient: Patient,
    house: ProtocolVersion,
    wish: Wish,
    now: datetime,
) -> None:
    service = loading.create_service(
        id="facial",
        name=Text(en="Facial", es="Facial"),
        code="FA",
        minutes=45,
        room_kind="treatment",
        modality="rf_microneedling",
        by=manager,
        now=now,
    )
    area = next(iter(loading.get(service).applicability.areas))
    page = body(desk.get(DATES, chosen(patient, service, area=area, sessions=1)))
    assert "Book the visit" in page
    desk.post("/series/new/book/", form_of(page))
    assert Appointment.objects.get().series.protocol_version == service


# --- Taking back ----------------------------------------------------------------------------------


def test_undo_cancels_the_visits_and_ends_the_series(
    desk: Client, series: TreatmentSeries, now: datetime
) -> None:
    page = words(desk.get(reverse("series-booked", args=[series.pk])))
    assert "Until 09:03 an undo sends nothing." in page
    after = body(desk.post(reverse("series-take-back", args=[series.pk]), follow=True))
    series.refresh_from_db()
    assert series.state == SeriesState.ENDED
    assert set(series.appointments.values_list("state", flat=True)) == {State.CANCELLED}
    assert "This booking was taken back" in after
    replanning.sync_stale(now=now + timedelta(minutes=1))
    assert not Message.objects.filter(series=series, state="scheduled").exists()


def test_a_refused_booking_stores_no_skips(
    site: Site,
    house: ProtocolVersion,
    patient: Patient,
    front_desk: Staff,
    wish: Wish,
    now: datetime,
) -> None:
    with pytest.raises(Exception, match="past"):
        series_booking.book(
            patient=patient,
            site=site,
            version=house,
            areas=["face"],
            visits=[wish(date(2027, 1, 7))],
            skips={(1, "reminder_final", "sms")},
            by=front_desk,
            now=now,
        )
    assert not SkipChoice.objects.exists()


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
