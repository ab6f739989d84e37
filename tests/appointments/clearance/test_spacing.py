"""A treatment that turns out to have been done lately, such as one that was brought over."""

from datetime import date, timedelta

import pytest
from django.utils.translation import override

from appointments.clearance import Barred
from appointments.models import Appointment
from appointments.visits import attendance, undoing
from clinic.models import Role, Site, SiteRole, Staff
from tests.appointments.conftest import FIRST, Book, Wish, at

pytestmark = pytest.mark.django_db
DAYS = timedelta(days=1)


def done_on(visit: Appointment, day: date) -> None:
    """As the import of a former system's history writes it."""
    starts, ends = at(day, "10:00"), at(day, "11:30")
    Appointment.objects.filter(pk=visit.pk).update(
        state="done", starts_at=starts, ends_at=ends, done_at=ends
    )


def test_starting_waits_for_what_was_done_lately_on_the_same_area(
    arrived: Appointment,
    book: Book,
    wish: Wish,
    provider: Staff,
    front_desk: Staff,
    other_site: Site,
) -> None:
    now = at(FIRST, "10:00")
    # What somebody may at another site counts there alone.
    SiteRole.objects.create(staff=front_desk, site=other_site, role=Role.PROVIDER)
    (face,) = book(wish(FIRST + 182 * DAYS)).appointments.all()
    (hands,) = book(wish(FIRST + 183 * DAYS), areas=["hands"]).appointments.all()
    done_on(hands, FIRST - 3 * DAYS)
    done_on(face, FIRST - 14 * DAYS)
    with pytest.raises(Barred) as caught:
        attendance.start(appointment=arrived, by=provider, now=now)
    (bar,) = caught.value.bars
    assert (bar.code, bar.until) == ("spacing_too_short", FIRST + 7 * DAYS)
    assert bar.sentence.startswith("RF microneedling was done on")
    with override("es"):
        assert "Radiofrecuencia con microagujas" in bar.sentence
    with pytest.raises(Barred):
        attendance.start(appointment=arrived, by=front_desk, now=now, override_reason="It hurries")
    started = attendance.start(appointment=arrived, by=provider, now=now, override_reason="Healed")
    assert started.overrides == ["spacing_too_short"]
    # The reason was for that start; once it is taken back, the next one is asked about again.
    back = undoing.undo(appointment=started, by=provider, now=now)
    with pytest.raises(Barred):
        attendance.start(appointment=back, by=provider, now=now)


@pytest.mark.parametrize(("days_ago", "why"), [(21, ""), (14, "She flies home")])
def test_what_was_done_long_ago_or_booked_so_on_purpose_bars_nothing(
    arrived: Appointment, book: Book, wish: Wish, provider: Staff, days_ago: int, why: str
) -> None:
    (face,) = book(wish(FIRST + 182 * DAYS)).appointments.all()
    done_on(face, FIRST - days_ago * DAYS)
    if why:
        arrived.overrides, arrived.override_reason = ["spacing_too_short"], why
        arrived.save()
    assert attendance.start(appointment=arrived, by=provider, now=at(FIRST, "10:00")).pk
