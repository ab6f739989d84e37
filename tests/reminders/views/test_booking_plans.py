"""A plan is booked from its page, and taken back."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from appointments.lifecycle import State
from appointments.models import Appointment, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.visits import booking
from clinic.models import ProtocolVersion, Resource, ResourceKind, Site, Staff
from clinic.protocols import loading
from clinic.protocols.schema import Text
from clinic.saying_days import format_day
from patients.models import Patient
from reminders import series_booking
from reminders.journeys import replanning
from reminders.models import Message, SkipChoice
from tests import pdf
from tests.history import treated_by
from tests.personas import a_patient
from tests.reminders.views.conftest import (
    DATES,
    FIRST,
    HTMX,
    SECOND,
    THIRD,
    Wish,
    at,
    body,
    chosen,
    form_of,
    words,
)

pytestmark = pytest.mark.django_db


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


def test_what_is_not_sent_stands_apart_from_what_is(
    desk: Client, patient: Patient, house: ProtocolVersion
) -> None:
    asked = chosen(patient, house)
    going, stands, apart = body(desk.get(DATES, asked)).partition("Not sent, and why")
    assert stands and "Not sent: " in apart
    counted = re.search(r"What will be sent</h2><span class=\"count\">(\d+)", going)
    assert counted and int(counted[1]) == going.count('<li class="send">')
    assert "Not sent:" not in going and "Session 2" in going
    # What was ticked off stays where it can be ticked on again.
    box = re.findall(r'name="skip" value="([^"]+)"', going)[-1]
    page = body(desk.get(DATES, asked | {"skip": box.split()}))
    ticked, stands, _ = page.partition("Not sent, and why")
    assert stands and f'value="{box}" checked' in ticked


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
    # Loaded again, the page is the plan and not the press that was refused.
    shown = body(desk.get(lost.headers["HX-Push-Url"]))
    assert form_of(shown)["visit"] == plan["visit"]
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
