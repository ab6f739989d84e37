"""Answers act at once: booking and starting are barred, tasks open, decisions lift."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction

from appointments.clearance import Barred, Treatment, answering
from appointments.clearance.answering import AnswersChanged, NotDecidable, ReasonLacking
from appointments.lifecycle import State
from appointments.models import Appointment, Task
from appointments.visits import attendance, booking, moving
from clinic.access import Forbidden
from clinic.models import Site, Staff
from patients.models import Patient, ScreeningAnswer, ScreeningDecision, ScreeningMoment
from patients.screening.recording import AnswerRefused
from tests.appointments.clearance.conftest import Answers
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at

pytestmark = pytest.mark.django_db
TEN = at(FIRST, "10:00")


def tasks(patient: Patient) -> list[str]:
    return list(
        Task.objects.filter(patient=patient, closed_at=None).values_list("title", flat=True)
    )


# --- The doors ------------------------------------------------------------------------------------


def test_a_block_stops_booking_and_starting_but_nobody_from_arriving(
    says: Answers, arrived: Appointment, provider: Staff, book: Book, wish: Wish
) -> None:
    assert arrived.state == State.ARRIVED
    says(pregnancy="yes", when=TEN)
    with pytest.raises(Barred) as caught:
        attendance.start(appointment=arrived, by=provider, now=TEN, override_reason="It hurries")
    (bar,) = caught.value.bars
    assert (bar.code, bar.about, bar.passes_with) == ("screening_block", "pregnancy", "")
    assert bar.evidence and "RF microneedling 1.0.2 asks" in bar.rule
    with pytest.raises(Barred):
        book(wish(date(2027, 7, 1)), now=TEN)


def test_a_washout_bars_the_days_within_it_and_names_the_first_one_after(
    says: Answers, book: Book, wish: Wish
) -> None:
    says(filler=date(2027, 2, 10))
    with pytest.raises(Barred) as caught:
        book(wish(FIRST), wish(SECOND))
    assert (caught.value.earliest, caught.value.visit) == (date(2027, 3, 12), 0)
    assert book(wish(date(2027, 3, 12))).pk


def test_what_is_to_be_reviewed_is_booked_and_waits_with_the_start(
    says: Answers, book: Book, wish: Wish, provider: Staff, front_desk: Staff
) -> None:
    says(bleeding="yes")
    (visit,) = book(wish(FIRST)).appointments.all()
    attendance.check_in(appointment=visit, by=front_desk, now=TEN)
    with pytest.raises(Barred, match="Ask the prescriber"):
        attendance.start(appointment=visit, by=provider, now=TEN)


def test_what_nobody_asked_bars_from_the_day_of_the_site_on_and_yields_to_a_reason(
    arrived: Appointment, provider: Staff, site: Site, says: Answers
) -> None:
    Site.objects.filter(pk=site.pk).update(clearance_from=FIRST)
    with pytest.raises(Barred) as caught:
        attendance.start(appointment=arrived, by=provider, now=TEN)
    assert {bar.code for bar in caught.value.bars} == {"screening_lacking", "skin_type_lacking"}
    with transaction.atomic():
        started = attendance.start(
            appointment=arrived, by=provider, now=TEN, override_reason="Asked on paper"
        )
        assert set(started.overrides) == {"screening_lacking", "skin_type_lacking"}
        transaction.set_rollback(True)
    says(clear=True, when=TEN)
    assert attendance.start(appointment=arrived, by=provider, now=TEN).overrides == []


def test_before_that_day_what_is_lacking_stops_nobody(
    arrived: Appointment, provider: Staff
) -> None:
    assert attendance.start(appointment=arrived, by=provider, now=TEN).state == State.IN_TREATMENT


# --- Tasks ----------------------------------------------------------------------------------------


def test_each_outcome_opens_the_task_of_who_may_act_and_an_answer_closes_it(
    says: Answers, visits: list[Appointment], patient: Patient, now: datetime
) -> None:
    says(pregnancy="yes", bleeding="yes", keloid="yes", hsv="yes", filler=date(2027, 2, 10))
    titles = [
        "A clinician calls: this treatment is not possible",
        "Ask the prescriber, then decide whether to treat",
        "Decide whether to treat",
        "Move the visit",
    ]
    assert sorted(tasks(patient)) == titles
    assert {task.appointment_id for task in Task.objects.all()} == {visits[0].pk}
    says(pregnancy="yes", by=None)
    assert sorted(tasks(patient)) == titles
    says(pregnancy="no", keloid="no", when=now + timedelta(hours=1))
    assert sorted(tasks(patient)) == [titles[1], titles[3]]


def test_what_was_answered_for_another_treatment_is_looked_at_when_this_one_is_booked(
    says: Answers, book: Book, wish: Wish, patient: Patient
) -> None:
    says(keloid="yes")
    Task.objects.all().delete()
    book(wish(FIRST))
    assert tasks(patient) == ["Decide whether to treat"]


# --- Deciding -------------------------------------------------------------------------------------


def answers_to(question: str) -> frozenset[int]:
    return frozenset(
        [ScreeningAnswer.objects.filter(question=question).order_by("-id").values("pk")[0]["pk"]]
    )


def test_a_decision_lifts_the_bar_until_it_is_answered_anew(
    says: Answers,
    treatment: Treatment,
    arrived: Appointment,
    provider: Staff,
    patient: Patient,
    now: datetime,
) -> None:
    says(bleeding="yes")
    wanted: dict[str, Any] = {
        "treatment": treatment,
        "rule": "bleeding",
        "by": provider,
        "now": now,
    }
    wanted |= {"answers": answers_to("bleeding"), "reason": "The prescriber agrees"}
    answering.decide(**wanted, proceeds=True)
    assert tasks(patient) == []
    says(bleeding="yes", by=None, when=at(FIRST, "09:00"))
    assert tasks(patient) == ["Ask the prescriber, then decide whether to treat"]
    with pytest.raises(AnswersChanged):
        answering.decide(**wanted, proceeds=True)
    fresh: dict[str, Any] = wanted | {"answers": answers_to("bleeding")}
    answering.decide(**fresh, proceeds=True)
    assert attendance.start(appointment=arrived, by=provider, now=TEN).overrides == []


def test_a_decision_against_it_bars_everything_and_has_the_patient_told(
    says: Answers, treatment: Treatment, provider: Staff, patient: Patient, book: Book, wish: Wish
) -> None:
    says(keloid="yes")
    answering.decide(
        treatment=treatment,
        rule="keloid",
        answers=answers_to("keloid"),
        proceeds=False,
        reason="Scars on the chest",
        by=provider,
        now=TEN,
    )
    with pytest.raises(Barred, match="Sam Okafor decided on Thu 4 Mar to not treat: Scars"):
        book(wish(SECOND), now=TEN)
    assert tasks(patient) == ["Tell the patient: it was decided not to treat"]


def test_who_may_decide_on_what(
    says: Answers,
    treatment: Treatment,
    front_desk: Staff,
    outsider: Staff,
    provider: Staff,
    now: datetime,
) -> None:
    says(pregnancy="yes", keloid="yes")
    wanted: dict[str, Any] = {
        "treatment": treatment,
        "proceeds": True,
        "reason": "Seen",
        "now": now,
    }
    keloid: dict[str, Any] = {"rule": "keloid", "answers": answers_to("keloid")}
    for by in (front_desk, outsider):
        with pytest.raises(Forbidden):
            answering.decide(**wanted, **keloid, by=by)
    with pytest.raises(NotDecidable):
        answering.decide(**wanted, rule="pregnancy", answers=answers_to("pregnancy"), by=provider)
    with pytest.raises(NotDecidable):
        answering.decide(**wanted, rule="epilepsy", answers=frozenset(), by=provider)
    with pytest.raises(ReasonLacking):
        answering.decide(**wanted | {"reason": " "}, **keloid, by=provider)
    with pytest.raises(Forbidden):
        says(keloid="no", by=outsider)


def test_a_skin_type_under_review_is_decided_and_another_one_asks_again(
    treatment: Treatment, arrived: Appointment, provider: Staff, now: datetime
) -> None:
    def see(skin: str) -> None:
        answering.answer(
            treatment=treatment,
            said={},
            moment=ScreeningMoment.CONSULT,
            skin_type=skin,
            by=provider,
            now=now,
        )

    see("V")
    wanted: dict[str, Any] = {
        "treatment": treatment,
        "rule": "fitzpatrick",
        "answers": frozenset(),
        "now": TEN,
    }
    answering.decide(**wanted, proceeds=True, reason="Test spot was fine", by=provider)
    with transaction.atomic():
        attendance.start(appointment=arrived, by=provider, now=TEN)
        transaction.set_rollback(True)
    see("VI")
    with pytest.raises(Barred, match="Skin type VI"):
        attendance.start(appointment=arrived, by=provider, now=TEN)


# --- What may be answered -------------------------------------------------------------------------


def test_an_answer_fits_its_question(says: Answers) -> None:
    wrongs: tuple[dict[str, Any], ...] = (
        {"pregnancy": "never"},
        {"filler": "yes"},
        {"filler": date(2027, 2, 16)},
        {"tan_planned": date(2027, 2, 14)},
        {"filler": date(1960, 1, 1)},
    )
    for wrong in wrongs:
        with pytest.raises(AnswerRefused):
            says(**wrong)
    assert not ScreeningAnswer.objects.exists()


def test_the_same_form_sent_twice_is_stored_once(says: Answers) -> None:
    says(pregnancy="no", filler="never")
    says(pregnancy="no", filler="never")
    assert ScreeningAnswer.objects.count() == 2


def test_rows_are_added_and_never_changed(says: Answers, patient: Patient) -> None:
    says(keloid="yes")
    for change in (
        lambda: ScreeningAnswer.objects.update(value="no"),
        lambda: ScreeningAnswer.objects.all().delete(),
    ):
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            change()
    row = ScreeningAnswer.objects.values(
        *("patient_id", "protocol_version_id", "question", "wording", "area", "moment"),
        *("said_at", "said_on"),
    )[0]
    for value in ("date", "maybe"):
        with pytest.raises(IntegrityError), transaction.atomic():
            ScreeningAnswer.objects.create(**row, value=value)
    with pytest.raises(IntegrityError), transaction.atomic():
        Patient.objects.filter(pk=patient.pk).update(skin_type="VI")
    decision: dict[str, Any] = {
        "patient": patient,
        "protocol_version_id": row["protocol_version_id"],
        "rule": "keloid",
        "proceeds": True,
        "by_id": Staff.objects.values_list("pk", flat=True)[0],
        "decided_at": TEN,
        "decided_on": FIRST,
    }
    for wrong in (
        {"answers": [], "reason": "Seen"},
        {"answers": [1], "reason": ""},
        {"answers": [1], "skin_type": "V", "reason": "Seen"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ScreeningDecision.objects.create(**decision | wrong)
    kept = ScreeningDecision.objects.create(**decision, answers=[1], reason="Seen")
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        kept.delete()


def test_a_visit_added_later_asks_the_same(
    says: Answers, book: Book, wish: Wish, front_desk: Staff
) -> None:
    series = book(wish(FIRST), sessions=2)
    says(pregnancy="yes")
    with pytest.raises(Barred):
        booking.add_visit(series=series, visit=wish(SECOND), by=front_desk, now=TEN)


# --- Moving ---------------------------------------------------------------------------------------


def test_a_visit_does_not_move_into_a_washout(
    says: Answers, visits: list[Appointment], manager: Staff, now: datetime
) -> None:
    says(filler=date(2027, 2, 10))
    wanted: dict[str, Any] = {"by": manager, "now": now, "override_reason": "Sooner is better"}
    with pytest.raises(Barred) as caught:
        moving.move(appointment=visits[1], starts_at=at(date(2027, 3, 11), "10:00"), **wanted)
    assert caught.value.earliest == date(2027, 3, 12)


def test_a_move_within_the_washout_is_no_worse_and_one_beyond_it_closes_the_task(
    says: Answers, visits: list[Appointment], manager: Staff, patient: Patient, now: datetime
) -> None:
    says(filler=date(2027, 2, 10))
    wanted: dict[str, Any] = {"by": manager, "now": now, "override_reason": "The doctor agrees"}
    nearer = moving.move(appointment=visits[0], starts_at=at(date(2027, 3, 5), "10:00"), **wanted)
    assert tasks(patient) == ["Move the visit"]
    moving.move(appointment=nearer, starts_at=at(date(2027, 3, 12), "10:00"), **wanted)
    assert tasks(patient) == []
