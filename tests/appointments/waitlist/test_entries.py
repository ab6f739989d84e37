"""Who gets on the wait-list, who does not, and who leaves it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from appointments.lifecycle import MoveRefused
from appointments.models import Appointment, EntryEnd, TreatmentSeries, WaitlistEntry
from appointments.refusals import (
    AreaNotTreated,
    PatientDeceased,
    ProtocolNotApproved,
    WrongResource,
)
from appointments.visits import attendance, booking, cancelling, moving, undoing
from appointments.waitlist import entries, overtaken
from appointments.waitlist.entries import EarlierVisit, FirstVisit, NextSession, Target
from appointments.waitlist.refusals import (
    AlreadyWaiting,
    NothingToWaitFor,
    NotWaiting,
    WishesRefused,
)
from appointments.waitlist.wishes import Wishes
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Resource, Site, Staff
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at

pytestmark = pytest.mark.django_db

Add = Callable[..., WaitlistEntry]


@pytest.fixture
def add(front_desk: Staff, now: datetime) -> Add:
    def put(target: Target, **changes: object) -> WaitlistEntry:
        wanted = {"by": front_desk, "now": now, **changes}
        return entries.add(target=target, **wanted)  # type: ignore[arg-type]

    return put


@pytest.fixture
def first_visit(patient: Patient, site: Site, house: ProtocolVersion) -> FirstVisit:
    return FirstVisit(patient, site, house, ("face",))


def waiting(site: Site, now: datetime) -> list[int]:
    return list(overtaken.still_waiting(site=site, now=now).values_list("pk", flat=True))


# --- Getting on the list --------------------------------------------------------------------------


def test_a_patient_waits_for_an_earlier_time_with_wishes(
    add: Add, visits: list[Appointment], treatment_provider: Resource, front_desk: Staff
) -> None:
    wishes = Wishes(
        weekdays=(4, 1, 1),
        earliest=9 * 60,
        latest=12 * 60,
        last_day=date(2027, 3, 26),
        provider=treatment_provider,
        notice_minutes=240,
        priority=2,
        note=" after  school ",
    )
    entry = add(EarlierVisit(visits[1]), wishes=wishes)
    entry.refresh_from_db()
    assert (entry.appointment, entry.series, entry.asked_start) == (
        visits[1],
        visits[1].series,
        visits[1].starts_at,
    )
    assert (entry.weekdays, entry.earliest, entry.latest) == ([1, 4], 540, 720)
    assert (entry.provider, entry.notice_minutes, entry.priority) == (treatment_provider, 240, 2)
    assert (entry.note, entry.created_by) == ("after school", front_desk)
    trace = AuditEntry.objects.get(action="waitlist.add")
    assert trace.after["weekdays"] == [1, 4]
    assert "after school" not in str(trace.after)


def test_a_patient_waits_for_the_next_session_and_for_a_first_visit(
    add: Add, book: Book, wish: Wish, first_visit: FirstVisit, now: datetime
) -> None:
    first = add(first_visit)
    assert (first.series, first.appointment, first.areas) == (None, None, ["face"])
    series = book(wish(FIRST), sessions=3, now=now + timedelta(minutes=1))
    entry = add(NextSession(series), now=now + timedelta(minutes=1))
    assert (entry.series, entry.appointment, entry.areas) == (series, None, ["face"])


def test_nobody_waits_twice_for_the_same(
    add: Add, visits: list[Appointment], first_visit: FirstVisit
) -> None:
    add(EarlierVisit(visits[1]))
    with pytest.raises(AlreadyWaiting, match="Change that entry instead"):
        add(EarlierVisit(visits[1]))
    add(EarlierVisit(visits[2]))
    add(first_visit)
    with pytest.raises(AlreadyWaiting):
        add(first_visit)
    assert WaitlistEntry.objects.count() == 3


def test_a_visit_that_is_given_up_has_begun_or_is_locked_is_not_waited_for(
    add: Add, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    visits[0].refresh_from_db()
    with pytest.raises(MoveRefused, match="This visit is cancelled"):
        add(EarlierVisit(visits[0]))
    with pytest.raises(NothingToWaitFor, match="begun already"):
        add(EarlierVisit(visits[1]), now=visits[1].starts_at)
    visits[2].is_locked = True
    with pytest.raises(NothingToWaitFor, match="Unlock it first"):
        add(EarlierVisit(visits[2]))


def test_a_series_with_nothing_left_to_book_is_not_waited_for(
    add: Add, series: TreatmentSeries
) -> None:
    with pytest.raises(NothingToWaitFor, match="Every session of this series is booked"):
        add(NextSession(series))
    series.state = "ended"
    with pytest.raises(NothingToWaitFor, match="This series is closed"):
        add(NextSession(series))


def test_only_what_may_be_booked_is_waited_for(
    add: Add,
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    draft_protocol: ProtocolVersion,
    outsider: Staff,
    now: datetime,
) -> None:
    with pytest.raises(ProtocolNotApproved):
        add(FirstVisit(patient, site, draft_protocol, ("face",)))
    with pytest.raises(AreaNotTreated):
        add(FirstVisit(patient, site, house, ("moon",)))
    with pytest.raises(AreaNotTreated):
        add(FirstVisit(patient, site, house, ()))
    with pytest.raises(Forbidden):
        add(FirstVisit(patient, site, house, ("face",)), by=outsider)
    patient.deceased_at = now
    with pytest.raises(PatientDeceased):
        add(FirstVisit(patient, site, house, ("face",)))
    assert not WaitlistEntry.objects.exists()


@pytest.mark.parametrize(
    ("field", "wishes"),
    [
        ("weekdays", {"weekdays": (7,)}),
        ("latest", {"earliest": 600, "latest": 599}),
        ("latest", {"latest": 1441}),
        ("last_day", {"last_day": date(2027, 2, 14)}),
        ("last_day", {"first_day": date(2027, 3, 2), "last_day": date(2027, 3, 1)}),
        ("first_day", {"first_day": date(2027, 4, 2)}),
        ("notice_minutes", {"notice_minutes": 30 * 24 * 60 + 1}),
        ("priority", {"priority": 10}),
        ("note", {"note": "x" * 201}),
    ],
)
def test_wishes_that_no_place_could_meet_are_refused(
    add: Add, visits: list[Appointment], field: str, wishes: dict[str, object]
) -> None:
    with pytest.raises(WishesRefused) as refused:
        add(EarlierVisit(visits[1]), wishes=Wishes(**wishes))  # type: ignore[arg-type]
    assert refused.value.field == field
    assert not WaitlistEntry.objects.exists()


def test_a_provider_who_does_not_treat_so_is_refused(
    add: Add, visits: list[Appointment], room: Resource
) -> None:
    with pytest.raises(WrongResource, match="Room 1 does not treat by"):
        add(EarlierVisit(visits[1]), wishes=Wishes(provider=room))


# --- Changing and leaving -------------------------------------------------------------------------


def test_wishes_are_changed_and_an_entry_withdrawn_once(
    add: Add, visits: list[Appointment], front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    entry = add(EarlierVisit(visits[1]))
    with pytest.raises(Forbidden):
        entries.change(entry=entry, wishes=Wishes(priority=1), by=outsider, now=now)
    entries.change(entry=entry, wishes=Wishes(priority=1), by=front_desk, now=now)
    entry.refresh_from_db()
    assert entry.priority == 1
    trace = AuditEntry.objects.get(action="waitlist.change")
    assert (trace.before["priority"], trace.after["priority"]) == (0, 1)
    with pytest.raises(Forbidden):
        entries.withdraw(entry=entry, by=outsider, now=now)
    entries.withdraw(entry=entry, by=front_desk, now=now)
    with pytest.raises(NotWaiting, match="taken off the list"):
        entries.withdraw(entry=entry, by=front_desk, now=now)
    with pytest.raises(NotWaiting):
        entries.change(entry=entry, wishes=Wishes(), by=front_desk, now=now)
    add(EarlierVisit(visits[1]))


# --- What was overtaken ---------------------------------------------------------------------------


def test_an_entry_is_overtaken_by_cancelling_its_visit_and_comes_back_with_the_undo(
    add: Add, visits: list[Appointment], site: Site, front_desk: Staff, now: datetime
) -> None:
    entry = add(EarlierVisit(visits[1]))
    assert waiting(site, now) == [entry.pk]
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    assert waiting(site, now) == []
    undoing.undo(appointment=visits[1], by=front_desk, now=now)
    assert waiting(site, now) == [entry.pk]


def test_an_entry_is_overtaken_by_an_earlier_time_and_not_by_a_later_one(
    add: Add, visits: list[Appointment], site: Site, front_desk: Staff, now: datetime
) -> None:
    entry = add(EarlierVisit(visits[1]))
    moving.move(appointment=visits[1], starts_at=at(SECOND, "14:00"), by=front_desk, now=now)
    assert waiting(site, now) == [entry.pk]
    moving.move(appointment=visits[1], starts_at=at(SECOND, "09:30"), by=front_desk, now=now)
    assert waiting(site, now) == []
    assert overtaken.tidy(now=now) == 1
    entry.refresh_from_db()
    assert (entry.closed_at, entry.closed_as) == (now, EntryEnd.OVERTAKEN)
    assert overtaken.tidy(now=now) == 0


def test_an_entry_is_overtaken_when_its_visit_begins(
    add: Add, visits: list[Appointment], site: Site, front_desk: Staff
) -> None:
    add(EarlierVisit(visits[0]))
    begins = visits[0].starts_at
    assert waiting(site, begins - timedelta(seconds=1))
    assert waiting(site, begins) == []
    early = begins - timedelta(minutes=20)
    attendance.check_in(appointment=visits[0], by=front_desk, now=early)
    assert waiting(site, early) == []


def test_waiting_for_the_next_session_ends_when_it_is_booked(
    add: Add, book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    series = book(wish(FIRST), sessions=2)
    entry = add(NextSession(series))
    assert waiting(site, now) == [entry.pk]
    booking.add_visit(series=series, visit=wish(SECOND), by=front_desk, now=now)
    assert waiting(site, now) == []


def test_waiting_for_a_first_visit_ends_with_a_booking_made_since(
    add: Add,
    book: Book,
    wish: Wish,
    first_visit: FirstVisit,
    series: TreatmentSeries,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    entry = add(first_visit, now=now + timedelta(minutes=1))
    assert waiting(site, now) == [entry.pk]
    later = book(wish(date(2027, 7, 1)), now=now + timedelta(minutes=2))
    assert waiting(site, now) == []
    cancelling.cancel(appointment=later.appointments.get(), by=front_desk, now=now)
    assert waiting(site, now) == [entry.pk]


def test_waiting_ends_with_its_last_day_and_with_the_patient(
    add: Add, first_visit: FirstVisit, patient: Patient, site: Site, now: datetime
) -> None:
    add(first_visit, wishes=Wishes(last_day=date(2027, 3, 1)))
    assert waiting(site, at(date(2027, 3, 1), "23:59"))
    assert waiting(site, at(date(2027, 3, 2), "00:00")) == []
    Patient.objects.filter(pk=patient.pk).update(deceased_at=now)
    assert waiting(site, now) == []


def test_who_was_overtaken_may_wait_again_at_once(
    add: Add, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    first = add(EarlierVisit(visits[1]))
    moving.move(appointment=visits[1], starts_at=at(SECOND, "09:30"), by=front_desk, now=now)
    visits[1].refresh_from_db()
    again = add(EarlierVisit(visits[1]))
    first.refresh_from_db()
    assert first.closed_as == EntryEnd.OVERTAKEN
    assert again.asked_start == visits[1].starts_at
