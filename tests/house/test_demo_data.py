"""The clinic of the demo, built small: some of its patients and weeks."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.apps import apps as django_apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from appointments.charting import checking
from appointments.charting.checking import Wear
from appointments.lifecycle import State
from appointments.models import (
    Appointment,
    Photo,
    Phrase,
    StatusChange,
    Task,
    TreatmentSeries,
    WaitlistEntry,
)
from clinic import on_call
from clinic.models import Closure, ConsentForm, ProtocolVersion, Site, Staff
from clinic.protocols import reading
from clinic.protocols.loading import LIBRARY
from clinic.wall_time import local
from config import demo_data
from config.demo_data import house, records
from config.demo_data.diary import Diary
from patients.models import ContactPoint, Patient, SignedForm
from reminders.catalogue import Kind, MessageState
from reminders.models import Conversation, ConversationState, Message, Receipt, SentContent
from reminders.proving.proof import prove
from reminders.sending import dispatch
from reminders.stand_in.modes import NUMBER_ENDINGS
from tests.personas import open_site
from tests.reminders.ledger import Recorder

pytestmark = pytest.mark.django_db

# A Wednesday, late afternoon in New York and early in Los Angeles.
NOON = datetime(2027, 2, 17, 21, 20, tzinfo=UTC)
NIGHT = NOON.replace(hour=9)
SUNDAY = NOON + timedelta(days=4)


@pytest.fixture(autouse=True)
def private_root(settings: Any, tmp_path: Path) -> None:
    settings.PRIVATE_ROOT = tmp_path


@pytest.fixture
def new_tables(as_owner: Callable[[str], None]) -> Callable[[], None]:
    """As on a new database, and again when called; ids begin at 1. Where many rows were rolled
    back, PostgreSQL takes the tables for empty and reads them whole for every query."""
    apps = ("clinic", "patients", "appointments", "reminders")
    models = (model for app in apps for model in django_apps.get_app_config(app).get_models())
    tables = ", ".join(model._meta.db_table for model in models)

    def empty() -> None:
        as_owner(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")

    empty()
    return empty


def build(now: datetime, *, count: int = 30, weeks_back: int = 1) -> None:
    demo_data.build(now=now, count=count, weeks_back=weeks_back)


def today(site: Site, now: datetime) -> list[Appointment]:
    day = local(now, site.zone).date()
    visits = Appointment.objects.filter(site=site).order_by("starts_at")
    return [visit for visit in visits if local(visit.starts_at, site.zone).date() == day]


def snapshot() -> list[object]:
    """What must be the same for the same seed."""
    return [
        list(Patient.objects.order_by("pk").values_list("legal_given", "legal_family", "zone")),
        list(Appointment.objects.order_by("pk").values_list("starts_at", "state", "session")),
        sorted(Message.objects.values_list("kind", "channel", "due_at", "state", "reason")),
        sorted(StatusChange.objects.values_list("at", "move")),
    ]


@pytest.mark.usefixtures("new_tables")
def test_in_the_afternoon_everything_is_there() -> None:
    build(NOON, count=60, weeks_back=6)
    assert set(Appointment.objects.values_list("state", flat=True)) == {*State}
    assert set(TreatmentSeries.objects.values_list("state", flat=True)) == {
        "open",
        "completed",
        "ended",
    }
    booked = set(TreatmentSeries.objects.values_list("protocol_version__protocol", flat=True))
    assert len(booked) >= 8
    approved = ProtocolVersion.objects.filter(status="approved")
    assert approved.count() == 11
    assert approved.filter(kind="series", is_demo=False).count() == 0
    states = Counter(Message.objects.values_list("state", flat=True))
    for state in ("delivered", "accepted", "skipped", "withdrawn", "scheduled", "failed"):
        assert states[state], state
    assert states["unknown"] == 1
    assert not states["submitting"]
    assert 0 < Task.objects.open().filter(due_at__lte=NOON).count() < 40
    assert Staff.objects.count() == 8
    for site in Site.objects.all():
        visits = today(site, NOON)
        assert 10 <= len(visits) <= 20
        assert len({visit.state for visit in visits}) >= 4
        assert WaitlistEntry.objects.filter(site=site, closed_at=None).count() >= 3
        assert Phrase.objects.filter(site=site).count() >= 5
    check_no_overlap()
    check_replies()
    check_history()
    check_addresses()
    check_texts_name_no_treatment()
    check_forms_and_photos()
    assert [(check.name, found) for check, found in prove(now=NOON) if found.faults] == []


def check_no_overlap() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM appointments_allocation a JOIN appointments_allocation b
               ON a.resource_id = b.resource_id AND a.id < b.id AND a.during && b.during
               WHERE a.active AND b.active"""
        )
        assert cursor.fetchone() == (0,)


def check_replies() -> None:
    """The inbox of each site is alive; on call was paged for what is urgent, and nobody has it."""
    assert set(Conversation.objects.values_list("state", flat=True)) == {*ConversationState}
    urgent = Conversation.objects.get(state=ConversationState.ESCALATED)
    assert (urgent.pages, urgent.owner) == (1, None)
    pages = Message.objects.filter(kind=Kind.ON_CALL)
    assert [(each.to_address, each.state) for each in pages] == [("+16465550100", "delivered")]
    for site in Site.objects.all():
        assert Conversation.objects.open().filter(site=site).count() >= 3
        assert len(on_call.at(site, NOON)) == len(on_call.at(site, NOON + timedelta(days=8))) == 1


def check_history() -> None:
    """What was sent has its words, its attempt and, for a text, its receipts; nothing was sent
    before it was due or is dated after now."""
    sent = Message.objects.filter(accepted_at__isnull=False)
    assert SentContent.objects.filter(message__in=sent).count() == sent.count()
    assert Receipt.objects.filter(status="delivered").count() == (
        Message.objects.filter(state=MessageState.DELIVERED).count()
    )
    for message in sent:
        assert message.accepted_at is not None
        assert message.due_at <= message.accepted_at <= NOON + timedelta(minutes=1)
        assert message.created_at <= message.accepted_at
    assert not StatusChange.objects.filter(at__gt=NOON).exists()


def check_addresses() -> None:
    phones = ContactPoint.objects.filter(kind="phone").values_list("value", flat=True)
    assert all(re.fullmatch(r"\+1\d{3}55501\d\d", phone) for phone in phones)
    assert not {phone[-4:] for phone in phones} & set(NUMBER_ENDINGS)
    assert max(Counter(phones).values()) == 2
    emails = ContactPoint.objects.filter(kind="email").values_list("value", flat=True)
    assert all(email.endswith(".example") for email in emails)


def check_texts_name_no_treatment() -> None:
    names = {
        name.lower()
        for version in ProtocolVersion.objects.all()
        for name in version.document["name"].values()
    }
    texts = SentContent.objects.filter(message__channel="sms").values_list("text", flat=True)
    assert texts
    assert not [text for text in texts if any(name in text.lower() for name in names)]


def check_forms_and_photos() -> None:
    assert SignedForm.objects.filter(form__purpose="treatment").count() > 3
    assert ConsentForm.objects.get(protocol="ipl").state == "draft"
    photos = Photo.objects.standing()
    assert photos.exists() and all(photo.appointment_id for photo in photos)


def test_nobody_is_booked_on_a_holiday_but_for_one_that_is_today() -> None:
    christmas, before = date(2027, 12, 25), datetime(2027, 11, 25, 17, tzinfo=UTC)
    built = house.furnish(since=before - timedelta(weeks=2), now=before)
    closed = Closure.objects.filter(site=built.places["harbour"].site).values_list("first_day")
    assert {(christmas,), (date(2028, 1, 1),), (date(2027, 12, 31),)} <= set(closed)
    # Thanksgiving is the day that is shown.
    assert built.places["harbour"].open_on(before.date()) is not None
    assert (before.date(),) not in set(closed)

    def place(on: date) -> object:
        protocol = built.protocol("rf_microneedling")
        return Diary(built).place(
            slug="harbour", protocol=protocol, areas=["face"], person=1, on=on, near=720
        )

    assert place(christmas) is None and place(christmas - timedelta(days=1)) is not None


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.toml")), ids=lambda path: path.stem)
def test_logs_hold_what_is_usual_and_vary_by_a_step(path: Path) -> None:
    protocol = reading.read(path.read_text(encoding="utf-8"), filename=path.name)
    areas, dice = list(protocol.applicability.areas)[:2], Random(7)
    day = date(2027, 2, 17)
    for series in (1, 2):
        logs = [records.imagined(protocol, areas, dice, series=series) for _ in range(12)]
        for log in logs:
            assert checking.findings(protocol, log, areas=areas, day=day, wear=Wear()) == ()
            assert log.session.get("wavelength") in (None, 1064, 1320, "1550 nm", "1927 nm")
        told = [dict(log.values()) for log in logs]
        for name in told[0]:
            assert len({each[name] for each in told}) <= 3, name
    if protocol.id == "laser_nonablative":
        fluences = {
            log.zones[area]["fluence"]
            for series in range(40)
            for log in (records.imagined(protocol, areas, dice, series=series),)
            for area in areas
        }
        assert len(fluences) > 4 and fluences <= {each / 2 for each in range(26, 37)}


def test_at_night_the_same_seed_gives_the_same_clinic(new_tables: Callable[[], None]) -> None:
    before = transaction.savepoint()
    build(NIGHT)
    first = snapshot()
    transaction.savepoint_rollback(before)
    # Where a patient's messages lie among those of others follows from the patient's id.
    new_tables()
    build(NIGHT)
    assert snapshot() == first
    check_lists_are_full_and_messages_arrive_one_by_one(NIGHT)


@pytest.mark.usefixtures("new_tables")
def test_on_a_sunday_it_is_as_alive() -> None:
    build(SUNDAY)
    check_lists_are_full_and_messages_arrive_one_by_one(SUNDAY)


def check_lists_are_full_and_messages_arrive_one_by_one(now: datetime) -> None:
    for site in Site.objects.all():
        assert 10 <= len(today(site, now)) <= 20
    scheduled = Message.objects.filter(state=MessageState.SCHEDULED)
    assert not scheduled.filter(wake_at__lte=now).exists()
    # What fell due yesterday in the daytime has not stayed behind for the morning.
    day_before = now - timedelta(hours=24), now - timedelta(hours=12)
    assert not scheduled.filter(reason="quiet_hours", due_at__range=day_before).exists()
    soon = scheduled.filter(wake_at__lte=now + timedelta(minutes=3))
    assert 6 <= soon.count() <= 30
    assert {"sms", "email"} == set(soon.values_list("channel", flat=True))
    recorder = Recorder()
    assert not dispatch.send_due(now=now, channel=recorder)
    dispatch.send_due(now=now + timedelta(minutes=3), channel=recorder)
    assert len(recorder.sent) >= 6


def test_the_command_changes_nothing_where_the_demo_is_built(
    capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    assert site.slug == demo_data.house.HARBOUR
    # A visitor opened one more.
    open_site("third", "Third Clinic", "America/Denver", "+13035550100")
    call_command("demo_data")
    assert "already" in capsys.readouterr().out
    assert Site.objects.count() == 2
    assert not Patient.objects.exists()


def test_the_command_asks_for_enough_patients_and_weeks() -> None:
    with pytest.raises(CommandError, match="30 patients at least"):
        call_command("demo_data", patients=20)
    with pytest.raises(CommandError, match="one week at least"):
        call_command("demo_data", weeks=0)
    assert not Site.objects.exists()


def test_the_command_refuses_somebody_elses_database(other_site: Site) -> None:
    Site.objects.filter(pk=other_site.pk).update(slug="elsewhere")
    with pytest.raises(CommandError, match="clinic of its own"):
        call_command("demo_data")
    assert not Patient.objects.exists()


def test_the_command_refuses_a_database_with_staff_of_its_own() -> None:
    Staff.objects.create_user("someone@clinic.example", "a-long-password", name="Some One")
    with pytest.raises(CommandError, match="staff of its own"):
        call_command("demo_data")
    assert not Site.objects.exists()
