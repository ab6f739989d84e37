"""The reminders that a site has besides: a week before, and three hours before."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from appointments.lifecycle import State
from reminders.catalogue import Channel, Kind, Purpose
from reminders.gate import Envelope, Recipient, Send, Skip, Wait, decide
from reminders.planning.merging import Wanted
from reminders.planning.visits import wishes
from tests.reminders.planning.world import (
    NEW_YORK,
    SITE,
    planned,
    series,
    visit,
    wall,
)

MORE = replace(SITE, week_reminders_from=date(2027, 1, 1), nudges_from=date(2027, 1, 1))


def week(**changes: object) -> list[Wanted]:
    """The mails that say it: alone, or with a step that is due then."""
    return _saying(Kind.REMINDER_7D, Channel.EMAIL, **changes)


def nudges(**changes: object) -> list[Wanted]:
    return _saying(Kind.NUDGE, Channel.SMS, **changes)


def _saying(kind: Kind, channel: Channel, **changes: object) -> list[Wanted]:
    messages = planned(visit(**{"site": MORE, **changes})).messages  # type: ignore[arg-type]
    return [
        each
        for each in messages
        if any((item.step, item.channel) == (kind, channel) for item in each.items)
    ]


def test_no_site_has_them_unless_it_says_from_when_on() -> None:
    assert not week(site=SITE) and not nudges(site=SITE)
    assert week(site=replace(MORE, week_reminders_from=date(2027, 4, 5)))
    assert not week(site=replace(MORE, week_reminders_from=date(2027, 4, 6)))
    assert nudges(site=replace(MORE, nudges_from=date(2027, 4, 12)))
    assert not nudges(site=replace(MORE, nudges_from=date(2027, 4, 13)))


def test_a_mail_comes_a_week_before_at_the_hour_of_the_visit_until_the_next_reminder() -> None:
    [mail] = week(starts="2027-03-18 10:00")  # the clocks go forward in between
    assert mail.due_at == wall("2027-03-11 10:00")
    on_18_march = visit(starts="2027-03-18 10:00", site=MORE)
    every = wishes(series(on_18_march), on_18_march)
    assert [each.expires_at for each in every if each.kind is Kind.REMINDER_7D] == [
        wall("2027-03-15 10:00")
    ]


@pytest.mark.parametrize(
    ("booked", "reason"), [("2027-04-02 09:59", ""), ("2027-04-02 10:01", "booked_too_late")]
)
def test_who_booked_within_ten_days_gets_none(booked: str, reason: str) -> None:
    assert [each.skip for each in week(scheduled=booked)] == [reason]


def test_who_has_not_confirmed_gets_a_text_three_hours_before() -> None:
    [text] = nudges()
    assert (text.due_at, text.skip) == (wall("2027-04-12 07:00"), "")
    assert [each.skip for each in nudges(state=State.CONFIRMED)] == ["confirmed"]
    assert [each.skip for each in nudges(scheduled="2027-04-11 09:00")] == ["booked_too_late"]
    assert not nudges(state=State.ARRIVED)


@pytest.mark.parametrize(
    ("starts", "leaves"),
    [("10:00", "08:00"), ("09:00", "08:00"), ("08:59", None), ("11:30", "08:30")],
)
def test_it_waits_for_the_morning_if_an_hour_is_left_then(starts: str, leaves: str | None) -> None:
    [text] = nudges(starts=f"2027-04-12 {starts}")
    envelope = Envelope(
        Purpose.CARE, Channel.SMS, text.priority, text.due_at, text.expires_at, kind=text.kind
    )
    consents = frozenset({("care", "sms")})
    live: datetime = text.due_at - timedelta(days=99)
    elena = Recipient(consents, "+12125550123", "", (NEW_YORK,), live)
    decision = decide(envelope, elena, now=text.due_at)
    at = leaves and wall(f"2027-04-12 {leaves}")
    match decision:
        case Send():
            assert text.due_at == at
        case Wait(until=until):
            assert until == at
        case Skip(reason=reason):
            assert (reason, at) == ("expired", None)


def test_both_are_of_the_visit_and_move_with_it() -> None:
    moved = {"starts": "2027-05-12 10:00", "schedule_version": 2}
    assert [each.due_at for each in week(**moved)] == [wall("2027-05-05 10:00")]
    assert [each.due_at for each in nudges(**moved)] == [wall("2027-05-12 07:00")]
