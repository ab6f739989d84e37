"""A series that follows a moved visit, and one that goes over to another version: what is heard."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from appointments.models import Appointment, TreatmentSeries
from appointments.visits import attendance, migrating, rippling, undoing
from clinic.models import ProtocolVersion, Staff
from clinic.protocols import reading
from clinic.protocols.schema import Protocol
from reminders.catalogue import MessageState
from reminders.models import Message
from reminders.stand_in import StandIn
from tests.appointments.conftest import Book, Wish, at
from tests.stories.conftest import Advance

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND, THIRD = date(2027, 3, 4), date(2027, 4, 1), date(2027, 4, 29)
LATE = SECOND + timedelta(days=14)
THREE_MINUTES, HOUR = timedelta(minutes=3), timedelta(hours=1)


@pytest.fixture
def series(book: Book, wish: Wish) -> TreatmentSeries:
    return book(wish(FIRST), wish(SECOND), wish(THIRD))


@pytest.fixture
def visits(series: TreatmentSeries) -> list[Appointment]:
    return list(series.appointments.order_by("session"))


def texts(providers: StandIn) -> str:
    return "\n".join(text.text for text in providers.texts)


def test_whoever_follows_is_told_once_and_their_old_messages_are_withdrawn(
    visits: list[Appointment],
    providers: StandIn,
    advance: Advance,
    front_desk: Staff,
    now: datetime,
) -> None:
    advance(now + THREE_MINUTES)
    heard, moved_at = len(providers.texts), now + HOUR
    _, third = rippling.ripple(
        appointment=visits[1], starts_at=at(LATE, "10:00"), by=front_desk, now=moved_at
    )
    advance(moved_at)
    for session in (2, 3):
        gone = Message.objects.filter(state=MessageState.WITHDRAWN, session=session)
        assert gone.filter(kind="reminder_final").exists()
    assert not Message.objects.filter(state=MessageState.WITHDRAWN, session=1).exists()
    advance(moved_at + THREE_MINUTES)
    notices = "\n".join(text.text for text in providers.texts[heard:])
    assert notices.count("Thu 15 Apr 10:00") == 1
    reminders = Message.objects.filter(kind="reminder_final", session=3, state="scheduled")
    assert [one.due_at for one in reminders] == [third.starts_at - timedelta(days=1)]


def test_a_ripple_taken_back_within_the_hold_is_never_heard_of(
    visits: list[Appointment],
    providers: StandIn,
    advance: Advance,
    front_desk: Staff,
    now: datetime,
) -> None:
    advance(now + THREE_MINUTES)
    heard, moved_at = (len(providers.texts), len(providers.mails)), now + HOUR
    moved = rippling.ripple(
        appointment=visits[1], starts_at=at(LATE, "10:00"), by=front_desk, now=moved_at
    )
    advance(moved_at)
    undoing.undo_together(
        visits=[(visit, visit.version) for visit in moved],
        by=front_desk,
        now=moved_at + timedelta(minutes=1),
    )
    advance(moved_at + timedelta(days=1))
    assert (len(providers.texts), len(providers.mails)) == heard


def test_another_version_changes_what_is_to_come_and_nothing_of_what_was_done(
    series: TreatmentSeries,
    visits: list[Appointment],
    providers: StandIn,
    advance: Advance,
    house: ProtocolVersion,
    microneedling: Protocol,
    clinical_lead: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    """Edge case 13."""
    begun = visits[0].starts_at
    attendance.check_in(appointment=visits[0], by=front_desk, now=begun)
    attendance.start(appointment=visits[0], by=front_desk, now=begun)
    attendance.complete(appointment=visits[0], by=front_desk, now=visits[0].ends_at)
    migrated_at = visits[0].ends_at + HOUR
    advance(migrated_at)
    said = list(Message.objects.filter(session=1).order_by("id").values())
    planned = Message.objects.filter(session=2, state="scheduled", kind="precare_step")
    gone = planned[0].steps[0]
    fewer = replace(
        microneedling,
        version="99.0.0",
        steps=tuple(step for step in microneedling.steps if step.id != gone),
    )
    ProtocolVersion.objects.filter(pk=house.pk).update(status=ProtocolVersion.Status.RETIRED)
    version = ProtocolVersion.objects.create(
        protocol=house.protocol,
        version="99.0.0",
        kind=house.kind,
        name=house.name,
        modality=house.modality,
        document=reading.to_document(fewer),
        digest=reading.digest(fewer),
        created_at=now,
        status=ProtocolVersion.Status.APPROVED,
        approved_at=now,
        approved_by=clinical_lead,
        approved_digest=reading.digest(fewer),
    )
    migrating.migrate(series=series, version=version, by=front_desk, now=migrated_at)
    advance(migrated_at)
    assert list(Message.objects.filter(session=1).order_by("id").values()) == said
    coming = Message.objects.filter(session=2, state="scheduled")
    assert coming.exists()
    assert not coming.filter(steps__contains=[gone]).exists()
    assert "Visit moved" not in texts(providers)
