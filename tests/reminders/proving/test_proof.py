"""The proof is clean on a house in order, and each check finds the one fault that it is for."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from appointments.charting.log import canonical, digest
from appointments.lifecycle import Move
from appointments.models import (
    Addendum,
    Allocation,
    Appointment,
    StatusChange,
    TreatmentRecord,
)
from appointments.visits import history
from clinic import audit
from clinic.models import Resource, Staff
from patients import registration
from patients.models import Patient
from reminders.journeys import replanning
from reminders.ledger import receipts
from reminders.models import (
    Message,
    SentContent,
    Suppression,
    SuppressionReason,
    SuppressionSource,
)
from reminders.proving import proof
from reminders.proving.checks import MOST_NAMED
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(
    visit: Appointment, patient: Patient, treatment_provider: Resource, now: datetime
) -> Message:
    """A booked visit with its place, of which the patient was told by text and by e-mail."""
    for resource in (patient.resource, treatment_provider):
        Allocation.objects.create(
            appointment=visit, resource=resource, starts_at=visit.starts_at, ends_at=visit.ends_at
        )
    history.begin([visit], by=None, now=now)
    replanning.sync_stale(now=now)
    dispatch.send_due(now=now + timedelta(minutes=10), channel=Recorder())
    return Message.objects.filter(state="accepted", channel="sms").get()


def faults(now: datetime) -> dict[str, tuple[str, ...]]:
    """What the proof names a little later, by check."""
    found = proof.prove(now=now + timedelta(minutes=20))
    return {check.name: finding.named for check, finding in found if finding.faults}


@pytest.mark.usefixtures("told")
def test_a_house_in_order_has_no_faults(now: datetime) -> None:
    assert Message.objects.filter(state="scheduled", wake_at__isnull=False).count() >= 2
    assert faults(now) == {}


WAITING = (
    "(SELECT min(id) FROM reminders_message WHERE state = 'scheduled' AND wake_at IS NOT NULL)"
)
SENT = "(SELECT min(id) FROM reminders_message WHERE state = 'accepted')"
TAKEN_AGAIN = f"""
        INSERT INTO reminders_attempt (message_id, number, started_at, ended_at, outcome, code)
        SELECT message_id, 2, started_at + interval '1 min', ended_at, outcome, code
          FROM reminders_attempt WHERE message_id = {SENT}"""
WORDS_LOST = f"DELETE FROM reminders_sentcontent WHERE message_id = {SENT}"


def moved_before_it_was_sent() -> None:
    first = StatusChange.objects.get()
    StatusChange.objects.create(
        appointment=first.appointment,
        at=first.at + timedelta(minutes=1),
        move=Move.MOVE,
        state_before=first.state_after,
        state_after=first.state_after,
        starts_before=first.starts_after,
        starts_after=first.starts_after + timedelta(days=1),
        ends_before=first.appointment.ends_at,
    )


def suppressed_before_it_was_sent() -> None:
    content = SentContent.objects.get(message__channel="sms")
    Suppression.objects.create(
        channel="sms",
        address=content.address,
        reason=SuppressionReason.OPTED_OUT,
        source=SuppressionSource.REPLY,
        since=content.at - timedelta(hours=1),
    )


def signed(*, audited: bool) -> TreatmentRecord:
    """A signed record of the visit that is whole but for its audit entry, if so."""
    visit, staff = Appointment.objects.get(), Staff.objects.order_by("pk")[0]
    at = visit.booked_at
    said = {
        "log": {},
        "visit": visit.pk,
        "signed_at": at.isoformat(),
        "signed_by": {"id": staff.pk},
    }
    record = TreatmentRecord.objects.create(
        appointment=visit,
        protocol_version=visit.protocol_version,
        outcome="completed",
        created_at=at,
        saved_at=at,
        drafted_by=staff,
        signed_at=at,
        signed_by=staff,
        statement=canonical(said),
        digest=digest(canonical(said)),
    )
    if audited:
        after = {"digest": record.digest}
        audit.record(action="record.sign", subject=record, by=staff, now=at, after=after)
    return record


def signed_without_a_trace() -> None:
    signed(audited=False)


def addendum_upon_nothing() -> None:
    record = signed(audited=True)
    said = {"corrections": {}, "reason": "Late", "text": "Pain 3", "upon": "0" * 64}
    Addendum.objects.create(
        record=record,
        number=1,
        at=record.saved_at,
        by=record.drafted_by,
        reason="Late",
        text="Pain 3",
        statement=canonical(said),
        digest=digest(canonical(said)),
    )


BREAKS: dict[str, str | Callable[[], None]] = {
    "overlaps": """
        SET CONSTRAINTS ALL IMMEDIATE;
        ALTER TABLE appointments_allocation DROP CONSTRAINT allocation_no_overlap;
        INSERT INTO appointments_allocation
               (resource_id, appointment_id, starts_at, ends_at, active, is_deliberate)
        SELECT resource_id, appointment_id, starts_at + interval '80 min',
               ends_at + interval '1 day' - interval '90 min', true, false
          FROM appointments_allocation LIMIT 1""",
    "places": "UPDATE appointments_allocation SET active = false",
    "given_back": "UPDATE appointments_appointment SET state = 'cancelled', closed_at = now()",
    "accepted_once": TAKEN_AGAIN,
    "not_again": f"""
        UPDATE reminders_message SET state = 'scheduled', wake_at = expires_at - interval '1 min'
         WHERE id = {SENT}""",
    "said_once": f"""
        DROP INDEX message_item_said_once;
        UPDATE reminders_message SET state = 'sent', accepted_at = now(), wake_at = NULL
         WHERE id = {WAITING};
        UPDATE reminders_messageitem AS item
           SET anchor = said.anchor, step = said.step, channel = said.channel,
               schedule_version = said.schedule_version
          FROM reminders_messageitem AS said
         WHERE said.message_id = {SENT}
           AND item.message_id = (SELECT id FROM reminders_message WHERE state = 'sent')""",
    "true_when_sent": moved_before_it_was_sent,
    "consent": """
        UPDATE patients_contactconsent SET closed_at = opened_at, closed_source = 'phone'
         WHERE purpose = 'care' AND channel = 'sms'""",
    "suppression": suppressed_before_it_was_sent,
    "death": """
        UPDATE patients_patient SET deceased_at = (
               SELECT min(started_at) - interval '1 hour' FROM reminders_attempt)""",
    "in_time": f"""
        UPDATE reminders_attempt SET started_at = (
               SELECT expires_at + interval '1 min' FROM reminders_message WHERE id = {SENT})
         WHERE message_id = {SENT}""",
    "quiet_hours": f"""
        UPDATE reminders_message SET priority = 1 WHERE id = {SENT};
        UPDATE reminders_attempt SET started_at = started_at + interval '14 hours'""",
    "expired": f"""
        UPDATE reminders_message
           SET due_at = created_at - interval '2 h', expires_at = created_at - interval '1 h'
         WHERE id = {WAITING}""",
    "asleep": f"""
        UPDATE reminders_message SET wake_at = NULL WHERE id = {WAITING}""",
    "overdue": f"""
        UPDATE reminders_message SET wake_at = created_at - interval '1 h' WHERE id = {WAITING}""",
    "claims": f"""
        UPDATE reminders_message
           SET state = 'submitting', claim_token = gen_random_uuid(), leased_until = created_at
         WHERE id = {WAITING}""",
    "attempts": "UPDATE reminders_attempt SET ended_at = NULL",
    "unknowns": f"""
        UPDATE reminders_message
           SET state = 'unknown', claimed_at = claimed_at - interval '2 h'
         WHERE id = {SENT}""",
    "held": """
        INSERT INTO reminders_heldreport (way, said, received_at, tries, next_at, fault)
        SELECT 'reply', '{}', created_at - interval '1 h', 1, created_at, 'LookupError'
          FROM reminders_message LIMIT 1""",
    "visits": f"""
        UPDATE reminders_messageitem SET anchor = 'visit:0' WHERE message_id = {SENT}""",
    "items": f"DELETE FROM reminders_messageitem WHERE message_id = {WAITING}",
    "unaltered": "UPDATE reminders_sentcontent SET text = text || '.'",
    "words": WORDS_LOST,
    "removed": "UPDATE reminders_sentcontent SET at = at - interval '8 years'",
    "kept": """
        UPDATE reminders_sentcontent
           SET address = '', subject = '', text = '', html = '', calendar = '', emptied_at = at""",
    "signed_records": signed_without_a_trace,
    "addenda": addendum_upon_nothing,
    "archived": """
        INSERT INTO reminders_archivedjourney (series_id, at)
        SELECT DISTINCT series_id, now() FROM reminders_message WHERE series_id IS NOT NULL""",
    "plan": f"UPDATE reminders_message SET due_at = due_at - interval '1 h' WHERE id = {WAITING}",
}
# What is wrong with the ledger is often also not as planned.
ALSO = {"plan"}


def test_every_check_is_tried() -> None:
    assert BREAKS.keys() == {check.name for check in proof.CHECKS}


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("check", BREAKS)
def test_a_check_finds_the_fault_that_it_is_for(
    check: str, as_owner: Callable[[str], None], now: datetime
) -> None:
    broken = BREAKS[check]
    if isinstance(broken, str):
        as_owner(broken)
    else:
        broken()
    found = faults(now)
    assert found.keys() - ALSO == {check} - ALSO
    assert found[check]


@pytest.mark.parametrize(
    ("status", "code", "is_fault"), [("undelivered", "30003", False), ("delivered", "", True)]
)
def test_a_repetition_is_a_fault_unless_the_first_was_reported_lost(
    told: Message,
    as_owner: Callable[[str], None],
    now: datetime,
    status: str,
    code: str,
    is_fault: bool,
) -> None:
    receipts.record(
        provider="twilio",
        reference=told.reference,
        event_key="reported",
        status=status,
        code=code,
        now=now + timedelta(minutes=10, seconds=30),
    )
    as_owner(TAKEN_AGAIN.replace(SENT, str(told.pk)))
    assert ("accepted_once" in faults(now)) == is_fault


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("check", "broken"),
    [
        (
            "asleep",
            f"UPDATE reminders_message SET wake_at = expires_at + interval '1 d'"
            f" WHERE id = {WAITING}",
        ),
        (
            "claims",
            "UPDATE reminders_message SET state = 'submitting', claim_token = gen_random_uuid(),"
            " claimed_at = created_at + interval '1 d', leased_until = created_at + interval '1 d'"
            f" WHERE id = {WAITING}",
        ),
        (
            "visits",
            f"UPDATE reminders_messageitem SET anchor = 'series:0' WHERE message_id = {SENT}",
        ),
        (
            "visits",
            f"UPDATE reminders_messageitem SET anchor = 'invitation:0' WHERE message_id = {SENT}",
        ),
    ],
)
def test_a_check_finds_every_shape_of_its_fault(
    check: str, broken: str, as_owner: Callable[[str], None], now: datetime
) -> None:
    as_owner(broken)
    assert faults(now).keys() - ALSO == {check}


@pytest.mark.usefixtures("told")
def test_what_came_before_a_change_of_the_record_is_not_held_against_the_record_of_today(
    patient: Patient, front_desk: Staff, as_owner: Callable[[str], None], now: datetime
) -> None:
    later = now + timedelta(hours=15)
    as_owner(str(BREAKS["quiet_hours"]))
    assert "quiet_hours" in faults(later)
    registration.change(
        patient=patient,
        zone="America/Denver",
        by=front_desk,
        now=later,
        expected_version=patient.version,
    )
    assert "quiet_hours" not in faults(later)


def test_many_faults_are_counted_and_the_first_are_named(
    told: Message, as_owner: Callable[[str], None], now: datetime
) -> None:
    as_owner(
        f"""INSERT INTO reminders_attempt
                   (message_id, number, started_at, ended_at, outcome, code)
            SELECT {told.pk}, number, now(), NULL, '', ''
              FROM generate_series(2, {MOST_NAMED + 6}) AS number"""
    )
    later = now + timedelta(days=20000)
    found = {check.name: finding for check, finding in proof.prove(now=later)}["attempts"]
    assert found.faults == MOST_NAMED + 5
    assert len(found.named) == MOST_NAMED


@pytest.mark.usefixtures("told")
def test_the_command_names_the_rows_and_fails(as_owner: Callable[[str], None]) -> None:
    as_owner(WORDS_LOST)
    as_owner("UPDATE reminders_message SET accepted_at = now() WHERE accepted_at IS NOT NULL")
    written = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("prove", json=True, stdout=written)
    assert ended.value.code == 1
    by_name = {row["check"]: row for row in json.loads(written.getvalue())}
    assert by_name["words"]["faults"] == 1
    assert by_name["words"]["named"][0].startswith("message ")
    assert by_name["overlaps"] == {
        "check": "overlaps",
        "holds": "No resource is held twice at one time.",
        "faults": 0,
        "named": [],
    }
    text = StringIO()
    with pytest.raises(SystemExit):
        call_command("prove", stdout=text)
    assert "words: message " in text.getvalue()


def test_the_command_is_content_with_an_empty_house() -> None:
    written = StringIO()
    call_command("prove", stdout=written)
    assert "No resource is held twice" in written.getvalue()
