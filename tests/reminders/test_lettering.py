"""Which visits a letter speaks of when it took in what is said of another one."""

from dataclasses import replace

from appointments.lifecycle import State
from reminders.catalogue import Channel, Kind
from reminders.planning.plans import plan
from reminders.wording.lettering import Reader, Sender, led_by, letter
from tests.reminders.planning.world import patient, series, visit, wall

DONE = visit(1, "2027-04-05 10:00", state=State.DONE, done_at=wall("2027-04-05 11:30"))
NEXT = visit(2, "2027-04-13 12:00")
ELENA = patient(series(DONE, NEXT))


def test_a_reminder_that_took_in_a_check_in_names_the_visit_to_come_alone() -> None:
    [together] = [
        each
        for each in plan(ELENA).messages
        if each.kind is Kind.REMINDER_FINAL and len({item.anchor for item in each.items}) == 2
    ]
    assert {item.anchor for item in led_by(together.kind, together.items, ELENA)} == {"visit:2"}
    said = letter(
        kind=together.kind,
        channel=Channel.SMS,
        items=together.items,
        patient=ELENA,
        reader=Reader("Elena", "en"),
        sender=Sender("Harbour", "Harbour", "+1", "1 Pier"),
    )
    assert [each.when for each in said.visits] == ["Tue 13 Apr 12:00"]
    assert {step.is_after for step in said.steps} == {False, True}


def test_a_check_in_speaks_of_the_visit_that_is_over_whatever_it_took_in() -> None:
    items = [item for each in plan(ELENA).messages for item in each.items]
    after = led_by(Kind.CHECKIN, items, ELENA)
    assert "visit:1" in {item.anchor for item in after}
    assert not {item.step for item in after} & {Kind.REMINDER_FINAL, Kind.BOOKING_CONFIRMED}
    only = [item for item in items if item.step == Kind.REMINDER_FINAL]
    assert led_by(Kind.CHECKIN, only, ELENA) == only


def test_a_notice_of_a_cancelled_visit_speaks_of_it() -> None:
    gone = replace(
        NEXT,
        state=State.CANCELLED,
        closed_at=wall("2027-04-01 09:00"),
        told_start=NEXT.starts_at,
    )
    facts = patient(series(DONE, gone))
    items = next(each.items for each in plan(facts).messages if each.kind is Kind.CANCELLED)
    assert led_by(Kind.CANCELLED, items, facts) == list(items)
