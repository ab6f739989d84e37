"""Booking a series: what is written, and everything that is refused."""

from datetime import date, datetime, timedelta

import pytest

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
    ProtocolNotApproved,
    SessionTaken,
    SpacingTooShort,
    TooManySessions,
    TooYoung,
    WrongResource,
)
from appointments.visits import moving
from clinic.access import Forbidden
from clinic.models import (
    AuditEntry,
    Closure,
    Credential,
    ProtocolVersion,
    ProviderHours,
    Resource,
    Site,
    Staff,
)
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient

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
    # Who did not come was not treated.
    first = series.appointments.filter(session=1)
    first.update(state="no_show", closed_at=at(FIRST, "10:00"))
    assert book(wish(near, "13:00")).pk
