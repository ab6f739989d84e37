"""Writing to who is due: who gets what, who nothing and why, once, held, and taken back."""

import re
from datetime import date, datetime, timedelta
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from appointments.lifecycle import State
from appointments.models import RecallAttempt, TreatmentSeries
from appointments.recalling import asking_in_writing, listing
from appointments.recalling.windows import Cause
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Site, Staff
from clinic.wall_time import local
from patients import consent
from patients.models import Patient
from reminders import recall_writing
from reminders.journeys import replanning
from reminders.ledger import skipping
from reminders.models import Conversation, Message, SkipChoice, Suppression
from reminders.recall_writing import HeldBack
from reminders.sending import dispatch
from tests.api import CLOCK, api
from tests.history import a_past_visit
from tests.personas import a_patient
from tests.reminders.ledger import Recorder

pytestmark = [pytest.mark.django_db, CLOCK]

DAY = timedelta(days=1)


@pytest.fixture
def today(site: Site, now: datetime) -> date:
    return local(now, site.zone).date()


@pytest.fixture
def due(patient: Patient, site: Site, house: ProtocolVersion, today: date) -> TreatmentSeries:
    return a_past_visit(patient, site, house, today - 30 * DAY, sessions=3).series


@pytest.fixture
def silent(
    site: Site, house: ProtocolVersion, today: date, front_desk: Staff, now: datetime
) -> TreatmentSeries:
    """Due likewise, but agreed to nothing."""
    ben = a_patient(site, front_desk, now, given="Ben", family="Ode", phone="+12125550177")
    for purpose, channel in list(consent.standing({ben.pk})[ben.pk]):
        consent.withdraw(patient=ben, purpose=purpose, channel=channel, by=front_desk, now=now)
    return a_past_visit(ben, site, house, today - 30 * DAY, sessions=3).series


def planned(patient: Patient, now: datetime) -> list[Message]:
    replanning.sync_stale(now=now)
    return list(Message.objects.filter(patient=patient, kind="session_due", state="scheduled"))


def test_who_is_written_to_gets_one_text_after_the_hold_and_once(
    site: Site, due: TreatmentSeries, silent: TreatmentSeries, front_desk: Staff, now: datetime
) -> None:
    series = {due.pk, silent.pk}
    found = recall_writing.foresee(site=site, series=series, by=front_desk, now=now)
    said = {each.due.series: each.message for each in found}
    text, nothing = said[due], said[silent]
    assert text is not None and nothing is not None
    assert (text.channel, nothing.reason) == ("sms", "no_consent")
    assert "It is time for your next visit" in text.body
    assert all(each.may_call for each in found)

    [attempt] = recall_writing.write(site=site, series=series, by=front_desk, now=now)
    assert (attempt.series, attempt.channel, attempt.cause) == (due, "sms", "next_session")
    [message] = planned(due.patient, now)
    assert message.due_at == now + timedelta(seconds=site.notice_hold_seconds)
    assert any("asked the patient back in writing" in why for why in message.why)
    # On the list again after a week; until then nobody writes twice.
    assert due.pk not in {each.series.pk for each in listing.due_at(site, front_desk, now=now)}
    assert recall_writing.write(site=site, series=series, by=front_desk, now=now) == []
    assert AuditEntry.objects.filter(action="recall.write", by=front_desk).count() == 1


@pytest.mark.parametrize("agrees", [True, False])
def test_who_may_be_called_about_a_touch_up_agreed_to_offers_whatever_holds_the_message_back(
    client: Client,
    agrees: bool,
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    today: date,
    now: datetime,
) -> None:
    """Offers by e-mail only, and that address is closed; or none, and nothing is even planned
    while a visit is to come."""
    series = a_past_visit(patient, site, house, today - 200 * DAY, ended="completed").series
    for channel in ("sms", "email"):
        act = consent.give if agrees and channel == "email" else consent.withdraw
        act(patient=patient, purpose="marketing", channel=channel, by=front_desk, now=now)
    if agrees:
        Suppression.objects.create(
            channel="email", address="elena@patients.example", reason="opted_out", since=now
        )
    else:
        before, to_come = today - 300 * DAY, today + 5 * DAY
        a_past_visit(patient, site, house, to_come, State.BOOKED, booked=before)
    client.force_login(front_desk)
    [found] = recall_writing.foresee(site=site, series={series.pk}, by=front_desk, now=now)
    assert not found.is_sent and found.due.cause == Cause.TOUCH_UP
    assert (found.message is None) != agrees
    assert found.may_call == agrees
    for page in ("/recall/", f"/recall/write/?series={series.pk}"):
        assert ("do not call for this alone" in client.get(page).text) != agrees, page


def test_what_the_gate_would_hold_back_is_foreseen_as_it_then_happens(
    site: Site,
    due: TreatmentSeries,
    silent: TreatmentSeries,
    house: ProtocolVersion,
    front_desk: Staff,
    today: date,
    now: datetime,
) -> None:
    """Of three who share a number the first takes its room, the second waits for some, and of the
    third nobody could be told in time but by mail."""
    people = {"Kim": "", "Lou": "lou@patients.example"}
    family = [due]
    for given, email in people.items():
        one = a_patient(site, front_desk, now, given=given, email=email)
        family.append(a_past_visit(one, site, house, today - 30 * DAY, sessions=3).series)
    series = {each.pk for each in (*family, silent)}
    found = recall_writing.foresee(site=site, series=series, by=front_desk, now=now)
    said = {each.due.series: each for each in found}
    assert [said[each].held_by for each in family] == ["", "too_often", ""]
    assert recall_writing.held_back(found) == [
        HeldBack("too_often", is_sent=True, count=1),
        HeldBack("no_consent", is_sent=False, count=1),
    ]
    recall_writing.write(site=site, series=series, by=front_desk, now=now)
    replanning.sync_stale(now=now)
    later = now + timedelta(seconds=site.notice_hold_seconds)
    dispatch.send_due(now=later, channel=Recorder())
    for each in family:
        message, foreseen = Message.objects.get(series=each, kind="session_due"), said[each].message
        assert foreseen is not None
        is_held = message.state == "scheduled"
        assert message.channel == foreseen.channel
        assert is_held == bool(said[each].held_by) and message.reason == said[each].held_by
        assert not is_held or message.wake_at == foreseen.send_at


def test_nobody_foresees_when_a_conversation_about_a_symptom_is_closed(
    site: Site, due: TreatmentSeries, front_desk: Staff, now: datetime
) -> None:
    Conversation.objects.create(
        site=site,
        patient=due.patient,
        channel="sms",
        address="+12125550123",
        state="new",
        has_symptom=True,
        opened_at=now,
        last_at=now,
    )
    found = recall_writing.foresee(site=site, series={due.pk}, by=front_desk, now=now)
    assert recall_writing.held_back(found) == [HeldBack("in_conversation", False, 1)]


def test_taken_back_nothing_is_sent_and_who_was_told_stays_asked(
    site: Site, due: TreatmentSeries, front_desk: Staff, now: datetime
) -> None:
    made = recall_writing.write(site=site, series={due.pk}, by=front_desk, now=now)
    planned(due.patient, now)
    ids = [attempt.pk for attempt in made]
    rows, told = recall_writing.take_back(attempts=ids, by=front_desk, now=now)
    assert (len(rows), told) == (1, 0)
    assert planned(due.patient, now) == []
    assert recall_writing.take_back(attempts=ids, by=front_desk, now=now) == ([], 0)

    [again] = recall_writing.write(site=site, series={due.pk}, by=front_desk, now=now)
    [message] = planned(due.patient, now)
    Message.objects.filter(pk=message.pk).update(
        state="accepted", claimed_at=now, accepted_at=now, wake_at=None
    )
    rows, told = recall_writing.take_back(attempts=[again.pk], by=front_desk, now=now)
    assert (list(rows), told) == ([], 1)


def test_who_books_meanwhile_is_not_written_to(
    site: Site,
    due: TreatmentSeries,
    house: ProtocolVersion,
    front_desk: Staff,
    today: date,
    now: datetime,
) -> None:
    recall_writing.write(site=site, series={due.pk}, by=front_desk, now=now)
    assert len(planned(due.patient, now)) == 1
    a_past_visit(due.patient, site, house, today + 5 * DAY, State.BOOKED, series=due, session=2)
    Patient.objects.filter(pk=due.patient_id).raise_revision()
    assert planned(due.patient, now) == []


def test_only_who_books_and_manages_messages_writes(
    site: Site, due: TreatmentSeries, provider: Staff, outsider: Staff, now: datetime
) -> None:
    [row] = list(listing.due_at(site, provider, now=now))
    wanted = [asking_in_writing.ToWrite(row, "sms")]
    for staff in (provider, outsider):
        with pytest.raises(Forbidden):
            asking_in_writing.write(site=site, wanted=wanted, by=staff, now=now)


def test_the_database_keeps_what_was_written_whole(
    due: TreatmentSeries, front_desk: Staff, today: date, now: datetime
) -> None:
    row = {"series": due, "at": now, "by": front_desk, "again_on": today + DAY}
    for wrong in ({"outcome": "written"}, {"outcome": "later", "channel": "sms"}):
        with pytest.raises(IntegrityError, match="recall_written_whole"), transaction.atomic():
            RecallAttempt.objects.create(**row, **wrong)


def test_over_the_api(
    site: Site, due: TreatmentSeries, silent: TreatmentSeries, front_desk: Staff, outsider: Staff
) -> None:
    client, path = api(front_desk), "/api/v1/recall-messages/"
    asked = {"site": site.pk, "series": [due.pk, silent.pk]}
    assert [each["is_sent"] for each in client.post(f"{path}preview/", asked).json()] == [
        True,
        False,
    ]
    answer = client.post(path, asked)
    assert answer.status_code == 201
    [made] = answer.json()
    assert api(outsider).post(path, asked).status_code == 404
    answer = client.post(f"{path}take-back/", {"attempts": [made["id"]]})
    assert (len(answer.json()["taken_back"]), answer.json()["told"]) == (1, 0)


def test_the_page_shows_both_lists_and_undoes(
    client: Client,
    due: TreatmentSeries,
    silent: TreatmentSeries,
    front_desk: Staff,
    provider: Staff,
) -> None:
    client.force_login(front_desk)
    assert f'form="write" name="series" value="{due.pk}"' in client.get("/recall/").text
    page = client.get(f"/recall/write/?series={due.pk}&series={silent.pk}&series=x").text
    sent, left = page.split("Get nothing")
    assert "Elena Sato" in sent and "Ben Ode" in left and "not agreed" in left
    assert "<b>1</b> leaves as soon as" in sent and "<b>1</b> is not sent." in sent
    assert not RecallAttempt.objects.exists()
    client.post("/recall/write/", {"series": [due.pk, silent.pk]})
    page = client.get("/recall/").text
    assert "1 patient is written to." in page
    undo = re.search(r'action="(/recall/take-back/[^"]*)"', page)
    assert undo
    client.post(undo[1].replace("&amp;", "&"))
    assert RecallAttempt.objects.get().taken_back_at is not None
    assert client.get("/recall/write/").status_code == 303
    client.force_login(provider)
    assert client.get(f"/recall/write/?series={due.pk}").status_code == 403
    assert "Write to those ticked" not in client.get("/recall/").text


def test_a_skip_from_before_each_asking_had_its_own_still_counts(
    site: Site, due: TreatmentSeries, front_desk: Staff, now: datetime
) -> None:
    recall_writing.write(site=site, series={due.pk}, by=front_desk, now=now)
    [message] = planned(due.patient, now)
    skipping.skip(message=message, by=front_desk, now=now)
    assert planned(due.patient, now) == []
    of_one_asking = SkipChoice.objects.get(series=due)
    kept = of_one_asking.step
    SkipChoice.objects.filter(pk=of_one_asking.pk).update(step="session_due")
    with connection.cursor() as cursor:
        cursor.execute(import_module("reminders.migrations.0024_skips_of_one_asking").OF_ONE_ASKING)
    assert SkipChoice.objects.get(series=due).step == kept
    Patient.objects.filter(pk=due.patient_id).raise_revision()
    assert planned(due.patient, now) == []
