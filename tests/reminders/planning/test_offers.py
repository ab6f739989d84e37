"""What a place on offer has said: the offer while it is open, and that it is gone to who heard."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clinic.retelling import retold
from reminders.catalogue import Channel, Kind
from reminders.planning.facts import InvitationFacts, PatientFacts, SiteFacts
from reminders.planning.plans import plan
from reminders.wording.lettering import Reader, Sender, letter
from reminders.wording.rendering import Rendered, render

SITE = SiteFacts(1, "Harbour Skin Clinic", "America/New_York", timedelta(minutes=3))
MADE = datetime(2027, 2, 15, 14, 0, tzinfo=UTC)
OPEN = InvitationFacts(
    id=7,
    site=SITE,
    session=2,
    sessions=3,
    starts_at=datetime(2027, 3, 4, 15, 0, tzinfo=UTC),
    made_at=MADE,
    expires_at=MADE + timedelta(minutes=15),
    offered_by="Ana Front",
    comes_at=datetime(2027, 3, 18, 14, 0, tzinfo=UTC),
    reasons=("Waits for 3 days.",),
)


def told(*invitations: InvitationFacts) -> PatientFacts:
    return PatientFacts(id=1, is_deceased=False, series=(), invitations=invitations)


def written(facts: PatientFacts, kind: Kind, channel: Channel, language: str = "en") -> Rendered:
    [message] = [m for m in plan(facts).messages if (m.kind, m.channel) == (kind, channel)]
    return render(
        letter(
            kind=kind,
            channel=channel,
            items=message.items,
            patient=facts,
            reader=Reader("Noor", language, detail=True),
            sender=Sender("Harbour Skin Clinic", "Harbour Skin", "+12125550100", "1 Harbour St"),
            care_url="https://clinic.example/p/t/" if kind is Kind.WAITLIST_OFFER else "",
        )
    )


def test_an_open_offer_is_said_at_once_on_both_channels_and_dies_with_the_offer() -> None:
    messages = plan(told(OPEN)).messages
    assert {(each.kind, each.channel) for each in messages} == {
        (Kind.WAITLIST_OFFER, Channel.SMS),
        (Kind.WAITLIST_OFFER, Channel.EMAIL),
    }
    for each in messages:
        assert (each.due_at, each.expires_at) == (OPEN.made_at, OPEN.expires_at)
        assert (each.series_id, each.session, each.priority) == (None, None, 1)
        assert tuple(map(retold, each.why)) == (
            "Ana Front offered the place on Thu 4 Mar 10:00 because the patient waits for it.",
            "Waits for 3 days.",
            "The first who accepts has it, until Mon 15 Feb 09:15.",
        )


def test_each_offer_is_a_message_of_its_own() -> None:
    messages = plan(told(OPEN, replace(OPEN, id=8))).messages
    assert len(messages) == 4
    assert len({each.key for each in messages}) == 4


def test_what_was_spoken_is_not_said_again() -> None:
    [text, _] = sorted(plan(told(OPEN)).messages, key=lambda each: each.channel, reverse=True)
    facts = replace(told(OPEN), spoken=frozenset(text.items))
    assert [each.channel for each in plan(facts).messages] == [Channel.EMAIL]


@pytest.mark.parametrize("answer", ["gone", "withdrawn"])
def test_who_heard_of_a_place_is_told_that_it_is_gone_on_the_same_channel(answer: str) -> None:
    over = replace(
        OPEN,
        answer=answer,
        answered_at=MADE + timedelta(minutes=4),
        told=frozenset({Channel.SMS}),
    )
    [message] = plan(told(over)).messages
    assert (message.kind, message.channel) == (Kind.WAITLIST_GONE, Channel.SMS)
    assert message.due_at == MADE + timedelta(minutes=4)
    assert plan(told(replace(over, told=frozenset()))).messages == ()


@pytest.mark.parametrize("answer", ["accepted", "declined", "expired"])
def test_who_ended_an_offer_themselves_hears_no_more_of_it(answer: str) -> None:
    over = replace(OPEN, answer=answer, answered_at=MADE, told=frozenset(Channel))
    assert plan(told(over)).messages == ()


def test_the_dead_are_offered_nothing() -> None:
    assert plan(replace(told(OPEN), is_deceased=True)).messages == ()


def test_the_text_says_when_until_when_and_where_to_answer() -> None:
    text = written(told(OPEN), Kind.WAITLIST_OFFER, Channel.SMS)
    assert text.text == (
        "Harbour Skin: Hello Noor. A time has opened for you: Thu 4 Mar 10:00. The first to take"
        " it has it, until 09:15: https://clinic.example/p/t/"
    )
    assert text.segments == 1
    spanish = written(told(OPEN), Kind.WAITLIST_OFFER, Channel.SMS, "es")
    assert "jue 4 mar 10:00" in spanish.text


def test_the_mail_names_the_visit_in_whose_place_it_is() -> None:
    mail = written(told(OPEN), Kind.WAITLIST_OFFER, Channel.EMAIL)
    assert mail.subject == "A time has opened for you: Thu 4 Mar 10:00"
    assert "Instead of: Thu 18 Mar 10:00" in mail.text
    assert "See the time and decide: https://clinic.example/p/t/" in mail.text


def test_that_a_place_is_gone_is_said_with_its_time_and_without_a_link() -> None:
    over = replace(OPEN, answer="gone", answered_at=MADE, told=frozenset(Channel))
    text = written(told(over), Kind.WAITLIST_GONE, Channel.SMS).text
    assert "The time on Thu 4 Mar 10:00 is no longer open. You stay on our list." in text
    assert "http" not in written(told(over), Kind.WAITLIST_GONE, Channel.EMAIL).text


def test_an_offer_that_runs_into_the_next_day_says_its_day() -> None:
    longer = replace(OPEN, expires_at=MADE + timedelta(hours=20))
    assert "until Tue 16 Feb 05:00" in written(told(longer), Kind.WAITLIST_OFFER, Channel.SMS).text
