"""Questions and forms are asked for a week before a visit, once, and no longer than they lack."""

from typing import Any

from appointments.lifecycle import State
from clinic.protocols.schema import Text
from clinic.retelling import retold
from reminders.catalogue import Kind
from reminders.planning.facts import ToFillIn
from reminders.planning.filling_in import wishes
from reminders.planning.plans import plan
from tests.reminders.planning.world import (
    of_kind,
    patient,
    planned,
    said,
    sent,
    series,
    visit,
    wall,
)

OPEN = ToFillIn(questions=20, form=Text("Consent to RF microneedling", "Consentimiento"))


def skipped(**changes: Any) -> list[str]:
    """The reasons for which no text asks for it."""
    found = planned(visit(**{"to_fill_in": OPEN, **changes}))
    return [each.skip for each in of_kind(found.messages, Kind.FILL_IN)]


def test_it_is_asked_for_a_week_before_at_ten_and_says_what_lacks() -> None:
    found = planned(visit(to_fill_in=OPEN)).messages
    with_it = [
        each for each in sent(found) if any(item.step == Kind.FILL_IN for item in each.items)
    ]
    assert {each.channel for each in with_it} == {"sms", "email"}
    for each in with_it:
        assert each.kind is Kind.FILL_IN, "it leads what is only to be read"
        assert (each.due_at, each.expires_at) == (wall("2027-04-05 10:00"), each.starts[0])
        assert any(
            "20 screening questions and the form “Consent to RF microneedling” to fill in"
            in retold(why)
            for why in each.why
        )


def test_a_visit_of_a_site_that_asks_for_nothing_says_nothing() -> None:
    assert not of_kind(planned(visit()).messages, Kind.FILL_IN)


def test_what_is_answered_and_signed_or_held_back_is_not_asked_for_and_says_why() -> None:
    assert skipped(to_fill_in=ToFillIn()) == ["nothing_to_fill_in"]
    assert skipped(held_by=("pregnancy",)) == ["treatment_held"]
    assert skipped(state=State.CANCELLED) == [] == skipped(state=State.ARRIVED)


def test_of_a_visit_booked_within_the_week_it_is_said_with_the_confirmation() -> None:
    found = planned(visit(to_fill_in=OPEN, scheduled="2027-04-08 15:00")).messages
    first = next(each for each in sent(found) if each.channel == "sms")
    assert first.kind is Kind.BOOKING_CONFIRMED
    assert Kind.FILL_IN in {item.step for item in first.items}


def test_whoever_was_asked_is_not_asked_again_at_once_when_the_visit_moves_a_little() -> None:
    before = of_kind(planned(visit(to_fill_in=OPEN)).messages, Kind.FILL_IN)
    moved = visit(
        to_fill_in=OPEN,
        starts="2027-04-13 10:00",
        scheduled="2027-04-07 09:00",
        schedule_version=2,
        told_start=wall("2027-04-12 10:00"),
    )
    facts = patient(series(moved), spoken=said(*before))
    assert [each.channel for each in wishes(facts, facts.series[0])] == ["email"]
    far = visit(to_fill_in=OPEN, starts="2027-05-12 10:00", schedule_version=2)
    facts = patient(series(far), spoken=said(*before))
    assert len(list(wishes(facts, facts.series[0]))) == 2


def test_two_visits_of_one_day_are_asked_for_in_one_message() -> None:
    one = series(visit(1, to_fill_in=OPEN), id=1)
    other = series(visit(2, "2027-04-12 12:00", to_fill_in=OPEN), id=2, name="ultrasound")
    texts = [
        each
        for each in sent(plan(patient(one, other)).messages)
        if each.channel == "sms" and any(item.step == Kind.FILL_IN for item in each.items)
    ]
    assert len(texts) == 1
