"""A session that was aborted midway: after-care for what was treated, and no credit undecided."""

from datetime import date, datetime, timedelta

import pytest

from appointments.charting import crediting, drafting, signing
from appointments.charting.log import log_of
from appointments.models import Appointment, Task, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.visits import attendance
from clinic.models import Staff
from clinic.retelling import retold
from patients import consent
from patients.models import Patient
from reminders.models import Message
from reminders.stand_in import StandIn
from tests.appointments.charting.logs import a_log
from tests.appointments.conftest import Book, Wish
from tests.stories.conftest import Advance

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = date(2027, 3, 4), date(2027, 4, 1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_aftercare_is_about_what_was_treated_and_none_comes_where_nothing_was(
    book: Book,
    wish: Wish,
    patient: Patient,
    providers: StandIn,
    advance: Advance,
    provider: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    """Edge case 7."""
    consent.give(patient=patient, purpose="phi_detail", channel="any", by=front_desk, now=now)
    series: TreatmentSeries = book(wish(FIRST), wish(SECOND), areas=["face", "neck"])
    first, second = series.appointments.order_by("session")
    advance(now + 5 * MINUTE)

    def treat(visit: Appointment, document: object) -> datetime:
        """The log is written while treating; the visit is done and signed at once."""
        attendance.check_in(appointment=visit, by=front_desk, now=visit.starts_at)
        attendance.start(appointment=visit, by=provider, now=visit.starts_at + MINUTE)
        done = visit.starts_at + HOUR
        drafting.save(
            appointment=visit, log=log_of(document), by=provider, now=done, expected_version=0
        )
        signing.sign(appointment=visit, by=provider, now=done, complete=True)
        return done

    part = a_log(outcome="partial", note="Too painful on the neck")
    done = treat(first, {"session": part.session, "zones": part.zones, "note": part.note})
    heard = len(providers.mails)
    advance(done + HOUR)
    aftercare = [mail for mail in providers.mails[heard:] if "RF microneedling" in mail.text]
    assert aftercare and all("RF microneedling (Face)" in mail.text for mail in aftercare)
    assert Message.objects.filter(session=1, kind="postcare_0", state="accepted").count() == 2
    said = Message.objects.filter(session=1, kind="checkin").first()
    assert said is not None and any("(Face) only" in retold(why) for why in said.why)

    done = treat(second, {"session": {"outcome": "aborted"}, "note": "Felt faint before the start"})
    advance(done + HOUR)
    # Whatever was planned after the second session goes: there was none to care for.
    after = Message.objects.filter(session=2, kind__in=("postcare_0", "postcare_step", "checkin"))
    assert not after.exclude(state__in=("withdrawn", "skipped")).exists()
    # The follow-up of the series counts from the session that was.
    photo = Message.objects.filter(kind="progress_milestone", state="scheduled").first()
    assert photo is not None and photo.due_at < done + timedelta(weeks=4)
    series.refresh_from_db()
    assert series.state == SeriesState.OPEN
    assert Task.objects.filter(key=f"credit.visit:{second.pk}", closed_at=None).exists()
    for visit, counts in ((first, True), (second, False)):
        crediting.decide(
            appointment=visit, counts=counts, reason="Decided", by=provider, now=done + HOUR
        )
    series.refresh_from_db()
    assert (series.state, series.sessions) == (SeriesState.OPEN, 3)
