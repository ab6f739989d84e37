"""An adverse event after session 2 freezes the journey there, and its closing resumes it."""

from datetime import date, datetime, timedelta

import pytest

from appointments.charting import reporting
from appointments.clearance import Barred
from appointments.models import Appointment
from appointments.visits import attendance, booking
from clinic.models import OnCallShift, Site, Staff
from patients import consent
from patients.models import Patient
from reminders.inbound import paging
from reminders.models import Message
from reminders.stand_in import StandIn
from tests.appointments.conftest import Book, Wish
from tests.stories.conftest import Advance

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND, THIRD = date(2027, 3, 4), date(2027, 4, 1), date(2027, 4, 29)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FROZEN = ("progress_milestone", "touchup_prompt")


def test_after_session_two(
    book: Book,
    wish: Wish,
    site: Site,
    patient: Patient,
    providers: StandIn,
    advance: Advance,
    provider: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    """Edge case 8."""
    for purpose, channel in (("photos", "any"), ("marketing", "email"), ("phi_detail", "any")):
        consent.give(patient=patient, purpose=purpose, channel=channel, by=front_desk, now=now)
    series = book(wish(FIRST), wish(SECOND), sessions=3)
    first, second = series.appointments.order_by("session")
    advance(now + 5 * MINUTE)

    def treat(visit: Appointment) -> datetime:
        attendance.check_in(appointment=visit, by=front_desk, now=visit.starts_at)
        attendance.start(appointment=visit, by=provider, now=visit.starts_at)
        attendance.complete(appointment=visit, by=provider, now=visit.starts_at + HOUR)
        return visit.starts_at + HOUR

    def states(*kinds: str) -> set[tuple[str, str]]:
        rows = Message.objects.filter(kind__in=kinds, claimed_at=None)
        return set(rows.exclude(state="withdrawn").values_list("state", "reason"))

    advance(treat(first) + HOUR)
    done = treat(second)
    advance(done + HOUR)
    assert ("scheduled", "") in states(*FROZEN)
    OnCallShift.objects.create(
        site=site, staff=provider, starts_at=done, ends_at=done + 2 * DAY, phone="+12125550177"
    )

    # The patient calls in the evening: a blister. Three fields, and it is out of the desk's hands.
    called = done + 6 * HOUR
    event = reporting.report(
        patient=patient,
        site=site,
        appointment=second,
        what="Blister on the left cheek",
        severity="moderate",
        noticed_at=called,
        areas=["face"],
        by=front_desk,
        now=called,
    )
    paging.page_for_events(now=called)
    heard = len(providers.texts)
    advance(called)
    pages = [text.text for text in providers.texts[heard:] if text.to == "+12125550177"]
    assert len(pages) == 1 and f"/events/{event.pk}/" in pages[0]
    assert "Elena" not in pages[0] and "lister" not in pages[0]
    reporting.take(event=event, by=provider, now=called + 5 * MINUTE)
    assert paging.page_for_events(now=called + HOUR) == 0

    # Promotion and photos wait, the check-ins go on, and nothing further is booked.
    assert states(*FROZEN) == {("skipped", "adverse_event")}
    checkin = Message.objects.filter(kind="checkin", session=2, state="scheduled").earliest(
        "due_at"
    )
    advance(checkin.due_at + HOUR)
    checkin.refresh_from_db()
    assert checkin.state == "accepted"
    with pytest.raises(Barred):
        booking.add_visit(series=series, visit=wish(THIRD), by=front_desk, now=called + DAY)

    # A clinician closes it, and the journey goes on.
    healed = done + 10 * DAY
    reporting.close(
        event=event, outcome="resolved", conclusion="Healed, no trace", by=provider, now=healed
    )
    advance(healed)
    assert ("skipped", "adverse_event") not in states(*FROZEN)
    assert ("scheduled", "") in states(*FROZEN)
    third = booking.add_visit(series=series, visit=wish(THIRD), by=front_desk, now=healed)
    advance(healed + 5 * MINUTE)
    assert third.session == 3
    assert any("Thu 29 Apr" in text.text for text in providers.texts)
