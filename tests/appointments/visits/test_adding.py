"""One more visit for a series that stands."""

from datetime import UTC, date, datetime, timedelta

import pytest

from appointments.models import Appointment, TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.refusals import IntervalTooShort, OutsideHours, SeriesClosed
from appointments.visits import booking, cancelling
from clinic.models import (
    ProtocolVersion,
    Resource,
    Role,
    Site,
    Staff,
)
from tests.appointments.conftest import SECOND, THIRD, Wish
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db


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
