"""The slip of a visit: how far it is, how long its patient waits, and what stands out about it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from appointments.models import Appointment
from appointments.visits import attendance
from clinic.models import Staff
from patients import consent
from patients.models import Patient
from tests.reminders.views.board.test_board import BOARD, text
from tests.reminders.views.conftest import FIRST, SignIn, at

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


def test_a_name_is_letters_whatever_it_looks_like(
    desk: Client, visits: list[Appointment], patient: Patient
) -> None:
    Patient.objects.filter(pk=patient.pk).update(
        legal_given="<i>&", legal_family='"><script>alert(1)</script>', preferred_name=""
    )
    page = text(desk, BOARD)
    [slip] = re.findall(rf'data-visit="{visits[0].pk}".*?</a>', page)
    assert "<b>&lt;. &quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;</b>" in slip
    assert "<script>alert" not in page and "<i>" not in page
