from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.absences import blocks
from appointments.feeds import ical, subscriptions
from appointments.feeds.ical import Entry
from appointments.feeds.subscriptions import FeedClosed
from appointments.models import Allocation, Appointment, Block, BlockKind, CalendarFeed, FeedDetail
from appointments.refusals import WrongResource
from appointments.visits import cancelling, moving, resizing, undoing
from clinic.access import Forbidden
from clinic.models import (
    AuditEntry,
    Modality,
    Resource,
    Role,
    Site,
    SiteRole,
    Staff,
)
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at
from tests.appointments.test_constraints import refused
from tests.personas import provider_resource, staff_at

pytestmark = pytest.mark.django_db

BUSY, INITIALS = FeedDetail.BUSY, FeedDetail.INITIALS
DAY = timedelta(days=1)
Make = Callable[..., str]


@pytest.fixture
def make(site: Site, treatment_provider: Resource, manager: Staff, now: datetime) -> Make:
    """Makes a feed of the provider by the manager, with initials; gives its token."""

    def made(**changes: object) -> str:
        wanted = {
            "site": site,
            "provider": treatment_provider,
            "detail": INITIALS,
            "by": manager,
            "now": now,
            **changes,
        }
        return subscriptions.make(**wanted)[0]  # type: ignore[arg-type]

    return made


def entries(token: str, now: datetime) -> list[Entry]:
    return list(subscriptions.read(token, now=now).calendar.entries)


def closed(token: str) -> bool:
    with pytest.raises(FeedClosed):
        subscriptions.open(token)
    return True


# --- Addresses ------------------------------------------------------------------------------------


def test_a_token_opens_its_feed_and_is_stored_nowhere(make: Make, site: Site) -> None:
    token = make()
    assert subscriptions.open(token).site == site
    assert token not in str(list(CalendarFeed.objects.values()))
    assert token not in str(list(AuditEntry.objects.values()))
    assert subscriptions.TOKEN_BYTES * 8 >= 128
    assert subscriptions.address(token).endswith(f"/feeds/{token}.ics")


def test_every_token_is_another(make: Make) -> None:
    assert len({make() for _ in range(20)}) == 20


@pytest.mark.parametrize("token", ["", "x", "…", "\x00", "a" * 5000])
def test_a_token_of_nobody_opens_nothing(db: None, token: str) -> None:
    assert closed(token)


def test_a_revoked_feed_never_opens_again_and_the_audit_says_who(
    make: Make, manager: Staff, now: datetime
) -> None:
    token = make()
    feed = CalendarFeed.objects.get()
    subscriptions.revoke(feed=feed, by=manager, now=now)
    assert closed(token)
    subscriptions.revoke(feed=feed, by=manager, now=now + DAY)
    feed.refresh_from_db()
    assert (feed.revoked_at, feed.revoked_by) == (now, manager)
    acts = AuditEntry.objects.filter(subject_type="appointments.calendarfeed").order_by("id")
    assert [(act.action, act.by) for act in acts] == [
        ("feed.make", manager),
        ("feed.revoke", manager),
    ]


def test_a_provider_makes_and_revokes_the_own_calendar(
    make: Make, provider: Staff, now: datetime
) -> None:
    token = make(by=provider)
    subscriptions.revoke(feed=CalendarFeed.objects.get(), by=provider, now=now)
    assert closed(token)


def test_a_provider_revokes_the_own_calendar_that_a_manager_made(
    make: Make, provider: Staff, now: datetime
) -> None:
    make()
    subscriptions.revoke(feed=CalendarFeed.objects.get(), by=provider, now=now)
    assert CalendarFeed.objects.get().revoked_by == provider


@pytest.mark.parametrize("who", ["front_desk", "clinical_lead", "outsider"])
@pytest.mark.parametrize("whole_site", [True, False])
def test_nobody_else_makes_a_calendar_of_others(
    make: Make, request: pytest.FixtureRequest, who: str, whole_site: bool
) -> None:
    with pytest.raises(Forbidden, match="manager"):
        make(by=request.getfixturevalue(who), **({"provider": None} if whole_site else {}))
    assert not CalendarFeed.objects.exists()


def test_a_provider_makes_neither_anothers_calendar_nor_the_sites(
    make: Make, site: Site, provider: Staff, modality: Modality
) -> None:
    other = provider_resource(site, staff_at(site, Role.PROVIDER, "Ines Roth"), modality)
    for whose in (other, None):
        with pytest.raises(Forbidden):
            make(provider=whose, by=provider)


@pytest.mark.parametrize("who", ["front_desk", "clinical_lead", "outsider"])
def test_nobody_else_revokes(
    make: Make, request: pytest.FixtureRequest, who: str, now: datetime
) -> None:
    token = make()
    with pytest.raises(Forbidden, match="Sam Okafor or a manager of Harbour"):
        subscriptions.revoke(
            feed=CalendarFeed.objects.get(), by=request.getfixturevalue(who), now=now
        )
    assert subscriptions.open(token).revoked_at is None


def test_whoever_does_not_work_at_the_site_has_no_calendar_there(
    make: Make, manager: Staff, other_site: Site, room: Resource
) -> None:
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    with pytest.raises(WrongResource, match="Sam Okafor has no hours at Sunset") as refusal:
        make(site=other_site)
    assert refusal.value.field == "provider"
    with pytest.raises(WrongResource):
        make(provider=room)


@pytest.mark.parametrize("leaves", ["role", "account"])
def test_a_feed_closes_when_its_maker_leaves(make: Make, manager: Staff, leaves: str) -> None:
    token = make()
    if leaves == "role":
        manager.site_roles.all().delete()
    else:
        Staff.objects.filter(pk=manager.pk).update(is_active=False)
    assert closed(token)


def test_what_is_on_offer_follows_from_the_role(
    site: Site,
    manager: Staff,
    provider: Staff,
    front_desk: Staff,
    treatment_provider: Resource,
    other_site: Site,
) -> None:
    assert subscriptions.on_offer(site=site, by=manager) == [None, treatment_provider]
    assert subscriptions.on_offer(site=site, by=provider) == [treatment_provider]
    assert subscriptions.on_offer(site=site, by=front_desk) == []
    assert subscriptions.on_offer(site=other_site, by=manager) == []


# --- What stands in a calendar --------------------------------------------------------------------


def test_a_visit_is_told_by_initials_session_and_code_and_never_by_name(
    make: Make, visits: list[Appointment], now: datetime
) -> None:
    reading = subscriptions.read(make(), now=now)
    first = reading.calendar.entries[0]
    assert first.summary == "E.S. · session 1/3 · RM"
    assert (first.starts_at, first.ends_at) == (visits[0].starts_at, visits[0].ends_at)
    assert first.location == "Harbour Skin Clinic"
    assert reading.calendar.name == "Sam Okafor · Harbour Skin Clinic"
    written = ical.write(reading.calendar).decode()
    for secret in ("Elena", "Sato", "+1212", "2125550123", "patients.example", "needling", "face"):
        assert secret.lower() not in written.lower()


def test_a_busy_feed_says_nothing_but_busy_and_holds_set_up_and_clean_up(
    make: Make, visits: list[Appointment], treatment_provider: Resource, now: datetime
) -> None:
    reading = subscriptions.read(make(detail=BUSY), now=now)
    held = treatment_provider.allocations.filter(active=True).order_by("starts_at")
    assert [(each.starts_at, each.ends_at) for each in reading.calendar.entries] == list(
        held.values_list("starts_at", "ends_at")
    )
    assert held[0].starts_at < visits[0].starts_at or held[0].ends_at > visits[0].ends_at
    assert {(each.summary, each.location) for each in reading.calendar.entries} == {("Busy", "")}


def test_a_preferred_name_gives_the_initial(
    make: Make, visits: list[Appointment], patient: Patient, now: datetime
) -> None:
    Patient.objects.filter(pk=patient.pk).update(preferred_name="Kiki")
    assert entries(make(), now)[0].summary.startswith("K.S.")


def test_a_moved_visit_keeps_its_uid_and_raises_its_sequence(
    make: Make, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    token = make()
    before, *_ = entries(token, now)
    later = now + timedelta(hours=1)
    moving.move(appointment=visits[0], starts_at=at(FIRST, "13:00"), by=front_desk, now=later)
    after, *_ = entries(token, now)
    assert after.uid == before.uid
    assert (before.sequence, after.sequence) == (1, 2)
    assert (after.starts_at, after.changed_at) == (at(FIRST, "13:00"), later)


def test_a_visit_of_another_length_raises_its_sequence_too(
    make: Make, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    token = make()
    before, *_ = entries(token, now)
    minutes = round((visits[0].ends_at - visits[0].starts_at).total_seconds() / 60) - 15
    longer = resizing.change_length(appointment=visits[0], minutes=minutes, by=front_desk, now=now)
    after, *_ = entries(token, now)
    assert (after.uid, after.ends_at) == (before.uid, longer.ends_at)
    assert after.ends_at != before.ends_at and after.sequence > before.sequence
    # The patient was told of the start only: to the messages it is the same visit.
    assert longer.schedule_version == visits[0].schedule_version


def test_a_cancelled_visit_stays_as_cancelled_for_a_while_and_then_goes(
    make: Make, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    token = make()
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    last = entries(token, now)[-1]
    assert (last.is_cancelled, last.sequence) == (True, 2)
    assert [each.is_cancelled for each in entries(token, now + 29 * DAY)][-1]
    assert len(entries(token, now + 31 * DAY)) == 2
    undoing.undo(appointment=visits[2], by=front_desk, now=now)
    assert (entries(token, now)[-1].is_cancelled, entries(token, now)[-1].sequence) == (False, 3)


def test_a_visit_that_went_to_somebody_else_is_cancelled_here_and_stands_there(
    make: Make,
    visits: list[Appointment],
    site: Site,
    modality: Modality,
    front_desk: Staff,
    now: datetime,
) -> None:
    ines = provider_resource(site, staff_at(site, Role.PROVIDER, "Ines Roth"), modality)
    here, there, whole = make(), make(provider=ines), make(provider=None)
    assert entries(there, now) == []
    moving.move(
        appointment=visits[0],
        starts_at=visits[0].starts_at,
        provider_id=ines.pk,
        by=front_desk,
        now=now,
    )
    assert [each.is_cancelled for each in entries(here, now)] == [True, False, False]
    assert [each.is_cancelled for each in entries(there, now)] == [False]
    assert [each.is_cancelled for each in entries(whole, now)] == [False, False, False]


def test_a_visit_that_was_over_when_it_was_brought_over_stands_with_who_had_it(
    make: Make, visits: list[Appointment], now: datetime
) -> None:
    past = Appointment.objects.filter(pk=visits[0].pk)
    past.update(
        imported_at=now,
        imported_start=now - DAY,
        starts_at=now - DAY,
        ends_at=now - DAY + timedelta(hours=1),
        done_at=now - DAY + timedelta(hours=1),
        state="done",
    )
    Allocation.objects.filter(appointment=visits[0]).update(active=False)
    assert [each.is_cancelled for each in entries(make(), now)] == [False, False, False]


def test_a_block_is_busy_without_its_reason_and_cancelled_when_released(
    make: Make, site: Site, treatment_provider: Resource, manager: Staff, now: datetime
) -> None:
    block = blocks.block(
        site=site,
        resources=[treatment_provider],
        kind=BlockKind.TIME_OFF,
        starts_at=at(FIRST, "09:00"),
        ends_at=at(FIRST + 3 * DAY, "18:00"),
        reason="Operation of Mrs Sato",
        by=manager,
        now=now,
    )
    for token in (make(), make(provider=None)):
        [entry] = entries(token, now)
        assert (entry.starts_at, entry.ends_at) == (block.starts_at, block.ends_at)
        assert (entry.summary, entry.location, entry.is_cancelled) == ("Busy", "", False)
    blocks.release(block=block, by=manager, now=now)
    [entry] = entries(make(), now)
    assert (entry.is_cancelled, entry.sequence) == (True, 1)


def test_a_block_of_a_room_is_no_time_of_a_provider(
    make: Make, site: Site, room: Resource, manager: Staff, now: datetime
) -> None:
    Block.objects.create(
        site=site, kind="maintenance", starts_at=now, ends_at=now + DAY, created_at=now
    ).resources.add(room)
    assert entries(make(), now) == []
    assert len(entries(make(provider=None), now)) == 1


def test_a_feed_reaches_thirty_days_back_and_a_hundred_and_eighty_ahead(
    make: Make, visits: list[Appointment]
) -> None:
    token = make()
    start = visits[0].starts_at

    def shown(now: datetime) -> bool:
        return any(each.starts_at == start for each in entries(token, now))

    assert shown(start + 30 * DAY) and not shown(start + 32 * DAY)
    assert shown(start - 180 * DAY) and not shown(start - 182 * DAY)


def test_elsewhere_a_provider_is_busy_and_nothing_is_told_to_who_has_no_role_there(
    make: Make,
    book: Book,
    wish: Wish,
    other_site: Site,
    provider: Staff,
    treatment_provider: Resource,
    now: datetime,
) -> None:
    series = book(wish(FIRST))
    Appointment.objects.update(site=other_site)
    series.refresh_from_db()
    assert [(each.summary, each.location) for each in entries(make(), now)] == [("Busy", "")]
    SiteRole.objects.create(staff=provider, site=other_site, role=Role.PROVIDER)
    [own] = entries(make(by=provider), now)
    assert (own.summary, own.location) == ("E.S. · RM", "Sunset Skin Clinic")
    assert entries(make(provider=None), now) == []


def test_a_feed_without_visits_is_an_empty_calendar(make: Make, now: datetime) -> None:
    reading = subscriptions.read(make(), now=now)
    assert reading.calendar.entries == ()
    assert b"BEGIN:VEVENT" not in ical.write(reading.calendar)


def test_the_first_day_of_a_feed_is_the_sites_and_not_that_of_utc(
    make: Make, visits: list[Appointment]
) -> None:
    # At 02:00 UTC it is still the day before in New York.
    late = datetime(2027, 4, 4, 2, 0, tzinfo=UTC)
    assert any(each.starts_at.date() == date(2027, 3, 4) for each in entries(make(), late))
    assert not any(
        each.starts_at.date() == date(2027, 3, 4)
        for each in entries(make(), late + timedelta(hours=24))
    )


# --- Reading --------------------------------------------------------------------------------------


def test_equal_content_has_one_etag_and_one_moment(
    make: Make, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    token = make()
    first = subscriptions.read(token, now=now)
    again = subscriptions.read(token, now=now + timedelta(hours=3))
    assert (first.etag, first.changed_at) == (again.etag, again.changed_at)
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    third = subscriptions.read(token, now=now)
    assert third.etag != first.etag
    assert third.changed_at > first.changed_at


def test_two_changes_within_a_second_are_told_apart(
    make: Make, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    token = make()
    moments = [subscriptions.read(token, now=now).changed_at]
    for visit in visits[:2]:
        cancelling.cancel(appointment=visit, by=front_desk, now=now)
        moments.append(subscriptions.read(token, now=now).changed_at)
    assert moments == sorted(set(moments))
    assert all(moment.microsecond == 0 for moment in moments)


def test_when_it_was_read_is_noted_every_few_minutes_and_not_each_time(
    make: Make, visits: list[Appointment], now: datetime
) -> None:
    token = make()
    subscriptions.read(token, now=now)

    def writes(moment: datetime) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            subscriptions.read(token, now=moment)
        return sum(str(query["sql"]).startswith("UPDATE") for query in asked)

    assert CalendarFeed.objects.get().read_at == now
    assert writes(now + timedelta(minutes=4)) == 0
    assert writes(now + timedelta(minutes=5)) == 1
    assert CalendarFeed.objects.get().read_at == now + timedelta(minutes=5)


def test_the_number_of_queries_does_not_grow_with_the_visits(
    make: Make, book: Book, wish: Wish, now: datetime
) -> None:
    token = make()
    subscriptions.read(token, now=now)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            subscriptions.read(token, now=now + timedelta(minutes=1))
        return len(asked)

    empty = queries()
    book(wish(FIRST), wish(SECOND))
    assert queries() <= empty + 1


# --- Constraints ----------------------------------------------------------------------------------


def test_a_feed_is_revoked_by_somebody_knows_its_detail_and_when_its_content_came(
    make: Make, now: datetime
) -> None:
    make()
    changes: dict[str, dict[str, Any]] = {
        "feed_revoked_by_somebody": {"revoked_at": now},
        "feed_detail_known": {"detail": "names"},
        "feed_content_since": {"etag": "x"},
    }
    for name, change in changes.items():
        refused(name, partial(CalendarFeed.objects.update, **change))


def test_no_two_feeds_have_one_token(make: Make) -> None:
    make()
    make()
    first, second = CalendarFeed.objects.all()
    taken = {"token_digest": first.token_digest}
    refused("token_digest", lambda: CalendarFeed.objects.filter(pk=second.pk).update(**taken))
