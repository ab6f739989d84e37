"""What became late beside each other is said together, and never twice."""

from dataclasses import replace

from reminders.catalogue import Channel, Kind
from reminders.planning.merging import Wanted
from reminders.planning.plans import plan
from tests.reminders.planning.world import patient, series, visit, wall


def messages(catch_up: str | None, channel: Channel = Channel.EMAIL) -> list[Wanted]:
    """What is said before a visit on Monday 12 April at 10:00, after silence until `catch_up`."""
    at = wall(catch_up) if catch_up else None
    wanted = plan(replace(patient(series(visit())), catch_up_at=at)).messages
    return [
        each for each in wanted if each.channel is channel and not (each.skip or each.waits_for)
    ]


def test_without_silence_nothing_is_moved_and_every_key_stays() -> None:
    assert messages("2027-01-01 09:00") == messages(None)
    assert len(messages(None)) == 7


def test_late_messages_that_are_still_of_use_become_one_at_the_moment_of_catching_up() -> None:
    at = wall("2027-04-12 08:00")
    usual = messages(None)
    useful = [each for each in usual if each.due_at < at < each.expires_at and each.priority]
    assert len(useful) == 5

    [together] = [each for each in messages("2027-04-12 08:00") if each.due_at == at]

    assert set(together.items) >= {item for each in useful for item in each.items}
    # Its reminder had run out, but not the step that went with it.
    assert "pre.recheck" in together.steps
    assert together.expires_at == wall("2027-04-12 10:00")
    assert "could not be sent" in " ".join(together.why)


def test_of_two_late_texts_the_urgent_one_leads() -> None:
    at = wall("2027-04-11 12:00")
    [together] = [each for each in messages("2027-04-11 12:00", Channel.SMS) if each.due_at == at]
    assert together.kind is Kind.REMINDER_FINAL
    assert set(together.steps) == {"day.bare_skin", "pre.actives", "pre.recheck"}


def test_everything_is_said_once_whenever_one_catches_up() -> None:
    usual = sorted(item for each in messages(None) for item in each.items)
    for day in range(1, 30):
        caught = messages(f"2027-04-{day:02} 09:00")
        assert sorted(item for each in caught for item in each.items) == usual
        assert caught == messages(f"2027-04-{day:02} 09:00")


def test_what_had_run_out_keeps_its_own_time_and_notices_keep_theirs() -> None:
    def due(catch_up: str | None, kind: Kind) -> list[object]:
        return [each.due_at for each in messages(catch_up) if each.kind is kind]

    for kind in (Kind.BOOKING_CONFIRMED, Kind.REMINDER_CONFIRM):
        assert due("2027-04-12 08:00", kind) == due(None, kind)
        assert len(due(None, kind)) == 1
