"""Choosing among plans, and where they begin."""

import re
from html import unescape

import pytest
from django.test import Client

from appointments.models import TreatmentSeries
from appointments.proposing.places import VisitWish
from clinic.models import ProtocolVersion
from patients.models import Patient
from reminders.views.book_series.draft import written
from tests.reminders.views.conftest import (
    DATES,
    FIRST,
    NEW,
    Wish,
    body,
    chosen,
    form_of,
    planned_at,
    words,
)

pytestmark = pytest.mark.django_db


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
    # Each is one press: what is in the way goes, what was chosen besides stays.
    (lenient,) = re.findall(r'href="(/series/new/dates/[^"]+)">Any day and time', page)
    assert "weekday=" in lenient and "only=" not in lenient
    (listed,) = re.findall(r'href="(/waitlist/add/[^"]+)">Put on the wait-list', page)
    assert desk.get(unescape(listed)).status_code == 200
    assert "plan-choice" not in page
    assert "plan-choice" in body(desk.get(unescape(lenient)))


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
