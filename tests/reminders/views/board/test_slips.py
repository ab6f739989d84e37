"""The slip of a visit: how far it is, how long its patient waits, and what stands out about it."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from appointments.absences import blocks
from appointments.claiming import holding
from appointments.models import Appointment, BlockKind
from appointments.visits import attendance
from clinic.models import Modality, ProtocolVersion, Resource, Site, Staff
from patients import consent
from patients.models import Patient
from reminders.templatetags import column_items
from reminders.views.board.cards import Card
from tests.reminders.views.board.test_board import BOARD, text
from tests.reminders.views.conftest import FIRST, SignIn, Wish, at

pytestmark = pytest.mark.django_db


def test_who_waits_long_stands_out_and_who_waits_longer_in_red(
    sign_in: SignIn, front_desk: Staff, clock: object, visits: list[Appointment]
) -> None:
    came = at(FIRST, "09:50")
    clock.move_to(came)  # type: ignore[attr-defined]
    attendance.check_in(appointment=visits[0], by=front_desk, now=came)
    for minutes, said in ((5, ""), (12, "flag mild"), (25, "flag")):
        clock.move_to(came + timedelta(minutes=minutes))  # type: ignore[attr-defined]
        page = text(sign_in(front_desk), BOARD)
        [slip] = re.findall(rf'data-visit="{visits[0].pk}".*?</a>', page)
        assert f'<span class="word">Arrived {minutes} min</span>' in slip
        assert (f">{minutes} min</span>" in slip) is bool(said)
        assert not said or f'<span class="{said}">{minutes} min</span>' in slip


def test_a_slip_says_what_stands_out_first_and_names_the_rest(
    desk: Client, visits: list[Appointment], patient: Patient, front_desk: Staff
) -> None:
    for channel in ("sms", "email"):
        consent.withdraw(
            patient=patient, purpose="care", channel=channel, by=front_desk, now=timezone.now()
        )
    Appointment.objects.filter(pk=visits[0].pk).update(is_locked=True)
    page = text(desk, BOARD)
    assert '<span class="word">Booked, locked</span>' in page
    assert 'title="no consent' in page and "! no consent" in page
    assert "data-movable" not in page


def test_a_slip_says_which_session_of_a_series_and_nothing_of_a_visit_that_stands_alone(
    desk: Client, visits: list[Appointment]
) -> None:
    series = visits[0].series
    for sessions, said in ((3, ">1/3 RM "), (1, ">RM ")):
        series.sessions = sessions
        series.save()
        page = text(desk, BOARD)
        [slip] = re.findall(rf'data-visit="{visits[0].pk}".*?</a>', page)
        assert said in slip


SCRIPT = '"><script>alert(1)</script>'
AS_LETTERS = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"


def test_what_people_typed_is_letters_wherever_it_stands_on_the_board(
    desk: Client,
    visits: list[Appointment],
    patient: Patient,
    house: ProtocolVersion,
    site: Site,
    front_desk: Staff,
    manager: Staff,
    room: Resource,
    wish: Wish,
    now: datetime,
) -> None:
    Patient.objects.filter(pk=patient.pk).update(
        legal_given="<", legal_family=SCRIPT, preferred_name=""
    )
    Staff.objects.filter(pk=front_desk.pk).update(name=SCRIPT)
    Modality.objects.filter(pk=house.modality_id).update(name=SCRIPT)
    Appointment.objects.filter(pk=visits[0].pk).update(
        override_reason=SCRIPT, overrides=["overlap"]
    )
    visits[0].allocations.filter(resource__kind="room").update(is_deliberate=True)
    blocks.block(
        site=site,
        kind=BlockKind.MAINTENANCE,
        resources=[room],
        starts_at=at(FIRST, "14:00"),
        ends_at=at(FIRST, "15:00"),
        reason=SCRIPT,
        by=manager,
        now=now,
    )
    holding.hold_plan(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(FIRST, "16:00")],
        by=front_desk,
        now=now,
    )
    page = text(desk, f"{BOARD}&cols=all")
    assert "<script>alert" not in page
    [slip, *_] = re.findall(rf'data-visit="{visits[0].pk}".*?</a>', page)
    # The name, the modality, and what stands out: over another visit, for a reason.
    assert f"<b>&lt;. {AS_LETTERS}</b>" in slip and f'title="{AS_LETTERS}"' in slip
    assert slip.count(AS_LETTERS) >= 3
    assert f"Held by {AS_LETTERS}" in page and f'<span class="what">{AS_LETTERS}' in page
    assert "<b>&lt;. &quot;.</b>" in text(desk, f"{BOARD}&names=initials")


def test_a_visit_is_drawn_once_for_all_the_columns_it_lies_in(
    desk: Client, visits: list[Appointment], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    draw = column_items._slip

    def counted(page: Any, card: Card) -> Any:
        drawn.append(card.visit.pk)
        return draw(page, card)

    monkeypatch.setattr(column_items, "_slip", counted)
    page = text(desk, f"{BOARD}&cols=all")
    assert page.count(f'data-visit="{visits[0].pk}"') == 3
    assert drawn == [visits[0].pk]
