"""From booking to touch-up: what Elena hears, on which day, and what she never hears."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db.models import Min

from appointments.models import Appointment, Task, TreatmentSeries
from appointments.visits import attendance, cancelling, moving, undoing
from clinic.models import Staff
from patients import consent
from patients.models import Patient
from reminders.catalogue import MessageState
from reminders.models import Message
from reminders.stand_in import StandIn
from tests.appointments.conftest import Book, Wish, at
from tests.stories.conftest import Advance

# `advance` plays on committed rows, as the dispatcher does.
pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND, THIRD = date(2027, 3, 4), date(2027, 4, 1), date(2027, 4, 29)
THREE_MINUTES = timedelta(minutes=3)


@pytest.fixture
def series(book: Book, wish: Wish) -> TreatmentSeries:
    return book(wish(FIRST), wish(SECOND), wish(THIRD))


@pytest.fixture
def visits(series: TreatmentSeries) -> list[Appointment]:
    return list(series.appointments.order_by("session"))


def kinds(**lookups: object) -> list[str]:
    return list(Message.objects.filter(**lookups).order_by("due_at").values_list("kind", flat=True))


def texts(providers: StandIn) -> list[str]:
    return [text.text for text in providers.texts]


def test_a_booking_is_confirmed_after_the_hold_by_text_and_by_mail_with_its_dates(
    series: TreatmentSeries, providers: StandIn, advance: Advance, now: datetime
) -> None:
    advance(now + THREE_MINUTES - timedelta(seconds=1))
    assert texts(providers) == []
    advance(now + THREE_MINUTES)
    [text] = texts(providers)
    assert "Thu 4 Mar 10:00" in text
    assert "microneedling" not in text.lower()
    [mail] = providers.mails
    assert "Thu 4 Mar 10:00" in mail.text
    assert "microneedling" not in mail.text.lower() + mail.subject.lower()
    assert mail.calendar.count("BEGIN:VEVENT") == 3


def test_a_booking_undone_within_the_hold_is_never_heard_of(
    visits: list[Appointment],
    providers: StandIn,
    advance: Advance,
    front_desk: Staff,
    now: datetime,
) -> None:
    advance(now)
    for visit in visits:
        cancelling.cancel(appointment=visit, by=front_desk, now=now + timedelta(minutes=1))
    advance(now + timedelta(days=1))
    assert texts(providers) == []
    assert providers.mails == []
    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.WITHDRAWN}


def test_a_moved_visit_withdraws_its_old_messages_and_tells_the_new_time_once(
    visits: list[Appointment],
    providers: StandIn,
    advance: Advance,
    front_desk: Staff,
    now: datetime,
) -> None:
    """Edge case 2."""
    advance(now + THREE_MINUTES)
    heard = len(providers.texts)
    moved_at = now + timedelta(hours=1)
    for day in (date(2027, 4, 5), date(2027, 4, 6)):
        visits[1] = moving.move(
            appointment=visits[1], starts_at=at(day, "11:00"), by=front_desk, now=moved_at
        )
        advance(moved_at)
    withdrawn = Message.objects.filter(state=MessageState.WITHDRAWN, session=2)
    assert withdrawn.exists()
    assert all(message.reason and message.why for message in withdrawn)
    advance(moved_at + THREE_MINUTES)
    [notice] = texts(providers)[heard:]
    assert "Tue 6 Apr 11:00" in notice
    assert "Mon 5 Apr" not in notice
    reminders = Message.objects.filter(kind="reminder_final", session=2, state="scheduled")
    assert [one.due_at for one in reminders] == [at(date(2027, 4, 5), "11:00")]


def test_a_move_that_is_undone_within_the_hold_is_never_heard_of(
    visits: list[Appointment],
    providers: StandIn,
    advance: Advance,
    front_desk: Staff,
    now: datetime,
) -> None:
    advance(now + THREE_MINUTES)
    heard = len(providers.texts), len(providers.mails)
    moved_at = now + timedelta(hours=1)
    moving.move(
        appointment=visits[1], starts_at=at(date(2027, 4, 5), "11:00"), by=front_desk, now=moved_at
    )
    advance(moved_at)
    visits[1].refresh_from_db()
    undoing.undo(appointment=visits[1], by=front_desk, now=moved_at + timedelta(minutes=1))
    advance(moved_at + timedelta(days=1))
    assert (len(providers.texts), len(providers.mails)) == heard


def test_a_cancellation_that_was_told_and_is_undone_is_told_too(
    visits: list[Appointment],
    providers: StandIn,
    advance: Advance,
    front_desk: Staff,
    now: datetime,
) -> None:
    advance(now + THREE_MINUTES)
    cancelled_at = now + timedelta(hours=1)
    cancelling.cancel(appointment=visits[2], by=front_desk, now=cancelled_at)
    advance(cancelled_at + THREE_MINUTES)
    assert "cancelled" in texts(providers)[-1]
    undone_at = now + timedelta(hours=2)
    undoing.undo(appointment=visits[2], by=front_desk, now=undone_at)
    advance(undone_at + THREE_MINUTES)
    assert "Thu 29 Apr 10:00" in texts(providers)[-1]
    assert "cancelled" not in texts(providers)[-1]


def test_a_whole_course_is_heard_in_order_and_nothing_comes_twice(
    visits: list[Appointment],
    providers: StandIn,
    advance: Advance,
    patient: Patient,
    front_desk: Staff,
    provider: Staff,
    now: datetime,
) -> None:
    for purpose, channel in (("photos", "any"), ("marketing", "email")):
        consent.give(patient=patient, purpose=purpose, channel=channel, by=front_desk, now=now)
    to_treat = {visit.starts_at: visit for visit in visits}
    moment: datetime | None = now
    while moment is not None:
        advance(moment)
        if visit := to_treat.pop(moment, None):
            _treat(visit, by=provider, now=moment)
            advance(moment)
        moment = _next_moment(to_treat)
    sent = Message.objects.filter(state=MessageState.ACCEPTED)
    items = [
        (item.anchor, item.step, item.channel)
        for message in sent.prefetch_related("items")
        for item in message.items.all()
    ]
    assert len(items) == len(set(items))
    assert len(providers.texts) + len(providers.mails) == sent.count()
    heard = kinds(state=MessageState.ACCEPTED, channel="email")
    assert heard[0] == "booking_confirmed"
    assert heard.count("postcare_0") == 3
    assert heard.count("progress_milestone") == 3
    assert heard[-1] == "touchup_prompt"
    for message in sent.filter(kind="reminder_final"):
        assert message.accepted_at is not None
        assert message.accepted_at < message.expires_at
    assert not Message.objects.filter(state="scheduled", wake_at__isnull=False).exists()


def _next_moment(to_treat: dict[datetime, Appointment]) -> datetime | None:
    """When next something is due or a visit begins; None when all is said and done."""
    wakes = Message.objects.filter(state="scheduled").aggregate(at=Min("wake_at"))["at"]
    return min([*([wakes] if wakes else []), *to_treat], default=None)


def _treat(visit: Appointment, *, by: Staff, now: datetime) -> None:
    visit = attendance.check_in(appointment=visit, by=by, now=now)
    visit = attendance.start(appointment=visit, by=by, now=now)
    attendance.complete(appointment=visit, by=by, now=now + timedelta(minutes=30))


def test_without_consent_nothing_goes_out_and_each_message_says_so(
    book: Book,
    wish: Wish,
    providers: StandIn,
    advance: Advance,
    patient: Patient,
    front_desk: Staff,
    now: datetime,
) -> None:
    for channel in ("sms", "email"):
        consent.withdraw(patient=patient, purpose="care", channel=channel, by=front_desk, now=now)
    book(wish(FIRST))
    advance(now + THREE_MINUTES)
    assert (providers.texts, providers.mails) == ([], [])
    skipped = Message.objects.filter(kind="booking_confirmed")
    assert {message.reason for message in skipped} == {"no_consent"}
    assert all(message.gate_why for message in skipped)


def test_the_patients_death_withdraws_everything_and_closes_the_tasks(
    series: TreatmentSeries,
    patient: Patient,
    front_desk: Staff,
    advance: Callable[[datetime], None],
    now: datetime,
) -> None:
    """Edge case 12."""
    from patients import registration

    advance(now)
    registration.record_death(patient=patient, by=front_desk, now=now)
    advance(now + timedelta(days=30))
    assert set(Message.objects.values_list("state", flat=True)) <= {"withdrawn"}
    assert not Task.objects.open().exists()
