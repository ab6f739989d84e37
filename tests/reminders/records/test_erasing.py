"""Erasing: what goes, what the law keeps, and that every promise still holds of what remains."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from appointments.lifecycle import State
from appointments.models import Appointment, ImportRow
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Site, Staff
from patients import consent, registration, telling_apart
from patients.models import Patient, RecordMerge, ToldApart
from reminders.catalogue import Channel, MessageState
from reminders.journeys import recipients
from reminders.ledger import addresses, opting_out
from reminders.models import (
    Conversation,
    InboundMessage,
    SentContent,
    Suppression,
    SuppressionSource,
)
from reminders.records import ending, erasing, lasting
from reminders.records.erasing import EraseRefused
from tests.personas import a_patient
from tests.reminders.ledger import a_visit, queued
from tests.reminders.records.rows import Furnisher
from tests.reminders.records.test_merging import broken

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# So long ago that the database lets the record go when its time is over.
LAST = datetime(2022, 2, 13, 14, tzinfo=UTC)
PHONE = "+12125550123"


@pytest.fixture
def treated(patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime) -> Appointment:
    """A visit that is long over, with a text that was sent and a reply."""
    visit = a_visit(patient, site, protocol, now=LAST - 30 * DAY, starts_at=LAST)
    visit.state, visit.done_at = State.DONE, visit.ends_at
    visit.save()
    sent = queued(visit, now=now - 3 * DAY)
    sent.state, sent.accepted_at, sent.wake_at = MessageState.ACCEPTED, now - 3 * DAY, None
    sent.save()
    SentContent.objects.create(message=sent, address=PHONE, text="Hi Elena", at=now - 3 * DAY)
    talk = Conversation.objects.create(
        site=site, channel="sms", address=PHONE, patient=patient, state="closed",
        opened_at=now, last_at=now, closed_at=now,
    )  # fmt: skip
    InboundMessage.objects.create(
        conversation=talk, provider="twilio", provider_id="SM9", received_at=now, text="Elena here"
    )
    patient.notes, patient.preferred_name = "Likes tea", "Leni"
    patient.save()
    return visit


def erased(patient: Patient, by: Staff, now: datetime) -> erasing.Statement:
    return erasing.erase(
        patient=patient, typed=f"Erase {patient.pk}", reason="By letter", by=by, now=now
    )


def _other_traces(patient: Patient, site: Site, by: Staff, now: datetime) -> None:
    """A row of a former system's file, and a merge that was taken back."""
    rows = Furnisher(patient, site=site, staff=by, now=now)
    row = rows.row(ImportRow)
    row.person, row.person_key, row.waits = {"given": "Elena"}, "k", True
    row.save()
    RecordMerge.objects.create(
        kept=patient, gone=a_patient(site, by, now, given="Elna", phone="", email=""), at=now,
        by=by, reason="Elena twice", manifest={"changed": ["Elena"]}, undo_until=now + DAY,
        undone_at=now, undone_by=by,
    )  # fmt: skip


def test_words_and_ways_go_and_the_treatment_record_stays(
    treated: Appointment, patient: Patient, site: Site, manager: Staff, now: datetime
) -> None:
    before = erasing.statement(patient=patient, by=manager, now=now)
    assert before.kept_until == date(2032, 2, 13) and not before.conflicts
    assert dict(before.erased)["messages’ words"] == 1 and dict(before.erased)["replies"] == 1
    assert any("treatment record" in what for what, _ in (each for each in lowered(before)))
    _other_traces(patient, site, manager, now)
    erased(patient, manager, now)
    patient.refresh_from_db()
    assert (patient.legal_family, patient.notes, patient.preferred_name) == ("Sato", "", "")
    assert patient.kept_until == date(2032, 2, 13)
    content = SentContent.objects.get()
    assert (content.text, content.address) == ("", "") and content.emptied_at
    assert InboundMessage.objects.get().text == ""
    assert not patient.contact_points.exclude(value="").exists()
    assert Appointment.objects.filter(pk=treated.pk).exists()
    assert PHONE not in str(list(Conversation.objects.values()))
    assert not broken(now)
    row = ImportRow.objects.get()
    assert (row.outcome, row.person_key, row.waits) == ("error", "", False)
    assert "Elena" not in str(list(ImportRow.objects.values())) + str(
        list(RecordMerge.objects.values())
    )
    # Not before its day, and then the name too.
    ending.finish(now=now)
    assert Patient.objects.get(pk=patient.pk).legal_family == "Sato"
    later = datetime(2032, 2, 13, 12, tzinfo=UTC)
    assert ending.finish(now=later) == 1 and ending.finish(now=later) == 0
    patient.refresh_from_db()
    assert (patient.legal_given, patient.birth_date) == ("Erased", date(1900, 1, 1))
    assert AuditEntry.objects.filter(action="patient.erase_rest").count() == 1


def lowered(found: erasing.Statement) -> list[tuple[str, str]]:
    return [(what.lower(), why) for what, why in found.kept]


def test_who_was_never_treated_is_erased_whole(
    patient: Patient, site: Site, manager: Staff, now: datetime
) -> None:
    twin = a_patient(site, manager, now, given="Ben", phone="+12125550177", email="")
    telling_apart.tell_apart(patient=twin, other=patient, by=manager, now=now)
    after = erased(patient, manager, now)
    assert not ToldApart.objects.exists()
    patient.refresh_from_db()
    assert after.kept_until is None and patient.legal_given == "Erased"
    assert patient.search_key.strip() == ""
    with pytest.raises(EraseRefused, match="erased"):
        erased(patient, manager, now)
    # And nothing is written into it any more.
    with pytest.raises(Forbidden, match="erased"):
        registration.change(
            patient=patient, expected_version=1, by=manager, now=now, phone="+12125550177"
        )
    with pytest.raises(Forbidden, match="erased"):
        consent.give(patient=patient, purpose="care", channel="sms", by=manager, now=now)


@pytest.mark.parametrize(
    ("ended_at", "until"),
    [
        (datetime(2022, 2, 14, 2, tzinfo=UTC), date(2032, 2, 13)),  # the evening before
        (datetime(2024, 2, 29, 16, tzinfo=UTC), date(2034, 3, 1)),
    ],
)
def test_years_are_counted_from_the_day_of_the_clinic_until_it_has_begun_everywhere(
    patient: Patient,
    site: Site,
    other_site: Site,
    protocol: ProtocolVersion,
    ended_at: datetime,
    until: date,
) -> None:
    for where, days in ((site, 60), (other_site, 30), (site, 0)):
        last = ended_at - days * DAY
        visit = a_visit(patient, where, protocol, now=last - DAY, starts_at=last - DAY / 16)
        visit.state, visit.done_at = State.DONE, last
        visit.save()
    begun = datetime.combine(until, time(12), UTC)
    assert lasting.until([patient.pk], now=begun - timedelta(seconds=1)) == until
    assert lasting.until([patient.pk], now=begun) is None


def test_when_it_was_erased_is_a_day_of_the_clinic(
    treated: Appointment, patient: Patient, manager: Staff, now: datetime
) -> None:
    evening = now.replace(hour=23) + timedelta(hours=3)  # the day after in UTC, not in New York
    erased(patient, manager, evening)
    patient.refresh_from_db()
    found = erasing.statement(patient=patient, by=manager, now=evening)
    assert found.conflicts[0] == f"This record was erased on {now:%a} {now.day} {now:%b}."


def test_a_stop_outlives_the_record_without_its_number(
    patient: Patient, manager: Staff, front_desk: Staff, site: Site, now: datetime
) -> None:
    opting_out.opt_out(
        channel=Channel.SMS, address=PHONE, source=SuppressionSource.REPLY, by=None, now=now
    )
    erased(patient, manager, now)
    assert Suppression.objects.get().address == addresses.digest(PHONE) != PHONE
    again = a_patient(site, front_desk, now + DAY, given="Noor", phone=PHONE, email="")
    found = recipients.at_site(again, site, now=now + DAY)[Channel.SMS]
    assert found.suppressed == "opted_out"
    assert opting_out.opt_in(
        channel=Channel.SMS, address=PHONE, source=SuppressionSource.REPLY, by=None, now=now + DAY
    )


def test_a_number_that_others_share_stays_theirs(
    patient: Patient, manager: Staff, front_desk: Staff, site: Site, now: datetime
) -> None:
    a_patient(site, front_desk, now, given="Noor", phone=PHONE, email="")
    opting_out.opt_out(
        channel=Channel.SMS, address=PHONE, source=SuppressionSource.REPLY, by=None, now=now
    )
    erased(patient, manager, now)
    assert Suppression.objects.get().address == PHONE


def test_nothing_is_erased_by_a_slip_or_by_others(
    patient: Patient, site: Site, protocol: ProtocolVersion, manager: Staff, front_desk: Staff,
    outsider: Staff, now: datetime,
) -> None:  # fmt: skip
    def act(**more: Any) -> None:
        asked: dict[str, Any] = {
            "typed": f"erase {patient.pk}",
            "reason": "By letter",
            "by": manager,
        } | more
        erasing.erase(patient=patient, now=now, **asked)

    for stranger in (front_desk, outsider):
        with pytest.raises(Forbidden):
            act(by=stranger)
    with pytest.raises(EraseRefused, match="Type"):
        act(typed="erase")
    with pytest.raises(EraseRefused, match="who asked"):
        act(reason=" ")
    a_visit(patient, site, protocol, now=now)
    with pytest.raises(EraseRefused, match="Cancel or complete"):
        act()
    patient.refresh_from_db()
    assert patient.erased_at is None


def test_of_a_minor_it_is_kept_as_long_after_they_are_of_age(
    treated: Appointment, patient: Patient, manager: Staff, now: datetime
) -> None:
    Patient.objects.update(birth_date=date(2012, 2, 29))
    patient.refresh_from_db()
    found = erasing.statement(patient=patient, by=manager, now=now)
    assert found.kept_until == date(2040, 3, 1)
