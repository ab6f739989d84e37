"""At which time and by which channel staff may let a planned message leave."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminders import choosing, gate
from reminders.caps import Had
from reminders.catalogue import Channel, Kind, Purpose
from tests.reminders.test_gate import ELENA, NOON, PROMPT, REMINDER

HOUR = timedelta(hours=1)
NIGHT = NOON + 11 * HOUR  # 23:00 in New York, a Friday
MORNING = NOON + 20 * HOUR  # 08:00 on Saturday
LONG = replace(REMINDER, expires_at=NOON + timedelta(days=3))
STEP = replace(LONG, priority=2, kind=Kind.POSTCARE_STEP)


def test_it_may_be_put_off_within_its_hours_and_its_life() -> None:
    assert choosing.to_put_off(LONG, ELENA, until=NOON + HOUR, now=NOON) is None
    for until, why in ((NOON, choosing.IS_OVER), (LONG.expires_at, choosing.TOO_LATE)):
        refusal = choosing.to_put_off(LONG, ELENA, until=until, now=NOON)
        assert refusal is not None and refusal.why == why


def test_it_may_not_be_put_off_into_the_night_whatever_it_is() -> None:
    for priority in (0, 1, 2):
        asked = replace(LONG, priority=priority)
        refusal = choosing.to_put_off(asked, ELENA, until=NIGHT, now=NOON)
        assert refusal is not None and refusal.earliest == MORNING


def test_putting_off_asks_for_consent_and_not_for_what_only_that_moment_can_tell() -> None:
    nobody = replace(ELENA, consents=frozenset())
    refusal = choosing.to_put_off(LONG, nobody, until=NOON + HOUR, now=NOON)
    assert refusal is not None and "agreed" in refusal.why
    talking = replace(ELENA, in_conversation=True)
    assert choosing.to_put_off(STEP, talking, until=NOON + HOUR, now=NOON) is None


def test_by_day_it_may_leave_now_though_it_is_due_later() -> None:
    tomorrow = replace(LONG, due_at=NOON + timedelta(days=1))
    assert choosing.to_send_now(tomorrow, ELENA, now=NOON) is None


def test_at_night_a_care_message_leaves_only_with_leave_to_pass_the_hours() -> None:
    refusal = choosing.to_send_now(LONG, ELENA, now=NIGHT)
    assert refusal is not None and refusal.passable and refusal.earliest == MORNING
    assert choosing.to_send_now(LONG, ELENA, now=NIGHT, at_any_hour=True) is None
    # One that would be of no use in the morning is the one that cannot wait.
    urgent = replace(REMINDER, expires_at=NIGHT + HOUR)
    assert choosing.to_send_now(urgent, ELENA, now=NIGHT).passable  # type: ignore[union-attr]
    assert choosing.to_send_now(urgent, ELENA, now=NIGHT, at_any_hour=True) is None


@pytest.mark.parametrize(
    ("envelope", "recipient", "had"),
    [
        (PROMPT, ELENA, ()),
        (LONG, replace(ELENA, quiet=(22 * 60, 7 * 60)), ()),
        (STEP, replace(ELENA, in_conversation=True), ()),
        (STEP, ELENA, (Had(NIGHT - HOUR, Purpose.CARE, Channel.SMS, Kind.CHECKIN),)),
        (LONG, replace(ELENA, consents=frozenset()), ()),
        (LONG, replace(ELENA, suppressed="opted_out"), ()),
    ],
    ids=["marketing", "own quiet hours", "conversation", "cap", "consent", "suppressed"],
)
def test_nobody_may_pass_what_is_law_or_the_patients_wish(
    envelope: gate.Envelope, recipient: gate.Recipient, had: tuple[Had, ...]
) -> None:
    for at_any_hour in (False, True):
        refusal = choosing.to_send_now(
            envelope, recipient, now=NIGHT, had=had, at_any_hour=at_any_hour
        )
        assert refusal is not None and not refusal.passable


@pytest.mark.parametrize(
    "changes",
    [{"consents": frozenset({("care", "sms")})}, {"address": ""}, {"suppressed": "hard_bounce"}],
)
def test_the_other_channel_needs_consent_and_an_address(changes: dict[str, object]) -> None:
    by_email = replace(LONG, channel=Channel.EMAIL)
    assert choosing.to_switch(by_email, ELENA, now=NOON) is None
    assert choosing.to_switch(by_email, ELENA, now=NIGHT) is None  # it waits for the morning
    reader = replace(ELENA, **changes)  # type: ignore[arg-type]
    assert choosing.to_switch(by_email, reader, now=NOON) is not None
