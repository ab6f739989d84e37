"""Adverse events: three fields at once, and what stands until a clinician has closed one."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from appointments.charting import reporting
from appointments.charting.device_data import device_data, device_sheet
from appointments.charting.refusals import EventClosed, EventRefused
from appointments.clearance import Barred
from appointments.models import AdverseEvent, Appointment, Task, TreatmentSeries
from appointments.refusals import StaleVersion
from appointments.visits import attendance, booking
from clinic.access import Forbidden
from clinic.models import AuditEntry, OnCallShift, Site, Staff
from patients.models import Patient
from reminders.inbound import paging
from reminders.models import Message
from tests.appointments.charting.conftest import Sign
from tests.appointments.charting.logs import a_log
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = at(FIRST, "18:00")


def report(visit: Appointment, by: Staff, **changes: Any) -> AdverseEvent:
    said: dict[str, Any] = {
        "patient": visit.series.patient,
        "site": visit.site,
        "appointment": visit,
        "what": "Blister on the left cheek",
        "severity": "moderate",
        "noticed_at": LATER,
        "areas": ["face"],
        "by": by,
        "now": LATER,
        **changes,
    }
    return reporting.report(**said)


def test_three_fields_are_enough_and_who_sees_to_it_stops_the_pages(
    visits: list[Appointment], front_desk: Staff, provider: Staff, site: Site, patient: Patient
) -> None:
    OnCallShift.objects.create(
        site=site,
        staff=provider,
        starts_at=LATER - DAY,
        ends_at=LATER + DAY,
        phone="+12125550177",
        email="sam@clinic.example",
    )
    patient.refresh_from_db()
    seen = patient.revision
    event = report(visits[0], front_desk)
    patient.refresh_from_db()
    assert patient.revision > seen
    task = Task.objects.get(key=f"event:{event.pk}")
    assert (task.due_at, task.owner) == (LATER, None)
    assert AuditEntry.objects.get(action="event.report").by == front_desk
    assert paging.page_for_events(now=LATER) == 1
    assert paging.page_for_events(now=LATER) == 0
    paged = Message.objects.filter(kind="on_call")
    assert set(paged.values_list("channel", flat=True)) == {"sms", "email"}
    assert paging.page_for_events(now=LATER + timedelta(minutes=15)) == 1
    # The second time the site's own mailbox is told, too.
    assert paged.count() == 5
    reporting.take(event=event, by=provider, now=LATER + timedelta(minutes=16))
    assert paging.page_for_events(now=LATER + DAY) == 0
    task.refresh_from_db()
    assert task.owner == provider


def test_a_mild_one_pages_nobody_until_it_gets_worse(
    visits: list[Appointment], front_desk: Staff
) -> None:
    event = report(visits[0], front_desk, severity="mild")
    assert paging.page_for_events(now=LATER) == 0
    worse: dict[str, Any] = {
        "severity": "severe",
        "areas": ["face"],
        "course": "Grew",
        "measures": "Cooled",
    }
    reporting.complete(event=event, by=front_desk, now=LATER, expected_version=1, **worse)
    assert paging.page_for_events(now=LATER) == 1
    with pytest.raises(StaleVersion):
        reporting.complete(event=event, by=front_desk, now=LATER, expected_version=1, **worse)
    event.refresh_from_db()
    assert (event.severity, event.course, event.measures) == ("severe", "Grew", "Cooled")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"what": " \x00 "}, "what"),
        ({"severity": "awful"}, "severity"),
        ({"noticed_at": LATER + DAY}, "noticed_at"),
        ({"areas": ["moon"]}, "areas"),
    ],
)
def test_what_cannot_be_is_refused(
    visits: list[Appointment], front_desk: Staff, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(EventRefused) as refused:
        report(visits[0], front_desk, **changes)
    assert refused.value.field == field and not AdverseEvent.objects.exists()


def test_nothing_further_is_booked_or_started_there_until_a_clinician_closes_it(
    book: Book,
    wish: Wish,
    provider: Staff,
    front_desk: Staff,
    outsider: Staff,
    patient: Patient,
) -> None:
    series: TreatmentSeries = book(wish(FIRST), wish(SECOND))
    first, second = series.appointments.order_by("session")
    event = report(first, front_desk)

    def add() -> Appointment:
        return booking.add_visit(series=series, visit=wish(THIRD), by=front_desk, now=LATER)

    with pytest.raises(Barred, match="adverse event") as barred:
        add()
    assert not barred.value.overridable
    [bar] = barred.value.bars
    assert (bar.code, bar.about, bar.page) == ("adverse_event", str(event.pk), "visit-events")
    attendance.check_in(appointment=second, by=front_desk, now=second.starts_at)
    with pytest.raises(Barred):
        attendance.start(appointment=second, by=provider, now=second.starts_at)
    # Elsewhere on the body it is no hindrance.
    book(wish(THIRD, "14:00"), areas=["hands"])
    closing: dict[str, Any] = {"outcome": "resolved", "conclusion": "Healed", "now": LATER + DAY}
    for by in (front_desk, outsider):
        with pytest.raises(Forbidden):
            reporting.close(event=event, by=by, **closing)
    for wrong in ({"conclusion": " "}, {"outcome": "vanished"}):
        with pytest.raises(EventRefused):
            reporting.close(event=event, by=provider, **{**closing, **wrong})
    reporting.close(event=event, by=provider, **closing)
    assert Task.objects.get(key=f"event:{event.pk}").outcome == "Healed without a trace"
    with pytest.raises(EventClosed):
        reporting.take(event=event, by=provider, now=LATER + DAY)
    attendance.start(appointment=second, by=provider, now=second.starts_at)
    assert add().session == 3


def test_one_of_unknown_place_bars_every_treatment(
    book: Book, wish: Wish, front_desk: Staff
) -> None:
    series = book(wish(FIRST))
    report(series.appointments.get(), front_desk, areas=[])
    with pytest.raises(Barred):
        book(wish(SECOND), areas=["hands"])


def test_the_device_data_are_those_that_were_signed_and_name_nobody(
    visits: list[Appointment], sign: Sign, front_desk: Staff, patient: Patient
) -> None:
    record = sign(visits[0], a_log(more={"cartridge": {"code": "AX-1", "life": 5000}}))
    event = report(visits[0], front_desk)
    assert "log" not in device_data(report(visits[1], front_desk))
    data = device_data(event)
    assert data["log"]["digest"] == record.digest
    assert data["log"]["values"]["zones"]["face"]["depth"] == 1.5
    assert data["log"]["units"]["zones.face.depth"] == "mm"
    assert data["treatment"]["devices"] == [{"name": "Needle 1", "serial": "RM-1"}]
    assert (data["cartridge"]["number"], data["cartridge"]["used_in_this_session"]) == ("AX-1", 300)
    text = str(data)
    assert not any(word in text for word in ("Elena", "Sato", "1988-05-04", "+1212"))
    assert device_sheet(event, now=LATER).startswith(b"%PDF")


def test_constraints(visits: list[Appointment], front_desk: Staff, now: datetime) -> None:
    event = report(visits[0], front_desk)
    rows = AdverseEvent.objects.filter(pk=event.pk)
    wrong: dict[str, dict[str, Any]] = {
        "event_says_what": {"what": ""},
        "event_severity_known": {"severity": "awful"},
        "event_noticed_before_it_is_reported": {"noticed_at": LATER + DAY},
        "event_closed_whole": {"closed_at": LATER, "page_at": None},
        "event_taken_whole": {"taken_by": front_desk, "page_at": None},
        "event_pages_until_it_is_taken": {"taken_by": front_desk, "taken_at": LATER},
    }
    for name, change in wrong.items():
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            rows.update(**change)
