"""The message calendar of a journey that nobody has booked, as the command prints it."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from clinic.protocols.loading import LIBRARY
from reminders.catalogue import Kind

FIELDS = {
    "key", "kind", "steps", "session", "channel", "purpose", "due_at", "send_at", "expires_at",
    "decision", "reason", "why", "subject", "body", "segments",
}  # fmt: skip
START, ZONE = "2027-03-12T10:00", "America/New_York"
PROTOCOLS = sorted(path.stem for path in LIBRARY.glob("*.toml"))


def calendar(protocol: str = "rf_microneedling", **options: Any) -> list[dict[str, Any]]:
    out = StringIO()
    call_command(
        "preview_protocol",
        protocol,
        **{"start": START, "site_zone": ZONE, "json": True, "stdout": out, **options},
    )
    lines: list[dict[str, Any]] = json.loads(out.getvalue())
    return lines


def only(lines: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    return [line for line in lines if all(line[name] == value for name, value in wanted.items())]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_previews_in_both_languages(protocol: str, language: str) -> None:
    lines = calendar(protocol, language=language)
    assert lines
    for line in lines:
        assert set(line) == FIELDS
        assert line["kind"] in list(Kind)
        assert line["decision"] in ("send", "skip", "staff_task")
        assert line["why"]
        assert (line["send_at"] is None) == (line["decision"] == "skip")
        assert (line["segments"] is not None) == (line["channel"] == "sms")
    moments = [line["send_at"] or line["due_at"] for line in lines]
    assert moments == sorted(moments)
    assert all(moment.endswith("Z") for moment in moments)
    assert len({line["key"] for line in lines}) == len(lines)


def test_the_calendar_of_a_weekday_morning_in_spring() -> None:
    lines = calendar(booked_at="2027-02-01T09:00", sessions=3, interval_days=28)
    confirmations = only(lines, kind="booking_confirmed")
    assert {line["send_at"] for line in confirmations} == {"2027-02-01T14:03:00Z"}
    reminders = only(lines, kind="reminder_final", session=1)
    assert [line["send_at"] for line in reminders] == ["2027-03-11T15:00:00Z"]
    # The clocks went forward on 14 March: ten o'clock is an hour earlier in UTC.
    reminders = only(lines, kind="reminder_final", session=2)
    assert [line["send_at"] for line in reminders] == ["2027-04-08T14:00:00Z"]
    sessions = {line["session"] for line in only(lines, kind="postcare_0")}
    assert sessions == {1, 2, 3}


def test_a_patient_far_away_is_written_to_in_the_hours_of_their_own_zone() -> None:
    here = only(calendar(), kind="reminder_final", session=1)[0]
    there = only(calendar(patient_zone="Asia/Tokyo"), kind="reminder_final", session=1)[0]
    assert here["send_at"] == here["due_at"] == "2027-03-11T15:00:00Z"
    assert there["due_at"] == "2027-03-11T15:00:00Z"
    assert (there["send_at"], there["reason"]) == ("2027-03-11T23:00:00Z", "quiet_hours")


def test_without_consent_to_marketing_the_prompt_is_skipped_and_says_so() -> None:
    [prompt] = only(calendar(consents="care"), kind="touchup_prompt")
    assert (prompt["decision"], prompt["reason"], prompt["send_at"]) == ("skip", "no_consent", None)
    [prompt] = only(calendar(consents="care,marketing"), kind="touchup_prompt")
    assert prompt["decision"] == "send"


@pytest.mark.parametrize(
    ("consents", "agreed_with"),
    [("care,marketing,photos", ["smtp"]), ("care,marketing,photos,phi_detail", [])],
)
def test_no_word_of_the_treatment_leaves_the_house_without_consent_and_agreement(
    consents: str, agreed_with: list[str], settings: Settings
) -> None:
    settings.HEALTH_DATA_AGREEMENTS = agreed_with
    for line in calendar(consents=consents):
        if line["decision"] != "staff_task":
            said = (line["subject"] + line["body"]).lower()
            assert "microneedling" not in said
            assert "retino" not in said


def test_a_visit_booked_a_day_ahead_gets_one_message_on_each_channel_before_it() -> None:
    lines = calendar(booked_at="2027-03-11T09:00", sessions=1)
    sent = [
        line for line in only(lines, decision="send") if line["send_at"] < "2027-03-12T15:00:00Z"
    ]
    assert sorted(line["channel"] for line in sent) == ["email", "sms"]
    assert {line["kind"] for line in sent} == {"booking_confirmed"}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"start": "2027-03-14T02:30"}, "02:30 does not exist"),
        ({"start": "2027-11-07T01:30"}, "comes twice"),
        ({"start": "soon"}, "'soon' is not a time"),
        ({"start": "2027-03-12T10:00+01:00"}, "without an offset"),
        ({"site_zone": "Mars/Olympus"}, "not an IANA time zone"),
        ({"patient_zone": "nowhere"}, "not an IANA time zone"),
        ({"booked_at": "2027-03-12T10:00"}, "must be before"),
        ({"sessions": 99}, "between 1 and 12"),
        ({"interval_days": 0}, "between 1 and 730"),
        ({"areas": "moon"}, "there is no 'moon'"),
        ({"consents": "care,gossip"}, "'gossip' is not one of"),
    ],
)
def test_a_wrong_option_is_refused_with_what_to_write(
    options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        calendar(**options)


def test_an_unknown_protocol_is_refused_with_those_there_are() -> None:
    with pytest.raises(CommandError, match="Known: consultation"):
        calendar("../../etc/passwd")


def test_the_printed_calendar_tells_every_line_with_its_reasons() -> None:
    out = StringIO()
    call_command("preview_protocol", "consultation", start=START, site_zone=ZONE, stdout=out)
    printed = out.getvalue()
    assert "reminder_final" in printed
    assert "Every visit has a last reminder the day before" in printed
