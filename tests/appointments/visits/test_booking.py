"""Booking a series: what is written, and everything that is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.clearance import Barred
from appointments.models import Allocation, Appointment, StatusChange, TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.refusals import (
    AreaNotTreated,
    CredentialExpired,
    IntervalTooLong,
    IntervalTooShort,
    InThePast,
    NotAligned,
    OutOfOrder,
    OutsideHours,
    PatientDeceased,
    PatientElsewhere,
    ProtocolNotApproved,
    SeriesClosed,
    SessionTaken,
    SlotTaken,
    SpacingTooShort,
    TooManySessions,
    TooYoung,
    WrongResource,
)
from appointments.visits import booking, cancelling, moving
from clinic.access import Forbidden
from clinic.models import (
    AuditEntry,
    Closure,
    Credential,
    ProtocolVersion,
    ProviderHours,
    Resource,
    Role,
    Site,
    Staff,
)
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db

# Face: 45 minutes of numbing, then 50 in the chair.
LENGTH = timedelta(minutes=95)


def test_a_series_holds_everything_for_its_whole_time(
    series: TreatmentSeries,
    treatment_provider: Resource,
    room: Resource,
    patient: Patient,
) -> None:
    visit = series.appointments.get(session=1)
    assert (visit.starts_at, visit.ends_at) == (
        at(FIRST, "10:00"),
        at(FIRST, "10:00") + LENGTH,
    )
    held = {
        each.resource_id: (each.starts_at, each.ends_at)
        for each in visit.allocations.filter(active=True)
    }
    minutes = timedelta(minutes=1)
    assert len(held) == 4
    assert held[treatment_provider.pk] == (
        visit.starts_at - 5 * minutes,
        visit.ends_at + 5 * minutes,
    )
    assert held[room.pk] == (
        visit.starts_at - 5 * minutes,
        visit.ends_at + 15 * minutes,
    )
    assert held[patient.resource_id] == (visit.starts_at, visit.ends_at)


def test_a_series_keeps_the_wall_clock_over_a_change_of_clocks(
    series: TreatmentSeries,
) -> None:
    starts = list(series.appointments.order_by("session").values_list("starts_at", flat=True))
    assert [start.hour for start in starts] == [15, 14, 14]


def test_booking_leaves_history_audit_and_a_raised_revision(
    patient: Patient, book: Book, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    before = Patient.objects.get(pk=patient.pk).revision
    series = book(wish(FIRST), wish(SECOND), sessions=3)
    assert series.sessions == 3
    changes = StatusChange.objects.filter(appointment__series=series)
    assert [(c.move, c.state_after, c.by, c.at) for c in changes] == [
        ("book", "booked", front_desk, now)
    ] * 2
    entry = AuditEntry.objects.get(action="series.book")
    assert (entry.subject_id, entry.patient_id) == (str(series.pk), patient.pk)
    assert Patient.objects.get(pk=patient.pk).revision == before + 1


def test_an_outsider_may_not_book(book: Book, wish: Wish, outsider: Staff) -> None:
    with pytest.raises(Forbidden):
        book(wish(FIRST), by=outsider)
    assert not TreatmentSeries.objects.exists()


def test_a_patient_of_another_site_is_not_to_be_booked_here(
    book: Book, wish: Wish, other_site: Site, outsider: Staff, now: datetime
) -> None:
    theirs = a_patient(other_site, outsider, now, given="Theo", phone="", email="theo@p.example")
    with pytest.raises(Forbidden, match="not at any of your sites"):
        book(wish(FIRST), patient=theirs)


# --- Protocol and patient -------------------------------------------------------------------------


def test_a_draft_never_reaches_a_patient(
    book: Book, wish: Wish, draft_protocol: ProtocolVersion
) -> None:
    with pytest.raises(ProtocolNotApproved, match="is draft"):
        book(wish(FIRST), version=draft_protocol)


def test_a_retired_version_takes_no_new_series(
    book: Book, wish: Wish, house: ProtocolVersion
) -> None:
    house.status = ProtocolVersion.Status.RETIRED
    house.save()
    with pytest.raises(ProtocolNotApproved, match="is retired"):
        book(wish(FIRST))


def test_an_area_that_the_protocol_does_not_treat_is_refused(book: Book, wish: Wish) -> None:
    with pytest.raises(AreaNotTreated, match="does not treat 'knee'"):
        book(wish(FIRST), areas=["knee"])
    with pytest.raises(AreaNotTreated):
        book(wish(FIRST), areas=[])


def test_a_patient_must_be_old_enough_on_the_day(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    young = a_patient(
        site,
        front_desk,
        now,
        given="Yuki",
        phone="",
        email="y@p.example",
        birth_date=date(2009, 3, 5),
    )
    with pytest.raises(TooYoung, match="is 17 on Thu 4 Mar"):
        book(wish(FIRST), patient=young)
    assert book(wish(FIRST + timedelta(days=1)), patient=young).pk


def test_nothing_is_booked_after_a_death(
    book: Book, wish: Wish, patient: Patient, now: datetime
) -> None:
    patient.deceased_at = now
    patient.save()
    with pytest.raises(PatientDeceased):
        book(wish(FIRST))


@pytest.mark.parametrize(
    ("closed", "code"),
    [
        ({"deceased_at": at(FIRST, "00:00")}, "patient_deceased"),
        ({"erased_at": at(FIRST, "00:00")}, "record_closed"),
    ],
)
def test_nothing_is_booked_in_a_record_that_was_closed_while_the_booking_waited(
    book: Book, wish: Wish, patient: Patient, closed: dict[str, datetime], code: str
) -> None:
    """Its row says more than what was read before the locks."""
    Patient.objects.filter(pk=patient.pk).update(**closed)
    with pytest.raises(Barred) as caught:
        book(wish(FIRST))
    assert [bar.code for bar in caught.value.bars] == [code]
    assert not TreatmentSeries.objects.exists()


# --- Time and place -------------------------------------------------------------------------------


def test_a_start_in_the_past_or_off_the_grid_is_refused(
    book: Book, wish: Wish, now: datetime
) -> None:
    with pytest.raises(InThePast, match="Fri 12 Feb 10:00 is past"):
        book(wish(date(2027, 2, 12)))
    with pytest.raises(NotAligned):
        book(wish(FIRST, "10:02"))


@pytest.mark.parametrize("wall", ["09:00", "16:15"])
def test_set_up_and_clean_up_must_fit_into_the_opening_hours(
    book: Book, wish: Wish, wall: str
) -> None:
    with pytest.raises(OutsideHours, match=r"is open 09:00-18:00 on Thu 4 Mar; this visit"):
        book(wish(FIRST, wall))


@pytest.mark.parametrize("wall", ["09:05", "16:10"])
def test_the_first_and_the_last_start_of_a_day_are_booked(
    book: Book, wish: Wish, wall: str
) -> None:
    assert book(wish(FIRST, wall)).pk


def test_a_closed_day_is_refused_with_its_reason(book: Book, wish: Wish, site: Site) -> None:
    with pytest.raises(OutsideHours, match=r"is closed on Sun 7 Mar\. "):
        book(wish(date(2027, 3, 7)))
    Closure.objects.create(site=site, first_day=FIRST, last_day=FIRST, reason="Stocktaking")
    with pytest.raises(OutsideHours, match=r"is closed on Thu 4 Mar \(Stocktaking\)"):
        book(wish(FIRST))


def test_a_provider_is_booked_only_in_their_own_hours(
    book: Book, wish: Wish, treatment_provider: Resource
) -> None:
    thursdays = ProviderHours.objects.filter(provider=treatment_provider, weekday=FIRST.weekday())
    thursdays.update(ends=11 * 60)
    with pytest.raises(OutsideHours, match="Sam Okafor works 09:00-11:00 on Thu 4 Mar"):
        book(wish(FIRST))
    thursdays.delete()
    with pytest.raises(OutsideHours, match="Sam Okafor does not work on Thu 4 Mar"):
        book(wish(FIRST))


def test_a_credential_must_hold_on_the_day(
    book: Book, wish: Wish, treatment_provider: Resource
) -> None:
    Credential.objects.filter(provider=treatment_provider).update(valid_until=FIRST)
    assert book(wish(FIRST)).pk
    with pytest.raises(
        CredentialExpired,
        match="credential for RF microneedling ended on Thu 4 Mar",
    ):
        book(wish(SECOND))


def test_resources_of_another_kind_site_or_modality_are_refused(
    book: Book, wish: Wish, room: Resource, needling_device: Resource, other_site: Site
) -> None:
    good = wish(FIRST)
    wrong = [
        ("provider", VisitWish(good.starts_at, room.pk, room.pk, needling_device.pk)),
        ("device", VisitWish(good.starts_at, good.provider_id, room.pk, None)),
    ]
    elsewhere = Resource.objects.create(
        kind="room", name="Room 9", site=other_site, room_kind="treatment"
    )
    wrong.append(
        ("room", VisitWish(good.starts_at, good.provider_id, elsewhere.pk, needling_device.pk))
    )
    for field, visit in wrong:
        with pytest.raises(WrongResource) as refused:
            book(visit)
        assert refused.value.field == field
    Resource.objects.filter(pk=needling_device.pk).update(is_active=False)
    with pytest.raises(WrongResource):
        book(good)


def test_what_other_sites_have_is_not_told_when_it_is_taken(
    book: Book,
    wish: Wish,
    other_site: Site,
    outsider: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    book(wish(FIRST))
    stranger = a_patient(other_site, outsider, now, given="Kim", phone="", email="")
    with pytest.raises(WrongResource, match="not at Sunset") as refused:
        book(wish(FIRST), site=other_site, patient=stranger, by=outsider)
    assert "Okafor" not in refused.value.sentence
    visit = book(wish(SECOND)).appointments.get()
    Resource.objects.filter(pk=wish(FIRST).room_id).update(site=other_site)
    with pytest.raises(WrongResource, match="room is not at Harbour"):
        moving.move(
            appointment=visit,
            starts_at=wish(FIRST).starts_at,
            room_id=wish(FIRST).room_id,
            by=front_desk,
            now=now,
        )


# --- Intervals ------------------------------------------------------------------------------------


def test_a_short_interval_is_refused_with_the_earliest_valid_date(book: Book, wish: Wish) -> None:
    with pytest.raises(IntervalTooShort) as refused:
        book(wish(FIRST), wish(FIRST + timedelta(days=12)))
    assert refused.value.sentence == (
        "Session 2 is 12 days after session 1; the protocol asks for at least 21."
        " The earliest valid date is Thu 25 Mar."
    )
    assert refused.value.earliest == date(2027, 3, 25)
    assert not Appointment.objects.exists()
    assert not Allocation.objects.exists()


def test_a_long_interval_is_refused_with_the_latest_valid_date(book: Book, wish: Wish) -> None:
    with pytest.raises(IntervalTooLong) as refused:
        book(wish(FIRST), wish(FIRST + timedelta(days=43)))
    assert refused.value.latest == FIRST + timedelta(days=42)
    assert "at most 42" in refused.value.sentence


@pytest.mark.parametrize("days", [21, 28, 42])
def test_the_ends_of_an_interval_are_valid(book: Book, wish: Wish, days: int) -> None:
    assert book(wish(FIRST), wish(FIRST + timedelta(days=days))).pk


def test_an_interval_is_breached_only_with_a_reason_and_the_capability(
    book: Book, wish: Wish, manager: Staff
) -> None:
    close = [wish(FIRST), wish(FIRST + timedelta(days=14))]
    with pytest.raises(Forbidden):
        book(*close, override_reason="Leaves the country")
    with pytest.raises(IntervalTooShort):
        book(*close, by=manager, override_reason="  ")
    series = book(*close, by=manager, override_reason="Leaves the country")
    reasons = list(
        series.appointments.order_by("session").values_list("override_reason", flat=True)
    )
    assert reasons == ["", "Leaves the country"]
    assert AuditEntry.objects.get(action="series.book").reason == "Leaves the country"


def test_sessions_come_in_order_whoever_asks(book: Book, wish: Wish, manager: Staff) -> None:
    with pytest.raises(OutOfOrder):
        book(wish(SECOND), wish(FIRST), by=manager, override_reason="Please")


def test_more_sessions_than_the_protocol_has_need_an_override(
    book: Book, wish: Wish, manager: Staff
) -> None:
    with pytest.raises(TooManySessions):
        book(wish(FIRST), sessions=6)
    assert book(wish(FIRST), sessions=6, by=manager, override_reason="Scar revision").sessions == 6
    with pytest.raises(SessionTaken):
        book(wish(SECOND), wish(THIRD), sessions=1)


def test_a_second_series_of_the_same_area_keeps_the_interval(
    book: Book, wish: Wish, series: TreatmentSeries
) -> None:
    near = FIRST + timedelta(days=5)
    with pytest.raises(SpacingTooShort, match="too near to RF microneedling on Thu"):
        book(wish(near))
    assert book(wish(near), areas=["hands"]).pk


# --- Taken ----------------------------------------------------------------------------------------


def test_a_long_series_is_booked_in_as_many_queries_as_a_single_visit(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    def queries(name: str, *visits: VisitWish) -> int:
        other = a_patient(site, front_desk, now, given=name, phone="", email=f"{name}@p.example")
        with CaptureQueriesContext(connection) as captured:
            book(*visits, patient=other)
        return len(captured)

    one = queries("ann", wish(FIRST, "13:00"))
    assert queries("ben", wish(FIRST), wish(SECOND), wish(THIRD)) == one


def test_a_taken_slot_names_the_resource_and_three_places_near_it(
    book: Book,
    wish: Wish,
    site: Site,
    front_desk: Staff,
    now: datetime,
    series: TreatmentSeries,
) -> None:
    other = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    with pytest.raises(SlotTaken) as refused:
        book(wish(FIRST, "10:30"), patient=other)
    taken = refused.value
    assert (taken.resource_kind, taken.resource_name) == ("provider", "Sam Okafor")
    assert taken.sentence.startswith("Sam Okafor was just taken at Thu 4 Mar 10:30. Nearest: ")
    assert [place.starts_at for place in taken.nearest] == [
        at(FIRST, "12:00"),
        at(FIRST, "12:15"),
        at(FIRST, "12:30"),
    ]
    for place in taken.nearest[:1]:
        assert book(place.wish, patient=other).pk


def test_neighbouring_visits_of_one_room_do_not_collide(
    book: Book,
    wish: Wish,
    site: Site,
    front_desk: Staff,
    now: datetime,
    series: TreatmentSeries,
) -> None:
    other = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    # Until 11:35, clean-up of the room until 11:50, set-up from then on.
    with pytest.raises(SlotTaken):
        book(wish(FIRST, "11:50"), patient=other)
    assert book(wish(FIRST, "11:55"), patient=other).pk


def test_a_patient_is_not_in_two_places(
    book: Book,
    wish: Wish,
    site: Site,
    room: Resource,
    needling_device: Resource,
    series: TreatmentSeries,
    house: ProtocolVersion,
) -> None:
    second = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    other_room = Resource.objects.create(
        kind="room", name="Room 2", site=site, room_kind="treatment"
    )
    other_device = Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality
    )
    visit = VisitWish(at(FIRST, "10:30"), second.pk, other_room.pk, other_device.pk)
    with pytest.raises(PatientElsewhere, match="another visit from Thu 4 Mar 10:00 to 11:35"):
        book(visit, areas=["hands"])


def test_a_series_is_booked_whole_or_not_at_all(
    book: Book,
    wish: Wish,
    site: Site,
    front_desk: Staff,
    now: datetime,
    series: TreatmentSeries,
) -> None:
    other = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    counts = Appointment.objects.count(), Allocation.objects.count()
    with pytest.raises(SlotTaken):
        book(wish(FIRST, "13:00"), wish(SECOND, "10:00"), patient=other)
    assert (Appointment.objects.count(), Allocation.objects.count()) == counts


# --- One more visit -------------------------------------------------------------------------------


def test_a_visit_is_added_to_the_lowest_free_session(
    series: TreatmentSeries,
    visits: list[Appointment],
    wish: Wish,
    front_desk: Staff,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    again = booking.add_visit(series=series, visit=wish(SECOND, "13:00"), by=front_desk, now=now)
    assert again.session == 2
    fourth = booking.add_visit(
        series=series, visit=wish(THIRD + timedelta(days=28)), by=front_desk, now=now
    )
    series.refresh_from_db()
    assert (fourth.session, series.sessions) == (4, 4)


def test_an_added_visit_keeps_the_interval_to_both_sides(
    series: TreatmentSeries,
    visits: list[Appointment],
    wish: Wish,
    front_desk: Staff,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    with pytest.raises(IntervalTooShort, match="Session 3 is 14 days after session 2"):
        booking.add_visit(
            series=series,
            visit=wish(THIRD - timedelta(days=14)),
            by=front_desk,
            now=now,
        )


def test_a_closed_series_takes_no_more_visits(
    series: TreatmentSeries, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    TreatmentSeries.objects.filter(pk=series.pk).update(state="ended", closed_at=now)
    with pytest.raises(SeriesClosed):
        booking.add_visit(series=series, visit=wish(date(2027, 5, 27)), by=front_desk, now=now)


def test_a_site_reads_its_own_clock(
    house: ProtocolVersion, other_site: Site, outsider: Staff, now: datetime
) -> None:
    patient = a_patient(other_site, outsider, now, given="Theo", phone="", email="t@p.example")
    provider = provider_resource(
        other_site, staff_at(other_site, Role.PROVIDER, "Kim Lee"), house.modality
    )
    room = Resource.objects.create(
        kind="room", name="Room 1", site=other_site, room_kind="treatment"
    )
    device = Resource.objects.create(
        kind="device", name="Needle 1", site=other_site, modality=house.modality
    )
    early = VisitWish(datetime(2027, 3, 4, 15, tzinfo=UTC), provider.pk, room.pk, device.pk)
    late = VisitWish(datetime(2027, 3, 4, 18, tzinfo=UTC), provider.pk, room.pk, device.pk)
    with pytest.raises(OutsideHours):
        booking.book_series(
            patient=patient,
            site=other_site,
            version=house,
            areas=["face"],
            visits=[early],
            by=outsider,
            now=now,
        )
    assert booking.book_series(
        patient=patient,
        site=other_site,
        version=house,
        areas=["face"],
        visits=[late],
        by=outsider,
        now=now,
    ).pk
