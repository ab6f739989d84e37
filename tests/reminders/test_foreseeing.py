"""What the booking screen shows is what booking makes."""

from datetime import date, datetime

from appointments.models import Task
from clinic.models import ProtocolVersion, Site, Staff
from clinic.retelling import retold
from patients.models import Patient
from reminders.journeys import foreseeing, replanning
from reminders.journeys.preview import ImaginedVisit
from reminders.ledger import skipping
from reminders.models import Message, SkipChoice
from tests.appointments.conftest import Book, Wish, book, wish

__all__ = ["book", "wish"]

DAYS = (date(2027, 3, 4), date(2027, 4, 1), date(2027, 4, 29))


def test_the_messages_that_were_foreseen_are_the_ones_that_are_planned(
    book: Book,
    wish: Wish,
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    now: datetime,
) -> None:
    series = book(*(wish(day) for day in DAYS))
    visits = [
        ImaginedVisit(visit.starts_at, visit.ends_at)
        for visit in series.appointments.order_by("session")
    ]
    replanning.sync_stale(now=now)
    planned = {
        (row.kind, row.channel, row.session, tuple(row.steps), row.due_at)
        for row in Message.objects.all()
    }
    tasks = {(retold(task.title), task.due_at) for task in Task.objects.all()}
    series.appointments.update(state="cancelled", closed_at=now)
    foreseen = foreseeing.series(
        patient=patient, site=site, version=house, areas=["face"], visits=visits, now=now
    )
    messages = {
        (line.kind, line.channel, line.session, line.steps, line.due_at)
        for line in foreseen
        if line.decision != "staff_task"
    }
    assert messages == planned
    assert {
        (line.subject, line.due_at) for line in foreseen if line.decision == "staff_task"
    } == tasks


def test_a_skipped_message_stays_with_its_reason_and_comes_back_when_put_back(
    book: Book, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    book(wish(DAYS[0]))
    replanning.sync_stale(now=now)
    message = Message.objects.get(kind="reminder_final")
    skipping.skip(message=message, by=front_desk, now=now)
    replanning.sync_stale(now=now)
    [skipped] = Message.objects.filter(kind="reminder_final", reason="skipped_by_staff")
    assert (skipped.state, skipped.wake_at) == ("skipped", None)
    assert skipped.pk == message.pk
    assert {choice.by for choice in SkipChoice.objects.all()} == {front_desk}
    skipping.unskip(message=skipped, by=front_desk, now=now)
    replanning.sync_stale(now=now)
    [back] = Message.objects.filter(kind="reminder_final", state="scheduled")
    assert back.wake_at == back.due_at
    assert not SkipChoice.objects.exists()
