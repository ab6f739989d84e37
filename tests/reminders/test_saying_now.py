"""Messages that no plan wanted: said once, at once, and left alone by planning."""

from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment
from clinic.models import Site
from patients.models import Patient
from reminders.catalogue import SAID_NOW, Channel, Kind, MessageState
from reminders.journeys import replanning
from reminders.ledger import opting_out, saying_now
from reminders.models import Message, SuppressionSource
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, planned

pytestmark = pytest.mark.django_db

NUMBER = "+12125550123"
STAFF_PHONE = "+12125550777"


def say(site: Site, now: datetime, **more: object) -> Message | None:
    asked = {
        "site": site,
        "kind": Kind.OPTOUT_ACK,
        "channel": Channel.SMS,
        "to_address": NUMBER,
        "key": "optout_ack:SM1",
        "now": now,
    }
    return saying_now.say(**(asked | more))  # type: ignore[arg-type]


def sent(now: datetime, site: Site, patient: Patient | None = None) -> list[tuple[str, str]]:
    """What leaves when a dispatcher comes by: (address, text)."""
    Site.objects.filter(pk=site.pk).update(planned_revision=site.revision)
    if patient is not None:
        planned(patient, site)
    channel = Recorder()
    dispatch.send_due(now=now, channel=channel)
    return [(each.to, each.text) for each in channel.sent]


def test_the_answer_to_stop_is_the_one_text_that_reaches_who_opted_out(
    site: Site, patient: Patient, now: datetime
) -> None:
    opting_out.opt_out(
        channel=Channel.SMS, address=NUMBER, source=SuppressionSource.REPLY, by=None, now=now
    )
    say(site, now)
    say(site, now, kind=Kind.HELP_REPLY, key="help_reply:SM2")

    [(to, text)] = sent(now + timedelta(seconds=1), site)

    assert to == NUMBER
    assert text == f"Harbour Skin: You get no more texts from us. Questions? Call {site.phone}."
    assert Message.objects.get(kind=Kind.HELP_REPLY).reason == "suppressed"


@pytest.mark.parametrize("reason", ["not_textable", "wrong_number"])
def test_not_even_the_answer_to_stop_goes_to_a_number_that_is_closed_for_another_reason(
    site: Site, now: datetime, reason: str
) -> None:
    opting_out.suppress(
        channel=Channel.SMS,
        address=NUMBER,
        reason=reason,  # type: ignore[arg-type]
        source=SuppressionSource.PROVIDER,
        by=None,
        now=now,
    )
    say(site, now)
    assert sent(now, site) == []


def test_five_copies_of_one_webhook_get_one_answer(site: Site, now: datetime) -> None:
    said = [say(site, now) for _ in range(5)]
    assert [each is not None for each in said] == [True, False, False, False, False]
    assert len(sent(now, site)) == 1


def test_an_answer_that_is_late_by_six_minutes_is_not_given(site: Site, now: datetime) -> None:
    say(site, now)
    assert sent(now + timedelta(minutes=6), site) == []
    assert Message.objects.get().reason == "expired"


def test_the_life_of_an_answer_counts_from_the_question(site: Site, now: datetime) -> None:
    life, second = timedelta(minutes=5), timedelta(seconds=1)
    assert say(site, now, since=now - life) is None
    answer = say(site, now, since=now - life + second)
    assert answer is not None and answer.expires_at == now + second


def test_an_answer_is_given_by_night_and_in_the_language_of_the_question(
    site: Site, now: datetime
) -> None:
    night = now.replace(hour=8)  # 03:00 in New York
    say(site, night, kind=Kind.HELP_REPLY, language="es")
    [(_, text)] = sent(night, site)
    assert text.startswith("Harbour Skin: Para recibir ayuda")
    assert "STOP" in text


def test_words_of_a_person_reach_a_member_of_staff_who_is_no_patient(
    site: Site, now: datetime
) -> None:
    say(
        site,
        now,
        kind=Kind.ON_CALL,
        to_address=STAFF_PHONE,
        text="A patient reports something urgent. Open the inbox.",
        key="on_call:1",
    )
    assert sent(now, site) == [
        (STAFF_PHONE, "Harbour Skin: A patient reports something urgent. Open the inbox.")
    ]


def test_planning_leaves_alone_what_it_did_not_want(
    visit: Appointment, patient: Patient, site: Site, now: datetime
) -> None:
    message = say(site, now, patient=patient, kind=Kind.STAFF_REPLY, text="Yes, do.", key="reply:1")
    assert message is not None
    replanning.sync_stale(now=now)
    message.refresh_from_db()
    assert message.state == MessageState.SCHEDULED
    assert (NUMBER, "Harbour Skin: Yes, do.") in sent(now, site, patient)


def test_a_new_link_opens_the_patients_own_page(
    visit: Appointment, patient: Patient, site: Site, now: datetime
) -> None:
    say(site, now, patient=patient, to_address="", kind=Kind.NEW_LINK, key="link:1")
    [(to, text)] = sent(now, site, patient)
    assert to == NUMBER
    assert "/p/" in text


@pytest.mark.parametrize("kind", sorted(SAID_NOW - {Kind.NEW_LINK}))
@pytest.mark.parametrize("channel", list(Channel))
def test_every_kind_that_is_said_at_once_can_be_written_without_a_patient(
    site: Site, now: datetime, kind: Kind, channel: Channel
) -> None:
    to = NUMBER if channel is Channel.SMS else "desk@clinic.example"
    say(site, now, kind=kind, channel=channel, to_address=to, text="Please look.", key=kind)
    assert len(sent(now, site)) == 1


def test_what_the_plan_says_is_not_said_beside_it(site: Site, now: datetime) -> None:
    with pytest.raises(ValueError, match="said by the plan"):
        say(site, now, kind=Kind.REMINDER_FINAL)
    with pytest.raises(ValueError, match="patient or an address"):
        say(site, now, to_address="")
