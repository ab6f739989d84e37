"""Staff and conversations: taken, answered once, matched, closed; and on call paged until then."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from appointments.models import Appointment
from clinic import on_call
from clinic.access import Forbidden
from clinic.models import AuditEntry, Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel, Kind
from reminders.gate import IN_CONVERSATION
from reminders.inbound import conversing, paging, passing_on, snoozing
from reminders.inbound.conversing import ConversationRefused
from reminders.models import Conversation, Message
from reminders.sending import dispatch
from tests.personas import a_patient
from tests.reminders.inbound.conftest import PHONE, Reply, said
from tests.reminders.ledger import Recorder, planned, queued

pytestmark = pytest.mark.django_db

QUARTER = timedelta(minutes=15)
URGENT = "I can't see out of my left eye"
NURSE = "+12125550190"


@pytest.fixture
def urgent(reply: Reply, patient: Patient) -> Conversation:
    reply(URGENT)
    return Conversation.objects.get()


@pytest.fixture
def plain(reply: Reply, patient: Patient) -> Conversation:
    reply("do you sell the cream?")
    return Conversation.objects.get()


def fresh(conversation: Conversation) -> Conversation:
    conversation.refresh_from_db()
    return conversation


def answer(conversation: Conversation, by: Staff, now: datetime, **told: object) -> Message | None:
    asked = {"text": "We call you now.", "reference": uuid4(), **told}
    return conversing.reply(conversation=conversation, by=by, now=now, **asked)  # type: ignore[arg-type]


# --- Paging ---------------------------------------------------------------------------------------


def test_on_call_is_paged_every_quarter_of_an_hour_until_somebody_takes_it(
    reply: Reply, patient: Patient, site: Site, manager: Staff, provider: Staff, now: datetime
) -> None:
    on_call.add(
        site=site,
        staff=provider,
        starts_at=now - QUARTER,
        ends_at=now + timedelta(hours=8),
        phone=NURSE,
        by=manager,
        now=now,
    )
    Staff.objects.filter(pk=provider.pk).update(language="es")
    reply(URGENT)
    conversation = Conversation.objects.get()
    pages = Message.objects.filter(kind=Kind.ON_CALL)
    assert [each.to_address for each in pages] == [NURSE]
    text = pages.get().draft.text
    assert text.startswith("Respuesta urgente") and URGENT not in text and "Elena" not in text
    assert paging.page_again(now=now + timedelta(minutes=14)) == 0
    assert paging.page_again(now=now + QUARTER) == 1
    assert paging.page_again(now=now + QUARTER) == 0
    # The second time the site's own mailbox hears of it as well.
    assert sorted(pages.values_list("to_address", flat=True)) == [NURSE, NURSE, site.reply_to]
    assert pages.get(to_address=site.reply_to).draft.text.startswith("Urgent reply")
    conversing.take(conversation=conversation, by=provider, now=now + QUARTER)
    assert paging.page_again(now=now + timedelta(hours=2)) == 0
    # Who has it keeps it, and is not called again when it is said again.
    reply(URGENT, at=now + 2 * QUARTER)
    assert fresh(conversation).owner == provider and pages.all().count() == 3


def test_a_shift_that_is_over_is_not_paged(
    reply: Reply, patient: Patient, site: Site, manager: Staff, provider: Staff, now: datetime
) -> None:
    on_call.add(
        site=site,
        staff=provider,
        starts_at=now - 2 * QUARTER,
        ends_at=now + QUARTER,
        phone=NURSE,
        by=manager,
        now=now,
    )
    reply(URGENT, at=now + QUARTER)
    assert Message.objects.get(kind=Kind.ON_CALL).to_address == site.reply_to


TYPED = "Hello Elena,  \n\n\n\nplease come at ten.\n- bring the cream\r\nYours"


@pytest.mark.parametrize("channel", Channel)
def test_a_mail_keeps_the_lines_that_staff_typed_and_a_text_is_one(
    reply: Reply, patient: Patient, front_desk: Staff, site: Site, now: datetime, channel: Channel
) -> None:
    by = PHONE if channel == Channel.SMS else "elena@patients.example"
    reply("do you sell the cream?", channel=channel, by=by)
    answer(Conversation.objects.get(), front_desk, now, text=TYPED)
    planned(patient, site)
    recorder = Recorder()
    dispatch.send_due(now=now, channel=recorder)
    [sent] = [each for each in recorder.sent if "cream" in each.text]
    if channel == Channel.SMS:
        assert "Hello Elena, please come at ten. - bring the cream Yours" in sent.text
    else:
        assert "Hello Elena,\n\nplease come at ten.\n- bring the cream\nYours" in sent.text
        assert "Hello Elena,<br>\n<br>\nplease come at ten.<br>\n- bring" in sent.html


# --- What waits -----------------------------------------------------------------------------------


def test_what_can_wait_is_held_back_until_the_conversation_is_closed(
    urgent: Conversation, visit: Appointment, front_desk: Staff, site: Site, now: datetime
) -> None:
    held = queued(visit, now=now, kind=Kind.PRECARE_STEP)
    urgent_one = queued(visit, now=now, kind=Kind.REMINDER_FINAL, channel=Channel.EMAIL)
    channel = Recorder()
    dispatch.send_due(now=now, channel=channel)
    held.refresh_from_db()
    urgent_one.refresh_from_db()
    assert (held.state, held.reason) == ("scheduled", IN_CONVERSATION)
    assert urgent_one.state == "accepted"
    conversing.close(conversation=urgent, by=front_desk, now=now)
    planned(visit.series.patient, site)
    dispatch.send_due(now=now, channel=channel)
    held.refresh_from_db()
    assert held.state == "accepted"


def test_a_conversation_without_a_symptom_holds_nothing_back(
    plain: Conversation, visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now, kind=Kind.PRECARE_STEP)
    dispatch.send_due(now=now, channel=Recorder())
    message.refresh_from_db()
    assert message.state == "accepted"


# --- Acts of staff --------------------------------------------------------------------------------


def test_an_answer_goes_to_the_address_that_wrote_and_is_said_once(
    plain: Conversation, front_desk: Staff, now: datetime
) -> None:
    reference = UUID(int=7)
    message = answer(plain, front_desk, now, reference=reference)
    assert message is not None
    assert (message.to_address, message.draft.text) == (PHONE, "We call you now.")
    assert answer(plain, front_desk, now, reference=reference) is None
    stored = fresh(plain)
    assert (stored.state, stored.owner) == ("waiting", front_desk)
    assert AuditEntry.objects.filter(action="conversation.reply").count() == 1


def test_the_patient_who_writes_again_is_new_again(
    plain: Conversation, reply: Reply, front_desk: Staff, now: datetime
) -> None:
    answer(plain, front_desk, now)
    reply("thank you, and what does it cost?", at=now + QUARTER)
    assert fresh(plain).state == "new"


def test_an_answer_is_refused_where_it_could_not_be_sent(
    plain: Conversation, reply: Reply, front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(ConversationRefused, match="Write what"):
        answer(plain, front_desk, now, text=" \n ")
    with pytest.raises(ConversationRefused, match="takes 3 text messages"):
        answer(plain, front_desk, now, text="x" * 310)
    reply("STOP")
    with pytest.raises(ConversationRefused, match="Call instead"):
        answer(plain, front_desk, now)
    conversing.close(conversation=plain, by=front_desk, now=now)
    with pytest.raises(ConversationRefused, match="is closed"):
        answer(plain, front_desk, now)


def test_what_somebody_has_is_taken_over_on_purpose_only(
    plain: Conversation, front_desk: Staff, manager: Staff, now: datetime
) -> None:
    conversing.take(conversation=plain, by=front_desk, now=now)
    with pytest.raises(ConversationRefused, match="Ana Front has taken"):
        conversing.take(conversation=plain, by=manager, now=now)
    conversing.take(conversation=plain, by=manager, now=now, over=True)
    assert fresh(plain).owner == manager


def test_a_shared_number_is_matched_by_staff(
    reply: Reply,
    patient: Patient,
    site: Site,
    other_site: Site,
    front_desk: Staff,
    outsider: Staff,
    now: datetime,
) -> None:
    omar = a_patient(site, front_desk, now, given="Omar", email="omar@patients.example")
    reply("do you sell the cream?")
    conversation = Conversation.objects.get()
    assert conversation.state == "unmatched"
    assert set(conversing.sharers(conversation)) == {patient, omar}
    away = a_patient(other_site, outsider, now, given="Ian", phone="", email="ian@p.example")
    with pytest.raises(ConversationRefused, match="not of this site"):
        conversing.match(conversation=conversation, patient=away, by=front_desk, now=now)
    conversing.match(conversation=conversation, patient=omar, by=front_desk, now=now)
    assert (fresh(conversation).state, conversation.patient) == ("new", omar)
    with pytest.raises(ConversationRefused):
        conversing.match(conversation=conversation, patient=patient, by=front_desk, now=now)


def test_who_treats_answers_symptoms_and_nothing_else(
    plain: Conversation, reply: Reply, provider: Staff, outsider: Staff, now: datetime
) -> None:
    assert plain not in conversing.of(provider)
    with pytest.raises(Forbidden):
        answer(plain, provider, now)
    reply("now I have a blister")
    assert plain in conversing.of(provider)
    assert answer(plain, provider, now) is not None
    assert plain not in conversing.of(outsider)
    for act in (conversing.take, conversing.close):
        with pytest.raises(Forbidden):
            act(conversation=plain, by=outsider, now=now)
    assert said().count(Kind.STAFF_REPLY) == 1


def test_a_conversation_is_given_to_a_colleague_who_may_answer_it(
    plain: Conversation, front_desk: Staff, manager: Staff, provider: Staff, now: datetime
) -> None:
    assert set(passing_on.colleagues(plain)) == {front_desk, manager}
    passing_on.assign(conversation=plain, to=manager, by=front_desk, now=now)
    assert fresh(plain).owner == manager
    entry = AuditEntry.objects.get(action="conversation.assign")
    assert (entry.by, entry.after) == (front_desk, {"owner": manager.pk})
    with pytest.raises(ConversationRefused, match="has this conversation already"):
        passing_on.assign(conversation=plain, to=manager, by=front_desk, now=now)
    with pytest.raises(ConversationRefused, match="may not answer"):
        passing_on.assign(conversation=plain, to=provider, by=front_desk, now=now)
    with pytest.raises(Forbidden):
        passing_on.assign(conversation=plain, to=manager, by=provider, now=now)


def test_a_snoozed_conversation_comes_back_at_its_time_or_when_they_write(
    plain: Conversation,
    reply: Reply,
    front_desk: Staff,
    manager: Staff,
    outsider: Staff,
    now: datetime,
) -> None:
    until = now + timedelta(days=1)
    snoozing.snooze(conversation=plain, until=until, by=front_desk, now=now)
    at_hand = Conversation.objects.open()
    assert plain in at_hand.snoozed(now) and plain not in at_hand.in_sight(now)
    assert plain in at_hand.in_sight(until) and plain not in at_hand.snoozed(until)
    reply("are you there?", at=now + QUARTER)
    assert fresh(plain).snoozed_until is None and plain in at_hand.in_sight(now + QUARTER)
    snoozing.snooze(conversation=plain, until=until, by=front_desk, now=now)
    snoozing.wake(conversation=plain, by=front_desk, now=now)
    with pytest.raises(ConversationRefused, match="in sight already"):
        snoozing.wake(conversation=plain, by=front_desk, now=now)
    for wrong in (now, now + snoozing.LONGEST + QUARTER):
        with pytest.raises(ConversationRefused, match="within 90 days"):
            snoozing.snooze(conversation=plain, until=wrong, by=front_desk, now=now)
    with pytest.raises(Forbidden):
        snoozing.snooze(conversation=plain, until=until, by=outsider, now=now)
    written = AuditEntry.objects.filter(action__in=("conversation.snooze", "conversation.wake"))
    assert written.count() == 3
    snoozing.snooze(conversation=plain, until=until, by=front_desk, now=now)
    passing_on.assign(conversation=plain, to=manager, by=front_desk, now=now)
    assert plain in at_hand.in_sight(now)
    snoozing.snooze(conversation=plain, until=until, by=manager, now=now)
    conversing.take(conversation=plain, by=front_desk, now=now, over=True)
    assert plain in at_hand.in_sight(now)
    taken = AuditEntry.objects.get(action="conversation.take")
    assert (taken.before, taken.after) == ({"owner": manager.pk}, {"owner": front_desk.pk})
    snoozing.snooze(conversation=plain, until=until, by=front_desk, now=now)
    conversing.close(conversation=plain, by=front_desk, now=now)
    assert fresh(plain).snoozed_until is None


def test_what_names_a_symptom_never_leaves_the_sight_and_an_urgent_one_is_only_taken(
    plain: Conversation, reply: Reply, front_desk: Staff, manager: Staff, now: datetime
) -> None:
    until = now + timedelta(days=1)
    snoozing.snooze(conversation=plain, until=until, by=front_desk, now=now)
    reply(URGENT, at=now + QUARTER)
    paged_at = fresh(plain).page_at
    assert plain.snoozed_until is None and paged_at is not None
    with pytest.raises(ConversationRefused, match="names a symptom"):
        snoozing.snooze(conversation=plain, until=until, by=front_desk, now=now)
    with pytest.raises(ConversationRefused, match="taken by who calls"):
        passing_on.assign(conversation=plain, to=manager, by=front_desk, now=now)
    assert (fresh(plain).page_at, plain.owner) == (paged_at, None)
    with pytest.raises(IntegrityError, match="snoozed_without_symptom"), transaction.atomic():
        Conversation.objects.filter(pk=plain.pk).update(snoozed_until=until)


def test_a_snooze_is_proposed_until_soon_and_the_next_mornings(site: Site) -> None:
    site.zone = "America/New_York"
    friday = datetime(2027, 3, 12, 18, 20, 40, tzinfo=UTC)
    assert snoozing.proposed(site, friday) == [
        datetime(2027, 3, 12, 19, 20, tzinfo=UTC),
        datetime(2027, 3, 13, 14, tzinfo=UTC),
        datetime(2027, 3, 15, 13, tzinfo=UTC),  # the clocks went forward meanwhile
    ]
    assert len(snoozing.proposed(site, friday + timedelta(days=2))) == 2
