"""One reply and all that follows from it: confirmed, suppressed, escalated, linked, once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections, transaction

from appointments.models import Appointment, Task
from appointments.visits import cancelling
from clinic import site_settings
from clinic.models import ProtocolVersion, Site, Staff
from patients import consent
from patients.models import Patient
from reminders.catalogue import Channel, Kind
from reminders.inbound import receiving
from reminders.models import (
    Conversation,
    InboundMessage,
    Message,
    ProviderAccount,
    Suppression,
)
from tests.personas import a_patient
from tests.reminders.inbound.conftest import PHONE, Reply, asked, said
from tests.reminders.ledger import a_visit

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def the_conversation() -> Conversation:
    return Conversation.objects.get()


def state_of(visit: Appointment) -> str:
    visit.refresh_from_db()
    return str(visit.state)


# --- Answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1", "Yes, see you then!", "sí gracias"])
def test_a_yes_to_the_one_question_confirms_the_visit_and_asks_nothing_of_staff(
    reply: Reply, question: Message, visit: Appointment, text: str
) -> None:
    stored = reply(text)
    assert state_of(visit) == "confirmed"
    assert stored is not None
    assert (stored.question, stored.answers, stored.did) == (
        "confirm",
        question,
        ["The visit is confirmed."],
    )
    assert the_conversation().state == "closed"
    assert said() == [] and not Task.objects.exists()


def test_a_visit_that_moved_since_it_was_asked_about_is_not_confirmed(
    reply: Reply, question: Message, visit: Appointment, front_desk: Staff, now: datetime
) -> None:
    Appointment.objects.filter(pk=visit.pk).update(schedule_version=2)
    reply("1")
    assert state_of(visit) == "booked"
    assert the_conversation().state == "new"
    cancelling.cancel(appointment=visit, by=front_desk, now=now, reason="x")
    reply("1")
    assert state_of(visit) == "cancelled"


def test_two_open_questions_are_not_guessed_at(
    reply: Reply,
    question: Message,
    visit: Appointment,
    patient: Patient,
    site: Site,
    protocol: ProtocolVersion,
    now: datetime,
) -> None:
    second = a_visit(patient, site, protocol, now=now, starts_at=now + timedelta(days=9))
    asked(second, now=now)
    reply("1")
    assert {state_of(visit), state_of(second)} == {"booked"}
    assert said() == [Kind.NEW_LINK]


def test_a_shared_number_is_answered_by_the_one_whom_we_asked(
    reply: Reply,
    question: Message,
    visit: Appointment,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    a_patient(site, front_desk, now, given="Omar", email="omar@patients.example")
    reply("1")
    assert state_of(visit) == "confirmed"
    assert the_conversation().patient is None


def test_when_both_of_a_family_were_asked_each_gets_their_own_link(
    reply: Reply,
    question: Message,
    visit: Appointment,
    site: Site,
    protocol: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    omar = a_patient(site, front_desk, now, given="Omar", email="omar@patients.example")
    his = a_visit(omar, site, protocol, now=now, starts_at=now + timedelta(days=2))
    asked(his, now=now)
    reply("1")
    assert {state_of(visit), state_of(his)} == {"booked"}
    links = Message.objects.filter(kind=Kind.NEW_LINK)
    assert {each.patient for each in links} == {visit.series.patient, omar}
    assert {each.to_address for each in links} == {PHONE}
    assert the_conversation().state == "unmatched"


def test_a_wish_for_another_time_gets_the_link_and_a_task(
    reply: Reply, question: Message, visit: Appointment
) -> None:
    reply("2")
    assert state_of(visit) == "booked"
    assert said() == [Kind.NEW_LINK]
    assert Task.objects.get().appointment == visit
    assert the_conversation().state == "new"


def test_a_check_in_takes_its_digit_once_and_a_bad_one_reaches_a_person(
    reply: Reply, visit: Appointment, now: datetime
) -> None:
    asked(visit, now=now, kind=Kind.CHECKIN)
    reply("3")
    assert the_conversation().has_symptom
    assert Task.objects.get().title == "Call: a reply names a symptom"
    later = reply("1", at=now + HOUR)
    assert later is not None
    assert later.labels == ["free_text"]


def test_an_answer_to_another_number_answers_nothing(
    reply: Reply, question: Message, visit: Appointment
) -> None:
    reply("1", by="+12125559999")
    assert state_of(visit) == "booked"
    assert the_conversation().state == "unmatched"


# --- Opt-outs -------------------------------------------------------------------------------------


def test_stop_closes_the_number_and_is_answered_once(
    reply: Reply, patient: Patient, now: datetime
) -> None:
    for _ in range(5):
        reply("STOP", provider_id="SM-one")
    reply("stop", at=now + HOUR)
    assert Suppression.objects.get(lifted_at=None).address == PHONE
    assert said() == [Kind.OPTOUT_ACK]
    assert InboundMessage.objects.count() == 2
    assert set(Conversation.objects.values_list("state", flat=True)) == {"closed"}


def test_who_was_answered_by_the_provider_is_not_answered_by_us(
    reply: Reply, patient: Patient
) -> None:
    reply("Stop", answered_as="stop")
    assert Suppression.objects.exists() and said() == []


def test_an_account_that_answers_keywords_itself_leaves_us_the_other_words(
    reply: Reply, patient: Patient, now: datetime
) -> None:
    ProviderAccount.objects.create(
        channel="sms", provider="twilio", answers_keywords=True, filled_at=now
    )
    for word in (" Help ", "STOP", "start"):
        reply(word, at=now)
    assert said() == []
    assert Suppression.objects.get().lifted_at == now
    reply("please stop texting me", at=now + HOUR)
    assert said() == [Kind.OPTOUT_ACK]


def test_a_bare_cancel_is_an_opt_out_and_a_question_for_staff(
    reply: Reply, question: Message, visit: Appointment
) -> None:
    reply("CANCEL")
    assert Suppression.objects.exists()
    assert state_of(visit) == "booked"
    assert Task.objects.get().title == "Call: CANCEL by text may mean the visit"
    assert the_conversation().state == "new"


def test_start_opens_the_number_again_for_care_only(
    reply: Reply, patient: Patient, front_desk: Staff, now: datetime
) -> None:
    consent.give(patient=patient, purpose="marketing", channel="sms", by=front_desk, now=now)
    reply("STOP")
    reply("START", at=now + HOUR)
    assert not Suppression.objects.filter(lifted_at=None).exists()
    assert said() == [Kind.OPTOUT_ACK, Kind.START_ACK]
    standing = consent.standing([patient.pk])[patient.pk]
    assert ("care", "sms") in standing


def test_yes_starts_only_a_silenced_number(reply: Reply, patient: Patient, now: datetime) -> None:
    reply("yes")
    assert said() == []
    reply("STOP", at=now + HOUR)
    reply("yes", at=now + 2 * HOUR)
    assert said() == [Kind.OPTOUT_ACK, Kind.START_ACK]


def test_a_wrong_number_is_closed_and_asked_about(reply: Reply, patient: Patient) -> None:
    reply("I'm not Elena, wrong number")
    assert Suppression.objects.get().reason == "wrong_number"
    assert "right number" in Task.objects.get().title


# --- Symptoms -------------------------------------------------------------------------------------


def test_an_urgent_symptom_is_answered_once_paged_and_given_to_staff(
    reply: Reply, patient: Patient, site: Site, now: datetime
) -> None:
    reply("my lip is turning white and hurts")
    reply("I can't see well", at=now + timedelta(minutes=2))
    conversation = the_conversation()
    assert (conversation.state, conversation.has_symptom) == ("escalated", True)
    assert said() == [Kind.SAFETY_TEXT, Kind.ON_CALL]
    page = Message.objects.get(kind=Kind.ON_CALL)
    assert (page.channel, page.to_address) == ("email", site.reply_to)
    assert conversation.page_at == now + timedelta(minutes=15)
    assert Task.objects.filter(title__startswith="Call now", due_at__lte=now + HOUR).count() == 2


def test_an_opt_out_with_a_symptom_suppresses_and_is_called_not_texted(
    reply: Reply, patient: Patient
) -> None:
    reply("STOP. I can't breathe")
    assert Suppression.objects.exists()
    assert said() == [Kind.OPTOUT_ACK, Kind.ON_CALL]
    assert Task.objects.filter(title__startswith="Call now").exists()
    assert the_conversation().state == "escalated"


def test_a_symptom_for_review_pages_nobody(reply: Reply, patient: Patient) -> None:
    reply("a small blister on my cheek")
    assert said() == []
    conversation = the_conversation()
    assert (conversation.state, conversation.has_symptom) == ("new", True)
    assert Task.objects.exists()


def test_a_yes_with_a_symptom_confirms_nothing(
    reply: Reply, question: Message, visit: Appointment
) -> None:
    reply("yes but my face is burning")
    assert state_of(visit) == "booked"
    assert the_conversation().state == "new"


def test_an_urgent_word_from_a_stranger_is_escalated_too(reply: Reply, site: Site) -> None:
    reply("no puedo respirar", by="+12125559999")
    assert the_conversation().state == "escalated"
    assert said() == [Kind.SAFETY_TEXT, Kind.ON_CALL]


# --- The rest -------------------------------------------------------------------------------------


def test_who_writes_at_night_is_told_so_once_in_twelve_hours(
    reply: Reply, patient: Patient, now: datetime
) -> None:
    reply("do you sell the cream?", at=now + HOUR)
    assert said() == []
    night = now + 11 * HOUR
    for minutes in (0, 5, 60, 12 * 60 - 1):
        reply("hello?", at=night + timedelta(minutes=minutes))
    assert said() == [Kind.AWAY_REPLY]
    reply("and now?", at=night + 12 * HOUR)
    assert said() == [Kind.AWAY_REPLY] * 2


def test_help_is_answered_and_needs_nobody(reply: Reply, patient: Patient) -> None:
    reply("HELP")
    assert said() == [Kind.HELP_REPLY]
    assert the_conversation().state == "closed"


def test_answers_go_to_the_number_that_wrote_in_the_language_of_its_people(
    reply: Reply, site: Site, front_desk: Staff, now: datetime
) -> None:
    a_patient(site, front_desk, now, phone="+12125550177", language="es")
    reply("ayuda", by="+12125550177")
    answer = Message.objects.get(kind=Kind.HELP_REPLY)
    assert (answer.to_address, answer.draft.language) == ("+12125550177", "es")


def test_a_reply_by_mail_is_taken_in_alike(reply: Reply, patient: Patient) -> None:
    reply("unsubscribe", channel=Channel.EMAIL, by="elena@patients.example")
    assert Suppression.objects.get().channel == "email"
    assert the_conversation().channel == "email"


def test_what_was_written_to_no_site_is_not_kept(reply: Reply, question: Message) -> None:
    """Whoever we wrote to before writes to somebody else as well."""
    assert reply("STOP", to="+19995550000") is None
    assert receiving.ours(["jobs@clinic.example"]) == ""
    assert (
        reply("STOP", channel=Channel.EMAIL, by="elena@example.com", to="jobs@clinic.example")
        is None
    )
    assert not InboundMessage.objects.exists() and not Suppression.objects.exists()


def test_a_stop_to_a_sender_that_the_site_had_before_still_closes_theirs(
    reply: Reply, question: Message, manager: Staff, now: datetime
) -> None:
    site = question.site
    number, mailbox = site.sms_number, site.reply_to
    changes = {"sms_number": "+12125550177", "reply_to": "new@clinic.example"}
    site_settings.change(site=site, changes=changes, by=manager, now=now)
    assert reply("STOP", to=number) is not None
    assert the_conversation().site == site
    assert Suppression.objects.get().address == PHONE
    assert receiving.ours(["jobs@clinic.example", mailbox]) == mailbox
    assert reply("hello", channel=Channel.EMAIL, by="elena@example.com", to=mailbox) is not None


def test_replies_to_an_open_conversation_stay_together(
    reply: Reply, patient: Patient, now: datetime
) -> None:
    first = reply("do you sell the cream?")
    second = reply("the one in the blue tube", at=now + HOUR)
    assert first is not None and second is not None
    assert first.conversation == second.conversation
    assert the_conversation().last_at == now + HOUR


def test_what_a_database_cannot_keep_is_left_out(reply: Reply, patient: Patient) -> None:
    stored = reply("hel\x00lo " + "x" * 20_000)
    assert stored is not None
    stored.refresh_from_db()
    assert stored.text.startswith("hello x") and len(stored.text) == 10_000


@pytest.mark.django_db(transaction=True)
def test_copies_that_come_at_the_same_moment_are_one(
    reply: Reply, question: Message, visit: Appointment
) -> None:
    together([lambda: reply("1", provider_id="SM-one") for _ in range(6)])
    together([lambda: reply("STOP", provider_id="SM-two") for _ in range(6)])
    assert InboundMessage.objects.count() == 2
    assert visit.history.filter(move="confirm").count() == 1
    assert said() == [Kind.OPTOUT_ACK]


def together(acts: list[Callable[[], object]]) -> None:
    """All acts at once, each in a thread of its own; every fault is raised."""
    barrier, faults = Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            connections["default"].ensure_connection()
            barrier.wait()
            act()
        except Exception as fault:  # noqa: BLE001 - it is raised below
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


# --- What the database refuses --------------------------------------------------------------------


def test_the_database_refuses_what_cannot_be(
    reply: Reply, patient: Patient, site: Site, now: datetime
) -> None:
    reply("hello")
    conversation = the_conversation()

    def refused(act: Callable[[], object], name: str) -> None:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            act()

    def changed(**fields: object) -> Callable[[], object]:
        return lambda: Conversation.objects.filter(pk=conversation.pk).update(**fields)

    twin = {
        each: getattr(conversation, each)
        for each in ("site", "channel", "address", "state", "opened_at", "last_at")
    }
    refused(lambda: Conversation.objects.create(**twin), "conversation_one_open")
    refused(changed(state="gone"), "conversation_state_known")
    refused(changed(state="closed"), "conversation_closed_has_time")
    refused(changed(closed_at=now), "conversation_closed_has_time")
    refused(changed(state="unmatched"), "conversation_unmatched_has_no_patient")
    refused(changed(page_at=now), "conversation_paged_while_escalated")
    kept = InboundMessage.objects.get()
    again = {"provider": kept.provider, "provider_id": kept.provider_id, "received_at": now}
    refused(
        lambda: InboundMessage.objects.create(conversation=conversation, **again), "inbound_once"
    )
    refused(
        lambda: InboundMessage.objects.filter(pk=kept.pk).update(forgotten_at=now),
        "inbound_forgotten_is_empty",
    )
