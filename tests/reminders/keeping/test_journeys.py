"""Journeys that ended long ago leave the ledger whole, keep their keys, and are planned no more."""

from datetime import datetime, timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client

from appointments.models import Appointment, TreatmentSeries
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.journeys import replanning
from reminders.keeping import journeys, words
from reminders.ledger import receipts
from reminders.models import ArchivedMessage, Attempt, Message, MessageItem, SentContent
from reminders.sending import dispatch
from tests.api import api
from tests.reminders.ledger import Recorder, a_visit, queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(visit: Appointment, now: datetime) -> list[Message]:
    """A closed journey of which one message was sent and one was skipped."""
    messages = [queued(visit, now=now), queued(visit, now=now, channel=Channel.EMAIL)]
    Message.objects.filter(pk=messages[1].pk).update(
        state=MessageState.SKIPPED, reason="no_consent", wake_at=None, claimed_at=now
    )
    dispatch.send_due(now=now, channel=Recorder())
    TreatmentSeries.objects.update(state="ended", closed_at=now)
    return messages


def over(site: Site, now: datetime) -> datetime:
    return now + timedelta(days=site.words_kept_days, seconds=1)


def archived_at(now: datetime, site: Site) -> datetime:
    """The words go, then the journey."""
    later = over(site, now)
    words.remove(now=later)
    assert journeys.archive(now=later) == 1
    return later


def test_a_journey_moves_whole_once_its_words_are_gone(
    ended: list[Message], site: Site, patient: Patient, now: datetime
) -> None:
    digest = SentContent.objects.get().body_digest
    later = over(site, now)
    assert journeys.archive(now=later) == 0  # the words are still there
    assert words.remove(now=later)["sent"] == 1
    assert journeys.archive(now=later - timedelta(seconds=2)) == 0
    assert [journeys.archive(now=later) for _ in range(2)] == [1, 0]
    for table in (Message, MessageItem, Attempt, SentContent):
        assert not table.objects.exists()
    rows = {each.key: each for each in ArchivedMessage.objects.all()}
    assert rows.keys() == {each.key for each in ended}
    sent, skipped = (rows[each.key] for each in ended)
    assert (sent.state, sent.reference, sent.patient) == ("accepted", ended[0].reference, patient)
    assert sent.whole["attempts"][0]["outcome"] == "accepted"
    assert sent.whole["items"][0]["step"] == Kind.BOOKING_CONFIRMED
    assert (sent.whole["content"]["body_digest"], sent.whole["content"]["text"]) == (digest, "")
    assert (skipped.reason, skipped.whole["content"]) == ("no_consent", None)


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("state", ["scheduled", "submitting", "unknown"])
def test_what_is_not_at_rest_keeps_its_journey(site: Site, now: datetime, state: str) -> None:
    later = over(site, now)
    words.remove(now=later)
    Message.objects.filter(reason="no_consent").update(
        state=state, wake_at=later, claim_token=UUID(int=1), leased_until=later
    )
    assert journeys.archive(now=later) == 0


@pytest.mark.usefixtures("ended")
def test_an_archived_journey_is_planned_no_more_and_others_are(
    site: Site, patient: Patient, protocol: ProtocolVersion, now: datetime
) -> None:
    later = archived_at(now, site)
    visit = a_visit(patient, site, protocol, now=later)
    Patient.objects.filter(pk=patient.pk).raise_revision()
    replanning.sync_stale(now=later)
    assert Message.objects.exists()
    assert set(Message.objects.values_list("series", flat=True)) == {visit.series_id}
    assert not replanning.differences([patient.pk])


def test_a_report_that_comes_years_late_changes_nothing(
    ended: list[Message], site: Site, now: datetime
) -> None:
    later = archived_at(now, site)
    assert not receipts.record(
        provider="twilio",
        reference=ended[0].reference,
        event_key="late",
        status="delivered",
        code="",
        now=later,
    )
    assert ArchivedMessage.objects.get(reference=ended[0].reference).state == "accepted"


@pytest.mark.usefixtures("ended")
def test_keys_stay_unique_and_only_what_is_at_rest_is_archived(site: Site, now: datetime) -> None:
    archived_at(now, site)
    row = ArchivedMessage.objects.order_by("pk")[0]
    with pytest.raises(IntegrityError, match="archived_at_rest"), transaction.atomic():
        ArchivedMessage.objects.update(state="scheduled")
    for twice in ({"reference": UUID(int=7)}, {"key": "another"}):
        row.pk = None
        for name, value in twice.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError, match="unique"), transaction.atomic():
            row.save(force_insert=True)
        row = ArchivedMessage.objects.order_by("pk")[0]


@pytest.mark.usefixtures("ended")
def test_staff_of_the_patient_read_the_archive_and_nobody_else_does(
    client: Client, site: Site, patient: Patient, front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    archived_at(now, site)
    page = f"/patients/{patient.pk}/archive/"
    assert client.get(page).status_code == 302
    client.force_login(front_desk)
    text = client.get(page).content.decode()
    assert "has not agreed to this kind of message" in text and "Elena Sato" in text
    assert "2 archived messages" in client.get(f"/patients/{patient.pk}/").content.decode()
    client.force_login(outsider)
    assert client.get(page).status_code == 404


def test_programs_of_the_patients_staff_read_the_archive_and_no_others_do(
    ended: list[Message], site: Site, front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    archived_at(now, site)
    archive = "/api/v1/archived-messages/"
    listed = api(front_desk).get(f"{archive}?series={ended[0].series_id}&site={site.pk}").json()
    by_state = {each["state"]: each for each in listed["results"]}
    assert by_state.keys() == {"accepted", "skipped"}
    sent = f"{archive}{by_state['accepted']['id']}/"
    read = api(front_desk).get(sent).json()
    assert read["message"] == ended[0].pk
    assert [each["outcome"] for each in read["attempts"]] == ["accepted"]
    assert len(read["body_digest"]) == 64
    for method in ("post", "patch", "delete"):
        assert getattr(api(front_desk), method)(sent).status_code == 405
    assert api(outsider).get(archive).json()["count"] == 0
    assert api(outsider).get(sent).status_code == 404
    assert api(None).get(sent).status_code == 401


@pytest.mark.usefixtures("ended")
def test_the_command_counts_and_then_moves(now: datetime) -> None:
    long_ago = now - timedelta(days=9000)
    TreatmentSeries.objects.update(booked_at=long_ago, closed_at=long_ago)
    SentContent.objects.update(
        address="", subject="", text="", html="", calendar="", emptied_at=now
    )

    def run(*arguments: str) -> str:
        written = StringIO()
        call_command("archive_journeys", *arguments, stdout=written)
        return written.getvalue()

    assert run("--dry-run") == "1 journeys would be archived.\n"
    assert run() == "1 journeys archived.\n"
