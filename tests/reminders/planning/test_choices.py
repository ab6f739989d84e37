"""What staff chose is kept by every plan after it, or the plan says why not."""

from dataclasses import replace
from datetime import datetime, timedelta

from clinic.retelling import retold
from reminders.catalogue import Channel, Kind
from reminders.planning.facts import ChosenTime, PatientFacts, RecallFacts
from reminders.planning.merging import Wanted
from reminders.planning.plans import plan
from tests.reminders.planning.test_offers import OPEN, told
from tests.reminders.planning.world import of_kind, patient, series, visit, wall

FINAL = (1, Kind.REMINDER_FINAL.value, Channel.SMS.value)
USUAL = wall("2027-04-11 10:00")
HOUR = timedelta(hours=1)
LATER = wall("2027-04-11 15:00")


def last_reminder(facts: PatientFacts, channel: str = "sms") -> list[Wanted]:
    return of_kind(plan(facts).messages, Kind.REMINDER_FINAL, channel)


def chosen(message: Wanted, at: datetime, **changes: bool) -> ChosenTime:
    return ChosenTime(frozenset(message.items), at, "Ana Front", **changes)


def test_a_message_goes_by_the_other_channel_once_also_after_the_visit_moved() -> None:
    for version in (1, 2):
        facts = patient(series(visit(schedule_version=version), switched=frozenset({FINAL})))
        assert not last_reminder(facts)
        [by_email] = last_reminder(facts, "email")
        assert by_email.due_at == USUAL
        assert "Staff chose to say it by e-mail and not by text." in by_email.why


def test_what_the_other_channel_says_anyway_is_not_said_twice() -> None:
    usual = plan(patient(series(visit()))).messages
    choice = frozenset({(1, Kind.REMINDER_CONFIRM.value, Channel.SMS.value)})
    switched = plan(patient(series(visit(), switched=choice))).messages
    assert not of_kind(switched, Kind.REMINDER_CONFIRM)
    assert of_kind(switched, Kind.REMINDER_CONFIRM, "email") == of_kind(
        usual, Kind.REMINDER_CONFIRM, "email"
    )


def test_a_message_that_was_switched_can_be_skipped_where_it_went() -> None:
    skip = frozenset({(1, Kind.REMINDER_FINAL.value, Channel.EMAIL.value)})
    facts = patient(series(visit(), switched=frozenset({FINAL}), skips=skip))
    assert [each.skip for each in last_reminder(facts, "email")] == ["skipped_by_staff"]


def test_who_is_asked_back_again_is_asked_although_staff_skipped_the_first_time() -> None:
    def asked(number: int) -> RecallFacts:
        return RecallFacts(number, wall("2027-05-01 10:00"), "Ana", 2, False, Channel.SMS)

    over = series(sessions=2, skips=frozenset({(0, "session_due:7", "sms")}))
    messages = plan(patient(replace(over, recalls=(asked(7), asked(8))))).messages
    assert sorted(each.skip for each in of_kind(messages, Kind.SESSION_DUE)) == [
        "",
        "skipped_by_staff",
    ]


def test_a_chosen_time_keeps_the_message_and_its_key_and_tells_who_chose() -> None:
    facts = patient(series(visit()))
    [usual] = last_reminder(facts)
    [later] = last_reminder(replace(facts, chosen=(chosen(usual, LATER),)))
    assert (later.key, later.items, later.due_at) == (usual.key, usual.items, LATER)
    assert later.expires_at == usual.expires_at
    assert "Ana Front chose" in retold(later.why[-1]) and "15:00" in retold(later.why[-1])


def test_nothing_joins_a_message_with_a_chosen_time_and_nothing_is_lost() -> None:
    facts = patient(series(visit()))
    [usual] = last_reminder(facts)
    # A second visit whose reminder would share the first one's message.
    both = patient(series(visit(), visit(2, "2027-04-12 13:00")))
    [shared] = last_reminder(both)
    assert set(usual.items) < set(shared.items)
    messages = last_reminder(replace(both, chosen=(chosen(usual, LATER),)))
    assert {each.due_at for each in messages} == {LATER, wall("2027-04-11 13:00")}
    assert {item for each in messages for item in each.items} == set(shared.items)


def test_an_offer_can_be_put_off_for_somebody_without_a_series() -> None:
    facts = told(OPEN)
    [usual] = of_kind(plan(facts).messages, Kind.WAITLIST_OFFER)
    later = OPEN.made_at + timedelta(minutes=5)
    [put_off] = of_kind(
        plan(replace(facts, chosen=(chosen(usual, later),))).messages, Kind.WAITLIST_OFFER
    )
    assert (put_off.items, put_off.due_at) == (usual.items, later)
    assert "Ana Front chose Mon 15 Feb 09:05" in retold(put_off.why[-1])


def test_catching_up_leaves_a_chosen_time_alone() -> None:
    facts = replace(patient(series(visit())), catch_up_at=wall("2027-04-11 12:00"))
    [usual] = last_reminder(replace(facts, catch_up_at=None))
    messages = last_reminder(replace(facts, chosen=(chosen(usual, LATER),)))
    assert LATER in {each.due_at for each in messages if each.items == usual.items}


def test_a_time_lapses_when_the_visit_moves_and_the_new_message_says_so() -> None:
    [usual] = last_reminder(patient(series(visit())))
    moved = patient(series(visit(starts="2027-04-13 10:00", schedule_version=2)))
    [new] = last_reminder(replace(moved, chosen=(chosen(usual, LATER),)))
    assert new.due_at == wall("2027-04-12 10:00")
    assert any("Ana Front had given it another time" in retold(each) for each in new.why)


def test_a_time_at_which_it_would_be_of_no_use_any_more_lapses() -> None:
    facts = patient(series(visit()))
    [usual] = last_reminder(facts)
    [kept] = last_reminder(replace(facts, chosen=(chosen(usual, usual.expires_at),)))
    assert kept.due_at == USUAL
    assert any("does not hold any more" in each for each in kept.why)


def test_what_is_skipped_or_held_back_has_its_reason_whatever_time_was_chosen() -> None:
    facts = patient(series(visit(), skips=frozenset({FINAL})))
    [skipped] = last_reminder(facts)
    [still] = last_reminder(replace(facts, chosen=(chosen(skipped, LATER),)))
    assert (still.skip, still.due_at, still.key) == ("skipped_by_staff", LATER, skipped.key)
    late = patient(series(visit(scheduled="2027-04-11 09:00")))
    [too_late] = last_reminder(late)
    [held] = last_reminder(replace(late, chosen=(chosen(too_late, LATER),)))
    assert (held.skip, held.due_at) == ("booked_too_late", USUAL)


def test_what_may_leave_at_any_hour_is_as_urgent_as_it_was() -> None:
    facts = patient(series(visit()))
    [usual] = last_reminder(facts)
    night = wall("2027-04-10 23:00")
    [now] = last_reminder(replace(facts, chosen=(chosen(usual, night, at_any_hour=True),)))
    assert (now.priority, now.at_any_hour, now.due_at) == (usual.priority, True, night)
    assert "outside of the hours for care" in now.why[-1]


def test_what_is_said_at_once_is_bound_by_the_hours_when_it_is_put_off() -> None:
    facts = patient(series(visit()))
    usual = of_kind(plan(facts).messages, Kind.BOOKING_CONFIRMED, "sms")[0]
    for at, priority in ((usual.due_at + HOUR, 1), (usual.due_at - timedelta(minutes=1), 0)):
        messages = plan(replace(facts, chosen=(chosen(usual, at),))).messages
        [confirmed] = of_kind(messages, Kind.BOOKING_CONFIRMED, "sms")
        assert (confirmed.due_at, confirmed.priority) == (at, priority)


def test_of_two_times_for_the_same_the_first_counts() -> None:
    facts = patient(series(visit()))
    [usual] = last_reminder(facts)
    times = (chosen(usual, LATER), chosen(usual, LATER + timedelta(hours=1)))
    assert [each.due_at for each in last_reminder(replace(facts, chosen=times))] == [LATER]
