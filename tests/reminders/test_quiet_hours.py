"""Quiet hours: in every zone in which the recipient may be, through every change of the clocks."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.models import Appointment
from clinic import wall_time
from clinic.models import Site, Staff
from patients import registration
from patients.models import Patient
from patients.registration import CARE_HOURS, RegistrationRefused
from reminders.catalogue import Channel, Kind, MessageState, Purpose
from reminders.gate import (
    QUIET_HOURS,
    Envelope,
    Recipient,
    Send,
    Skip,
    Wait,
    decide,
    may_arrive_until,
)
from reminders.journeys import recipients
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, planned, queued

ZONES = sorted(available_timezones())
YEAR = datetime(2027, 1, 1, tzinfo=UTC)
SOMEBODY = Recipient(
    consents=frozenset({("care", "sms"), ("marketing", "sms")}),
    address="+12125550123",
    suppressed="",
    zones=("America/New_York",),
    live_from=datetime(2026, 1, 1, tzinfo=UTC),
)


def envelope(now: datetime, purpose: Purpose = Purpose.CARE, priority: int = 1) -> Envelope:
    return Envelope(purpose, Channel.SMS, priority, now, now + timedelta(days=7))


def is_open(at: datetime, zone: str, purpose: Purpose, quiet: tuple[int, int] | None) -> bool:
    """By the reading of the local clock alone."""
    there, allowed = wall_time.local(at, zone), QUIET_HOURS[purpose]
    minute = there.hour * 60 + there.minute
    if quiet is not None:
        starts, ends = quiet
        resting = starts <= minute < ends if starts < ends else minute >= starts or minute < ends
        if resting:
            return False
    return there.weekday() in allowed.weekdays and allowed.opens <= minute < allowed.closes


@given(
    minutes=st.integers(0, 60 * 24 * 365),
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    purpose=st.sampled_from([Purpose.CARE, Purpose.MARKETING]),
    quiet=st.none()
    | st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda ends: ends[0] != ends[1]),
)
def test_nothing_automated_leaves_or_may_arrive_outside_the_hours_of_any_candidate_zone(
    minutes: int, zones: list[str], purpose: Purpose, quiet: tuple[int, int] | None
) -> None:
    """Edge case 5."""
    now = YEAR + timedelta(minutes=minutes)
    recipient = replace(SOMEBODY, zones=tuple(zones), quiet=quiet)
    decision = decide(envelope(now, purpose), recipient, now=now)
    if isinstance(decision, Skip):
        assert decision.reason in {"expired", "no_common_hour"}
        return
    leaves_at = decision.until if isinstance(decision, Wait) else now
    assert decide(envelope(now, purpose), recipient, now=leaves_at) == Send()
    assert all(is_open(leaves_at, zone, purpose, quiet) for zone in zones)
    ends = may_arrive_until(purpose, 1, recipient, now=leaves_at)
    assert ends is not None and ends > leaves_at
    just_before = ends - timedelta(seconds=1)
    assert all(is_open(just_before, zone, purpose, quiet) for zone in zones)


NIGHTS = [
    # The night on which the clocks go forward, then back.
    ("America/New_York", datetime(2027, 3, 14, tzinfo=UTC)),
    ("America/New_York", datetime(2027, 11, 7, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2027, 4, 3, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2027, 10, 2, tzinfo=UTC)),
    ("America/Santiago", datetime(2027, 9, 4, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2027, 4, 29, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC)),  # a whole day is skipped
]


@pytest.mark.parametrize(("zone", "night"), NIGHTS)
def test_through_a_night_in_which_the_clocks_change_each_quarter_of_an_hour_is_judged_right(
    zone: str, night: datetime
) -> None:
    recipient = replace(SOMEBODY, zones=(zone,), live_from=datetime(2010, 1, 1, tzinfo=UTC))
    for quarter in range(4 * 48):
        now = night + timedelta(minutes=15 * quarter)
        decision = decide(envelope(now), recipient, now=now)
        if isinstance(decision, Wait):
            assert not is_open(now, zone, Purpose.CARE, None)
            assert is_open(decision.until, zone, Purpose.CARE, None)
            assert f"{wall_time.local(decision.until, zone):%H:%M}" == "08:00"
        else:
            assert decision == Send() and is_open(now, zone, Purpose.CARE, None)


def test_zones_that_share_no_hour_are_a_reason_and_not_an_error() -> None:
    now = datetime(2027, 3, 12, 12, tzinfo=UTC)
    apart = replace(SOMEBODY, zones=("America/New_York", "Asia/Tokyo"))
    decision = decide(envelope(now, Purpose.MARKETING), apart, now=now)
    assert isinstance(decision, Skip) and decision.reason == "no_common_hour"


def test_quiet_hours_past_midnight_and_in_the_middle_of_the_day_both_count() -> None:
    zone = "America/New_York"
    late = replace(SOMEBODY, quiet=(18 * 60, 10 * 60))
    noon = replace(SOMEBODY, quiet=(12 * 60, 14 * 60))

    def leaves(recipient: Recipient, hour: int) -> str:
        now = wall_time.instant(datetime(2027, 3, 12).date(), hour * 60, zone)
        decision = decide(envelope(now), recipient, now=now)
        at = decision.until if isinstance(decision, Wait) else now
        return f"{wall_time.local(at, zone):%d %H:%M}"

    assert [leaves(late, hour) for hour in (8, 10, 17, 18)] == [
        "12 10:00",
        "12 10:00",
        "12 17:00",
        "13 10:00",
    ]
    assert [leaves(noon, hour) for hour in (11, 12, 13, 14)] == [
        "12 11:00",
        "12 14:00",
        "12 14:00",
        "12 14:00",
    ]


@pytest.mark.parametrize("priority", [0, 1])
def test_only_what_is_urgent_disturbs_the_patients_own_quiet_hours(priority: int) -> None:
    now = datetime(2027, 3, 12, 17, tzinfo=UTC)  # noon in New York
    decision = decide(
        envelope(now, priority=priority), replace(SOMEBODY, quiet=(660, 840)), now=now
    )
    assert isinstance(decision, Send if priority == 0 else Wait)


# --- What is on record ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_unknown_zone_is_the_sites_and_those_of_the_number(
    patient: Patient, site: Site, front_desk: Staff, now: datetime
) -> None:
    found = recipients.at_site(patient, site, now=now)
    assert found[Channel.SMS].zones == ("America/New_York",)
    registration.change(
        patient=patient, expected_version=1, by=front_desk, now=now, phone="+1 310 555 0123"
    )
    for channel in Channel:
        zones = recipients.at_site(patient, site, now=now)[channel].zones
        assert zones == ("America/New_York", "America/Los_Angeles")
    patient.zone = "Pacific/Honolulu"
    assert recipients.at_site(patient, site, now=now)[Channel.SMS].zones == ("Pacific/Honolulu",)


@pytest.mark.django_db
def test_a_reminder_waits_for_the_patients_own_quiet_hours_to_end(
    visit: Appointment, patient: Patient, site: Site, front_desk: Staff, now: datetime
) -> None:
    registration.change(
        patient=patient,
        expected_version=1,
        by=front_desk,
        now=now,
        quiet_from=time(8),
        quiet_until=time(12, 30),
    )
    message = queued(visit, now=now, kind=Kind.REMINDER_FINAL)  # 09:00 in New York
    planned(patient, site)
    channel = Recorder()
    dispatch.send_due(now=now, channel=channel)
    message.refresh_from_db()
    assert (channel.sent, message.state) == ([], MessageState.SCHEDULED)
    assert message.wake_at == datetime(2027, 2, 15, 17, 30, tzinfo=UTC)
    assert "quiet hours" in message.gate_why[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("quiet", "sentence"),
    [
        ((time(8), None), "both ends"),
        ((None, time(8)), "both ends"),
        ((time(8), time(8)), "both ends"),
        ((time(9), time(19, 1)), "at least two hours"),
        ((time(19), time(17, 30)), "at least two hours"),
    ],
)
def test_quiet_hours_that_leave_no_room_are_refused(
    patient: Patient,
    front_desk: Staff,
    now: datetime,
    quiet: tuple[time | None, time | None],
    sentence: str,
) -> None:
    with pytest.raises(RegistrationRefused, match=sentence):
        registration.change(
            patient=patient,
            expected_version=1,
            by=front_desk,
            now=now,
            quiet_from=quiet[0],
            quiet_until=quiet[1],
        )


def test_registration_and_the_gate_mean_the_same_hours() -> None:
    care = QUIET_HOURS[Purpose.CARE]
    assert [each.hour * 60 for each in CARE_HOURS] == [care.opens, care.closes]
