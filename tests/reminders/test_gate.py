"""The last decision: send, wait or skip."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import wall_time
from reminders.caps import Had
from reminders.catalogue import Channel, Kind, Purpose
from reminders.gate import QUIET_HOURS, Envelope, Recipient, Send, Skip, Wait, decide

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"
NOON = datetime(2027, 3, 12, 17, 0, tzinfo=UTC)  # 12:00 in New York, a Friday

REMINDER = Envelope(
    purpose=Purpose.CARE,
    channel=Channel.SMS,
    priority=1,
    due_at=NOON,
    expires_at=NOON + timedelta(days=1),
)
PROMPT = replace(
    REMINDER,
    purpose=Purpose.MARKETING,
    channel=Channel.EMAIL,
    priority=4,
    expires_at=NOON + timedelta(days=14),
)
ELENA = Recipient(
    consents=frozenset({("care", "sms"), ("care", "email"), ("marketing", "email")}),
    address="+12125550123",
    suppressed="",
    zones=(NEW_YORK,),
    live_from=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_a_due_reminder_by_day_is_sent() -> None:
    assert decide(REMINDER, ELENA, now=NOON) == Send()
    assert decide(REMINDER, replace(ELENA, live_from=NOON), now=NOON) == Send()


def test_what_was_due_before_the_sites_first_day_is_not_sent_after_it() -> None:
    later = replace(ELENA, live_from=NOON + timedelta(minutes=1))
    decision = decide(REMINDER, later, now=NOON + timedelta(hours=1))
    assert isinstance(decision, Skip) and decision.reason == "not_live"


def test_only_who_opted_out_is_told_so_on_a_closed_address() -> None:
    farewell = replace(REMINDER, purpose=Purpose.SYSTEM, ends_contact=True)
    assert decide(farewell, replace(ELENA, suppressed="opted_out"), now=NOON) == Send()
    decision = decide(farewell, replace(ELENA, suppressed="wrong_number"), now=NOON)
    assert isinstance(decision, Skip) and decision.reason == "suppressed"


def test_what_can_wait_waits_half_an_hour_at_a_time_while_a_symptom_is_talked_about() -> None:
    talking = replace(ELENA, in_conversation=True)
    assert decide(REMINDER, talking, now=NOON) == Send()
    decision = decide(replace(REMINDER, priority=2), talking, now=NOON)
    assert isinstance(decision, Wait) and decision.until == NOON + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        (replace(ELENA, deceased=True), "deceased"),
        (replace(ELENA, consents=frozenset()), "no_consent"),
        (replace(ELENA, consents=frozenset({("care", "email")})), "no_consent"),
        (replace(ELENA, address=""), "no_address"),
        (replace(ELENA, suppressed="opted_out"), "suppressed"),
        (replace(ELENA, live_from=None), "not_live"),
        (replace(ELENA, live_from=NOON + timedelta(seconds=1)), "not_live"),
    ],
)
def test_a_message_that_may_not_go_is_skipped_with_its_reason(
    recipient: Recipient, reason: str
) -> None:
    decision = decide(REMINDER, recipient, now=NOON)
    assert isinstance(decision, Skip)
    assert decision.reason == reason
    assert decision.why


def test_a_message_is_expired_at_the_very_moment_of_its_expiry() -> None:
    decision = decide(REMINDER, ELENA, now=REMINDER.expires_at)
    assert isinstance(decision, Skip)
    assert decision.reason == "expired"
    assert decide(REMINDER, ELENA, now=REMINDER.expires_at - timedelta(hours=1)) == Send()


def test_a_photo_prompt_needs_the_consent_to_photos_too() -> None:
    photo = replace(REMINDER, priority=3, needs=("photos",))
    decision = decide(photo, ELENA, now=NOON)
    assert isinstance(decision, Skip)
    assert "photos" in decision.why
    agreed = replace(ELENA, consents=ELENA.consents | {("photos", "any")})
    assert decide(photo, agreed, now=NOON) == Send()


def test_care_waits_from_eight_in_the_evening_until_eight_in_the_morning() -> None:
    evening = datetime(2027, 3, 13, 1, 0, tzinfo=UTC)  # Friday 20:00 in New York
    late = replace(REMINDER, due_at=evening, expires_at=evening + timedelta(days=1))
    decision = decide(late, ELENA, now=evening)
    assert isinstance(decision, Wait)
    assert decision.until == datetime(2027, 3, 13, 13, 0, tzinfo=UTC)
    assert decide(late, ELENA, now=evening - timedelta(seconds=1)) == Send()
    assert decide(late, ELENA, now=decision.until) == Send()


def test_the_morning_after_the_clocks_go_forward_still_begins_at_eight_on_the_wall() -> None:
    night = datetime(2027, 3, 14, 6, 30, tzinfo=UTC)  # Sunday 01:30, half an hour before
    decision = decide(
        replace(REMINDER, due_at=night, expires_at=night + timedelta(days=1)),
        ELENA,
        now=night,
    )
    assert isinstance(decision, Wait)
    assert decision.until == datetime(2027, 3, 14, 12, 0, tzinfo=UTC)


def test_prompts_wait_over_sunday_for_monday_at_ten() -> None:
    sunday = datetime(2027, 3, 21, 16, 0, tzinfo=UTC)
    decision = decide(
        replace(PROMPT, due_at=sunday, expires_at=sunday + timedelta(days=14)),
        ELENA,
        now=sunday,
    )
    assert isinstance(decision, Wait)
    assert decision.until == datetime(2027, 3, 22, 14, 0, tzinfo=UTC)


def test_prompts_end_at_six_on_a_saturday() -> None:
    six = datetime(2027, 3, 20, 22, 0, tzinfo=UTC)
    assert decide(PROMPT, ELENA, now=six - timedelta(seconds=1)) == Send()
    decision = decide(PROMPT, ELENA, now=six)
    assert isinstance(decision, Wait)
    assert decision.until == datetime(2027, 3, 22, 14, 0, tzinfo=UTC)


def test_a_notice_is_not_bound_by_quiet_hours() -> None:
    night = datetime(2027, 3, 12, 8, 0, tzinfo=UTC)
    notice = replace(REMINDER, priority=0, due_at=night)
    assert decide(notice, ELENA, now=night) == Send()


def test_what_quiet_hours_would_hold_past_its_expiry_is_skipped_at_once() -> None:
    evening = datetime(2027, 3, 13, 1, 0, tzinfo=UTC)
    short = replace(REMINDER, due_at=evening, expires_at=evening + timedelta(hours=12))
    decision = decide(short, ELENA, now=evening)
    assert isinstance(decision, Skip)
    assert decision.reason == "expired"
    longer = replace(short, expires_at=short.expires_at + timedelta(seconds=1))
    assert isinstance(decide(longer, ELENA, now=evening), Wait)


def test_what_a_cap_would_hold_past_its_expiry_falls_away() -> None:
    had = [Had(NOON - timedelta(hours=1), Purpose.CARE, Channel.SMS, Kind.REMINDER_FINAL)]
    morning = datetime(2027, 3, 13, 13, 0, tzinfo=UTC)
    step = replace(REMINDER, kind=Kind.POSTCARE_STEP, priority=2, expires_at=morning)
    decision = decide(step, ELENA, now=NOON, had=had)
    assert isinstance(decision, Skip) and decision.reason == "cap"
    longer = replace(step, expires_at=morning + timedelta(seconds=1))
    decision = decide(longer, ELENA, now=NOON, had=had)
    assert isinstance(decision, Wait) and decision.until == morning


def test_with_two_possible_zones_only_the_hours_of_both_will_do() -> None:
    abroad = replace(ELENA, zones=(NEW_YORK, TOKYO))
    decision = decide(
        replace(REMINDER, expires_at=NOON + timedelta(days=2)), abroad, now=NOON
    )  # 12:00 in New York is 02:00 in Tokyo
    assert isinstance(decision, Wait)
    for zone in abroad.zones:
        assert 8 <= wall_time.local(decision.until, zone).hour < 20


@given(
    minutes=st.integers(0, 60 * 24 * 366),
    zone=st.sampled_from([NEW_YORK, TOKYO, "Australia/Lord_Howe", "America/St_Johns", "UTC"]),
    purpose=st.sampled_from(list(Purpose)),
)
def test_nothing_but_notices_ever_leaves_in_quiet_hours(
    minutes: int, zone: str, purpose: Purpose
) -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    envelope = replace(
        REMINDER,
        purpose=purpose,
        channel=Channel.EMAIL,
        due_at=now,
        expires_at=now + timedelta(days=7),
    )
    decision = decide(envelope, replace(ELENA, zones=(zone,)), now=now)
    leaves_at = decision.until if isinstance(decision, Wait) else now
    assert not isinstance(decision, Skip)
    there, allowed = wall_time.local(leaves_at, zone), QUIET_HOURS[purpose]
    assert allowed.opens <= there.hour * 60 + there.minute < allowed.closes
    assert there.weekday() in allowed.weekdays
