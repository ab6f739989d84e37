"""What is planned for a visit, and when: the rules of the catalogue and of the protocol."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from appointments.lifecycle import State
from clinic.protocols.schema import Late, StepKind
from clinic.retelling import retold
from reminders.catalogue import Channel, Kind, MessageState
from reminders.planning import steps
from reminders.planning.facts import Item, PatientFacts, Untold
from reminders.planning.plans import Stored, diff, plan
from tests.reminders.planning.world import (
    NINETY,
    SITE,
    of_kind,
    patient,
    planned,
    protocol,
    said,
    sent,
    series,
    visit,
    wall,
)

THREE = (
    visit(1, "2027-04-12 10:00"),
    visit(2, "2027-05-10 10:00"),
    visit(3, "2027-06-07 10:00"),
)


def test_a_booked_series_is_confirmed_once_on_each_channel_for_all_its_visits() -> None:
    messages = planned(*THREE).messages
    for channel in ("sms", "email"):
        [confirmation] = of_kind(messages, "booking_confirmed", channel)
        assert {item.anchor for item in confirmation.items} == {
            "visit:1",
            "visit:2",
            "visit:3",
        }
        assert confirmation.due_at == wall("2027-02-15 09:03")
        assert confirmation.expires_at == wall("2027-04-12 10:00")


def test_reminders_come_three_days_before_at_ten_and_one_day_before_at_the_hour_of_the_visit() -> (
    None
):
    messages = planned(visit(starts="2027-04-12 15:30")).messages
    [first] = of_kind(messages, "reminder_confirm")
    [last] = of_kind(messages, "reminder_final")
    assert first.due_at == wall("2027-04-09 10:00")
    assert last.due_at == wall("2027-04-11 15:30")
    assert last.expires_at == wall("2027-04-12 15:30")


def test_the_last_reminder_keeps_the_wall_clock_when_the_clocks_change_in_between() -> None:
    messages = planned(visit(starts="2027-03-14 10:00")).messages
    [last] = of_kind(messages, "reminder_final")
    assert last.due_at == wall("2027-03-13 10:00")
    assert wall("2027-03-14 10:00") - last.due_at == timedelta(hours=23)


def test_check_ins_count_elapsed_hours_across_the_change_of_the_clocks() -> None:
    """Edge case 4."""
    messages = planned(visit(starts="2027-03-13 10:00")).messages
    first = min(of_kind(messages, "checkin"), key=lambda message: message.due_at)
    assert first.due_at == wall("2027-03-13 11:30") + timedelta(hours=24)
    assert first.due_at == wall("2027-03-14 12:30")


def test_every_step_with_a_channel_is_planned_or_skipped_with_a_reason() -> None:
    plan_ = planned(visit())
    steps = {step for message in plan_.messages for step in message.steps}
    with_channel = {
        step.id
        for step in protocol().steps
        if step.kind != "task" and {"sms", "email", "app"} & {str(used) for used in step.channels}
    }
    assert steps == with_channel
    assert all(message.why for message in plan_.messages)


def test_a_visit_booked_the_day_before_gets_one_catch_up_and_no_burst() -> None:
    booked = visit(starts="2027-04-12 10:00", scheduled="2027-04-11 09:00")
    before_visit = [
        message for message in sent(planned(booked).messages) if message.due_at < booked.starts_at
    ]
    assert [(one.channel, one.kind) for one in before_visit] == [
        ("email", "booking_confirmed"),
        ("sms", "booking_confirmed"),
    ]
    email = before_visit[0]
    assert {"pre.actives", "pre.sun", "day.bare_skin"} <= set(email.steps)


def test_a_visit_booked_the_day_before_says_why_its_reminders_are_left_out() -> None:
    booked = visit(starts="2027-04-12 10:00", scheduled="2027-04-11 09:00")
    reasons = {one.kind: one.skip for one in planned(booked).messages if "reminder" in one.kind}
    assert reasons == {
        "reminder_confirm": "booked_too_late",
        "reminder_final": "booked_too_late",
    }


def test_after_care_waits_until_the_visit_is_done_and_then_counts_from_its_real_end() -> None:
    booked = visit()
    [waiting] = of_kind(planned(booked).messages, "postcare_0")
    assert waiting.waits_for == "visit_done"
    done_at = booked.ends_at + timedelta(minutes=40)
    done = replace(booked, state=State.DONE, done_at=done_at, told_start=booked.starts_at)
    [due] = of_kind(planned(done).messages, "postcare_0")
    assert due.waits_for == ""
    assert due.due_at == done_at + timedelta(minutes=15)
    assert due.key == waiting.key


@pytest.mark.parametrize("state", [State.CANCELLED, State.NO_SHOW])
def test_a_visit_that_did_not_happen_has_no_after_care_and_no_reminders(
    state: State,
) -> None:
    gone = visit(state=state, closed_at=wall("2027-04-01 09:00"))
    kinds = {message.kind for message in planned(gone).messages}
    assert kinds <= {"no_show_followup"}


def test_a_moved_visit_is_announced_when_the_patient_was_told_another_start() -> None:
    told = wall("2027-04-12 10:00")
    moved = visit(
        starts="2027-04-14 11:00",
        schedule_version=2,
        told_start=told,
        scheduled="2027-03-01 12:00",
    )
    messages = planned(moved).messages
    assert not of_kind(messages, "booking_confirmed")
    [notice] = of_kind(messages, "appt_moved")
    assert notice.due_at == wall("2027-03-01 12:03")


def test_a_visit_that_comes_earlier_gives_what_is_overdue_by_then_its_late_action() -> None:
    """Edge case 3."""
    moved = visit(
        starts="2027-04-06 10:00",
        scheduled="2027-04-02 12:00",
        schedule_version=2,
        told_start=wall("2027-04-12 10:00"),
    )
    found = planned(moved)
    said = {item.step: message for message in found.messages for item in message.items}
    late = [step for step in protocol().steps if step.before and steps.is_late(step, moved)]
    assert {step.late for step in late} >= {Late.REWORD_ASK, Late.SKIP}
    for step in late:
        if step.kind is StepKind.TASK or step.late is Late.ESCALATE:
            assert step.id not in said
        elif step.late is Late.SKIP:
            assert said[step.id].skip
        elif step.id in said and not said[step.id].skip:
            assert said[step.id].due_at == wall("2027-04-02 12:03")


def test_a_move_that_is_undone_within_the_hold_announces_nothing() -> None:
    back = visit(schedule_version=3, told_start=wall("2027-04-12 10:00"))
    assert {message.kind for message in planned(back).messages}.isdisjoint(
        {"appt_moved", "booking_confirmed", "cancelled"}
    )


def test_a_cancelled_visit_is_announced_only_to_a_patient_who_was_told_of_it() -> None:
    closed_at = wall("2027-04-01 09:00")
    untold = visit(state=State.CANCELLED, closed_at=closed_at)
    assert planned(untold).messages == ()
    told = replace(untold, told_start=untold.starts_at)
    [notice] = of_kind(planned(told).messages, "cancelled")
    assert notice.due_at == closed_at + SITE.hold
    told = replace(told, untold=Untold("Ana Ruiz", closed_at))
    notices = planned(told).messages
    assert {(notice.kind, notice.channel, notice.skip) for notice in notices} == {
        (Kind.CANCELLED, channel, "untold") for channel in Channel
    }
    assert {retold(notice.why[-1]) for notice in notices} == {
        "The front desk chose not to tell the patient: Ana Ruiz, Thu 1 Apr 09:00."
    }


def test_what_was_said_is_never_planned_again() -> None:
    facts = patient(series(*THREE))
    everything = plan(facts).messages
    assert plan(replace(facts, spoken=said(*everything))).messages == ()


def test_moving_one_visit_leaves_what_is_planned_for_the_others_as_it_is() -> None:
    before = {message.key: message for message in planned(*THREE).messages}
    told = [replace(one, told_start=one.starts_at) for one in THREE]
    moved = replace(
        told[1],
        starts_at=wall("2027-05-12 10:00"),
        ends_at=wall("2027-05-12 11:30"),
        schedule_version=2,
        scheduled_at=wall("2027-03-01 09:00"),
    )
    after = {message.key: message for message in planned(told[0], moved, told[2]).messages}
    for session in (1, 3):
        kept = [key for key, message in before.items() if message.session == session]
        assert kept
        assert all(after[key].due_at == before[key].due_at for key in kept)


def test_a_moved_visit_does_not_repeat_preparation_that_was_already_said() -> None:
    booked = visit(told_start=wall("2027-04-12 10:00"))
    spoken = frozenset(
        Item("visit:1", 1, step, channel)
        for step in ("pre.actives", "pre.sun")
        for channel in Channel
    )
    moved = replace(
        booked,
        starts_at=wall("2027-04-09 10:00"),
        ends_at=wall("2027-04-09 11:30"),
        schedule_version=2,
        scheduled_at=wall("2027-04-08 09:00"),
    )
    messages = plan(patient(series(moved), spoken=spoken)).messages
    assert not {"pre.actives", "pre.sun"} & {step for one in messages for step in one.steps}


def test_what_was_said_at_once_is_not_repeated_when_a_move_is_taken_back() -> None:
    falls = min(one.due_at for one in planned(visit()).messages if "pre.actives" in one.steps)
    booked = replace(visit(), scheduled_at=falls - timedelta(hours=3))
    back = replace(
        booked,
        schedule_version=3,
        scheduled_at=falls - timedelta(hours=2),
        told_start=booked.starts_at,
    )
    spoken = said(
        *(one for one in planned(booked).messages if one.due_at == booked.scheduled_at + SITE.hold)
    )
    assert "pre.actives" in {item.step for item in spoken}
    messages = plan(patient(series(back), spoken=spoken)).messages
    assert "pre.actives" not in {step for one in messages for step in one.steps}


def test_staff_choose_not_to_send_one_step_of_one_session() -> None:
    skips = frozenset({(1, "reminder_final", "sms")})
    messages = planned(*THREE, skips=skips).messages
    by_session = {one.session: one.skip for one in of_kind(messages, "reminder_final")}
    assert by_session == {1: "skipped_by_staff", 2: "", 3: ""}


def test_nothing_is_planned_for_a_patient_who_died() -> None:
    facts = patient(series(*THREE))
    assert plan(replace(facts, is_deceased=True)).messages == ()
    assert plan(replace(facts, is_deceased=True)).tasks == ()


def test_follow_up_waits_for_the_end_of_the_series_and_counts_from_its_last_session() -> None:
    photos = of_kind(planned(*THREE).messages, "progress_milestone", "email")
    assert [one.waits_for for one in photos] == ["series_done"] * 3
    assert photos[0].due_at == wall("2027-07-05 11:30")
    assert photos[0].needs == ("photos",)


def test_a_newer_treatment_of_the_modality_takes_the_place_of_the_old_prompt() -> None:
    """Edge case 10."""
    done = visit(
        state=State.DONE,
        done_at=wall("2027-04-12 11:30"),
        told_start=wall("2027-04-12 10:00"),
    )
    old = series(done, is_closed=True)
    newer = series(visit(2, "2027-09-01 10:00"), id=2)
    [prompt, _] = of_kind(plan(patient(old, newer)).messages, "touchup_prompt", "email")
    assert (prompt.series_id, prompt.skip) == (1, "superseded")


def test_two_series_that_fall_due_together_share_one_message() -> None:
    one = series(visit(1, "2027-04-12 10:00"))
    other = series(visit(2, "2027-04-12 14:00"), id=2)
    reminders = of_kind(plan(patient(one, other)).messages, "reminder_final")
    assert [len({item.anchor for item in message.items}) for message in reminders] == [2]
    assert reminders[0].due_at == wall("2027-04-11 14:00")
    assert reminders[0].series_id is None


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_task_of_a_protocol_is_told_in_the_language_of_who_reads_it(language: str) -> None:
    base = protocol()
    step = next(one for one in base.steps if one.channels)
    task = replace(step, kind=StepKind.TASK, critical=False, staff_text=None, applies_if=None)
    [made] = plan(patient(series(visit(1), protocol=replace(base, steps=(task,))))).tasks
    with translation.override(language):
        assert retold(made.title) == step.title.get(language)
        assert retold(made.detail) == step.text.get(language)


def test_opposite_advice_of_two_series_is_held_back_and_becomes_a_task() -> None:
    """Edge case 6."""
    base = protocol()
    step = next(one for one in base.steps if one.id == "pre.actives")
    opposite = replace(
        base,
        id="other",
        steps=(replace(step, directive="do"),),  # type: ignore[arg-type]
    )
    facts = patient(series(visit(1)), series(visit(2, "2027-04-12 14:00"), id=2, protocol=opposite))
    made = plan(facts)
    held = [one for one in made.messages if one.skip == "clashing_advice"]
    assert {step for one in held for step in one.steps} == {"pre.actives"}
    assert any(task.title == "Decide between opposite advice" for task in made.tasks)


# --- The difference from the ledger ---------------------------------------------------------------


def _stored(facts: PatientFacts) -> list[Stored]:
    return [
        Stored(
            id=number,
            key=message.key,
            state=MessageState.SKIPPED if message.skip else MessageState.SCHEDULED,
            due_at=message.due_at,
            expires_at=message.expires_at,
            waits_for=message.waits_for,
            reason=message.skip,
            why=message.why,
        )
        for number, message in enumerate(plan(facts).messages)
    ]


def test_planning_again_changes_nothing() -> None:
    facts = patient(series(*THREE))
    assert not diff(plan(facts).messages, _stored(facts))


def test_a_cancelled_series_withdraws_everything_that_was_planned() -> None:
    stored = _stored(patient(series(*THREE)))
    cancelled = [
        replace(one, state=State.CANCELLED, closed_at=wall("2027-03-01 09:00")) for one in THREE
    ]
    changes = diff(planned(*cancelled).messages, stored)
    assert changes.withdraw == tuple(stored)
    assert not changes.add


def test_a_withdrawn_message_that_is_wanted_again_comes_back_under_its_key() -> None:
    facts = patient(series(visit()))
    stored = [one._replace(state=MessageState.WITHDRAWN) for one in _stored(facts)]
    changes = diff(plan(facts).messages, stored)
    assert not changes.add and not changes.withdraw
    assert len(changes.change) == len(stored)


minutes = st.integers(0, 60 * 24 * 60)


@given(starts=minutes, lead=minutes, gap=st.integers(21, 42), hold=st.integers(0, 600))
def test_every_message_is_unique_has_a_life_and_never_goes_out_before_the_booking(
    starts: int, lead: int, gap: int, hold: int
) -> None:
    site = replace(SITE, hold=timedelta(seconds=hold))
    first = wall("2027-02-20 09:00") + timedelta(minutes=starts)
    booked_at = first - timedelta(minutes=lead + 1)
    visits = [
        replace(
            visit(number + 1, site=site),
            starts_at=first + timedelta(days=gap * number),
            ends_at=first + timedelta(days=gap * number) + NINETY,
            scheduled_at=booked_at,
        )
        for number in range(3)
    ]
    messages = planned(*visits).messages
    keys = [message.key for message in messages]
    items = [item for message in messages for item in message.items]
    assert len(keys) == len(set(keys))
    assert len(items) == len(set(items))
    for message in messages:
        assert message.due_at < message.expires_at
        assert message.why
        if not message.skip:
            assert message.due_at >= booked_at
    assert messages == planned(*visits).messages
