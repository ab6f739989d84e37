"""Who is on the list and who is not, what a call changes, and whom it refuses."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from appointments.lifecycle import State
from appointments.models import (
    AdverseEvent,
    Appointment,
    RecallAttempt,
    RecallOutcome,
    TreatmentRecord,
    TreatmentSeries,
)
from appointments.proposing import starts_between
from appointments.recalling import asking, listing
from appointments.recalling.asking import NotToCome
from appointments.recalling.best_places import best_places
from appointments.recalling.listing import Due
from appointments.recalling.windows import Cause
from appointments.visits import booking
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Resource, ResourceKind, Site, Staff
from clinic.wall_time import local
from patients.models import Patient
from tests.api import api, refused
from tests.history import a_past_visit, treated_by
from tests.personas import a_patient

pytestmark = pytest.mark.django_db

Seen = Callable[..., Appointment]
DAY = timedelta(days=1)


@pytest.fixture
def seen(site: Site, patient: Patient, house: ProtocolVersion) -> Seen:
    return partial(a_past_visit, patient, site, house)


@pytest.fixture
def today(site: Site, now: datetime) -> date:
    return local(now, site.zone).date()


@pytest.fixture
def due(site: Site, front_desk: Staff, now: datetime) -> Callable[[], list[Due]]:
    return lambda: listing.due_at(site, front_desk, now=now)


def test_an_unfinished_series_is_due_by_its_window(
    seen: Seen, today: date, due: Callable[[], list[Due]]
) -> None:
    visit = seen(today - 20 * DAY, sessions=3)
    [row] = due()
    assert (row.cause, row.session, row.series) == (Cause.NEXT_SESSION, 2, visit.series)
    assert row.window is not None and row.window.ideal == today + 8 * DAY
    assert row.last == visit


@pytest.mark.parametrize("imported", [False, True])
def test_who_treated_them_last_is_said(
    seen: Seen,
    today: date,
    treatment_provider: Resource,
    due: Callable[[], list[Due]],
    now: datetime,
    imported: bool,
) -> None:
    visit = seen(today - 20 * DAY, sessions=3)
    last = Resource.objects.create(kind=ResourceKind.PROVIDER, name="Ana")
    if imported:
        Appointment.objects.update(imported_at=now, imported_start=visit.starts_at)
        treated_by(visit, last, active=False)
    else:
        treated_by(visit, treatment_provider, last)
    assert [row.provider for row in due()] == [last]


def test_who_has_a_visit_to_come_or_just_was_here_is_not_called(
    seen: Seen, today: date, due: Callable[[], list[Due]]
) -> None:
    booked = seen(today - 20 * DAY, sessions=3)
    seen(today + DAY, State.CONFIRMED, series=booked.series, session=2)
    seen(today - DAY, sessions=3)
    assert due() == []


def test_who_missed_a_session_comes_first(
    seen: Seen, today: date, due: Callable[[], list[Due]]
) -> None:
    late = seen(today - 90 * DAY, sessions=3)
    missed = seen(today - 28 * DAY, sessions=3)
    seen(today - DAY, State.NO_SHOW, series=missed.series, session=2)
    assert [(row.cause, row.series) for row in due()] == [
        (Cause.MISSED, missed.series),
        (Cause.NEXT_SESSION, late.series),
    ]


def test_a_touch_up_is_due_until_the_treatment_is_booked_again(
    seen: Seen, today: date, due: Callable[[], list[Due]]
) -> None:
    old = seen(today - 200 * DAY, ended="completed")
    [row] = due()
    assert (row.cause, row.series) == (Cause.TOUCH_UP, old.series)
    seen(today - DAY, State.CANCELLED, booked=today - 2 * DAY, sessions=1)
    # The new series is open with nothing booked: it is due, the old one is not any more.
    assert [row.cause for row in due()] == [Cause.NEXT_SESSION]


def test_a_series_with_all_its_sessions_and_who_must_not_be_asked_are_nobody_s_work(
    seen: Seen, today: date, patient: Patient, now: datetime, due: Callable[[], list[Due]]
) -> None:
    seen(today - 30 * DAY, sessions=1)
    assert due() == []
    seen(today - 30 * DAY, sessions=2)
    assert len(due()) == 1
    patient.do_not_contact_at, patient.do_not_contact_why = now, "Asked us to stop"
    patient.save()
    assert due() == []
    patient.do_not_contact_at, patient.do_not_contact_why = None, ""
    patient.deceased_at = now
    patient.save()
    assert due() == []


def test_a_session_in_which_nothing_was_treated_moves_no_window(
    seen: Seen, today: date, provider: Staff, now: datetime, due: Callable[[], list[Due]]
) -> None:
    visit = seen(today - 30 * DAY, sessions=3)
    aborted = seen(today - DAY, series=visit.series, session=2)
    TreatmentRecord.objects.create(
        appointment=aborted, protocol_version=aborted.protocol_version, drafted_by=provider,
        created_at=now, saved_at=now, outcome="aborted",
    )  # fmt: skip
    [row] = due()
    assert row.window is not None and row.window.ideal == today - 2 * DAY


def test_other_sites_see_nothing_of_it(
    seen: Seen, today: date, site: Site, outsider: Staff, now: datetime
) -> None:
    seen(today - 30 * DAY, sessions=2)
    assert listing.due_at(site, outsider, now=now) == []


def test_after_a_call_the_patient_is_left_alone_until_the_day(
    seen: Seen, today: date, site: Site, front_desk: Staff, now: datetime
) -> None:
    series = seen(today - 30 * DAY, sessions=2).series
    made = asking.ask(series=series, outcome=RecallOutcome.NO_ANSWER, by=front_desk, now=now)
    assert made.again_on == today + 3 * DAY
    assert listing.due_at(site, front_desk, now=now + 2 * DAY) == []
    [row] = listing.due_at(site, front_desk, now=now + 3 * DAY)
    assert (row.attempts, row.asked) == (1, made)
    entry = AuditEntry.objects.get(action="recall.ask")
    assert (entry.by, entry.patient_id) == (front_desk, series.patient_id)


def test_who_declined_stays_off_the_list_until_the_next_visit(
    seen: Seen, today: date, site: Site, front_desk: Staff, now: datetime
) -> None:
    series = seen(today - 30 * DAY, sessions=3).series
    asking.ask(series=series, outcome=RecallOutcome.DECLINED, by=front_desk, now=now)
    assert listing.due_at(site, front_desk, now=now + 300 * DAY) == []
    seen(today + 40 * DAY, series=series, session=2)
    [row] = listing.due_at(site, front_desk, now=now + 80 * DAY)
    assert (row.session, row.attempts) == (3, 0)


@pytest.mark.parametrize("days", [0, -1, 2000])
def test_a_day_that_cannot_be_is_refused(
    seen: Seen, today: date, front_desk: Staff, now: datetime, days: int
) -> None:
    series = seen(today - 30 * DAY, sessions=2).series
    with pytest.raises(NotToCome):
        asking.ask(
            series=series,
            outcome=RecallOutcome.LATER,
            again_on=today + days * DAY,
            by=front_desk,
            now=now,
        )
    assert not RecallAttempt.objects.exists()


def test_an_outsider_writes_nothing(
    seen: Seen, today: date, outsider: Staff, now: datetime
) -> None:
    series = seen(today - 30 * DAY, sessions=2).series
    with pytest.raises(Forbidden):
        asking.ask(series=series, outcome=RecallOutcome.LATER, by=outsider, now=now)


@pytest.mark.parametrize("changes", [{"outcome": "perhaps"}, {"again_on": None}])
def test_the_database_keeps_attempts_whole(
    seen: Seen, today: date, front_desk: Staff, now: datetime, changes: dict[str, object]
) -> None:
    series = seen(today - 30 * DAY, sessions=2).series
    row = {"series": series, "at": now, "by": front_desk, "outcome": "later", "again_on": today}
    with pytest.raises(IntegrityError), transaction.atomic():
        RecallAttempt.objects.create(**{**row, **changes})


@pytest.fixture
def equipped(treatment_provider: Resource, room: Resource, needling_device: Resource) -> Resource:
    """What a visit of the house needs."""
    return treatment_provider


def test_another_protocol_of_the_same_modality_ends_the_touch_up(
    seen: Seen, today: date, patient: Patient, site: Site, house: ProtocolVersion,
    due: Callable[[], list[Due]],
) -> None:  # fmt: skip
    seen(today - 200 * DAY, ended="completed")
    assert [row.cause for row in due()] == [Cause.TOUCH_UP]
    other = ProtocolVersion.objects.create(
        protocol="other_needling", version="1.0.0", kind=house.kind, name="Other needling",
        modality=house.modality, document=house.document | {"id": "other_needling"},
        digest="0" * 64, created_at=house.created_at,
    )  # fmt: skip
    a_past_visit(patient, site, other, today - 3 * DAY, sessions=2)
    assert due() == []


def test_who_has_an_open_adverse_event_is_marked_and_gets_no_place(
    seen: Seen, today: date, site: Site, provider: Staff, equipped: Resource, now: datetime,
    due: Callable[[], list[Due]],
) -> None:  # fmt: skip
    series = seen(today - 30 * DAY, sessions=3).series
    event = AdverseEvent.objects.create(
        patient=series.patient, site=site, areas=["face"], what="Blister",
        severity="moderate", noticed_at=now, reported_at=now, reported_by=provider,
    )  # fmt: skip
    [row] = due()
    assert row.has_open_event
    assert best_places([row], site=site, now=now) == {}
    event.areas = ["hands"]
    event.save()
    [row] = due()
    assert not row.has_open_event
    assert series.pk in best_places([row], site=site, now=now)


def test_the_best_place_is_the_first_from_the_ideal_day_on_that_nothing_bars(
    seen: Seen, today: date, site: Site, equipped: Resource, front_desk: Staff, patient: Patient,
    house: ProtocolVersion, now: datetime, due: Callable[[], list[Due]],
) -> None:  # fmt: skip
    series = seen(today - 20 * DAY, sessions=3).series
    [row] = due()
    assert row.window is not None
    best = best_places([row], site=site, now=now)[series.pk]
    day = local(best.starts_at, site.zone).date()
    assert row.window.ideal <= day <= row.window.closes
    assert best.provider == equipped
    earlier = starts_between(
        patient=patient, site=site, version=house, areas=["face"], first_day=row.window.ideal,
        last_day=day, now=now,
    )  # fmt: skip
    assert earlier[0] == best.starts_at
    # What is booked there is gone, and what is long over is offered at once.
    booking.add_visit(series=series, visit=best.wish, by=front_desk, now=now)
    other = a_patient(site, front_desk, now, given="Omar", phone="+12125550188", email="")
    late = a_past_visit(other, site, house, today - 90 * DAY, sessions=3).series
    [row] = due()
    assert row.series == late
    soon = best_places([row], site=site, now=now)[late.pk]
    assert local(soon.starts_at, site.zone).date() - today <= 7 * DAY


def test_ten_times_the_patients_cost_no_more_queries(
    seen: Seen,
    today: date,
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            best_places(listing.due_at(site, front_desk, now=now), site=site, now=now)
        return len(captured)

    series = seen(today - 30 * DAY, sessions=2).series
    asking.ask(series=series, outcome=RecallOutcome.LATER, by=front_desk, now=now - 60 * DAY)
    before = asked()
    for number in range(9):
        other = a_patient(site, front_desk, now, given=f"P{number}", phone=f"+1212555015{number}")
        a_past_visit(other, site, house, today - 30 * DAY, sessions=2)
    assert len(listing.due_at(site, front_desk, now=now)) == 10
    assert asked() == before


# --- The API --------------------------------------------------------------------------------------


def test_the_api_lists_and_writes(seen: Seen, site: Site, front_desk: Staff) -> None:
    series: TreatmentSeries = seen(timezone.localdate() - 31 * DAY, sessions=2).series
    client = api(front_desk)
    [row] = client.get("/api/v1/recall/", {"site": site.pk}).json()
    assert (row["series"], row["cause"], row["session"]) == (series.pk, "next_session", 2)
    assert set(row["window"]) == {"opens", "ideal", "closes"}
    sent = {"series": series.pk, "outcome": "declined", "note": "Moved away"}
    answer = client.post("/api/v1/recall/", sent)
    assert (answer.status_code, answer.json()["note"]) == (201, "Moved away")
    assert client.get("/api/v1/recall/", {"site": site.pk}).json() == []


def test_the_api_refuses_who_is_not_from_here(
    seen: Seen, site: Site, front_desk: Staff, outsider: Staff, today: date
) -> None:
    series = seen(today - 30 * DAY, sessions=2).series
    assert api(outsider).get("/api/v1/recall/", {"site": site.pk}).status_code == 404
    sent = {"series": series.pk, "outcome": "later"}
    assert api(outsider).post("/api/v1/recall/", sent).status_code == 404
    assert api().get("/api/v1/recall/", {"site": site.pk}).status_code == 401
    past = {**sent, "again_on": "2020-01-01"}
    refused(api(front_desk).post("/api/v1/recall/", past), 400, "not_to_come", "again_on")
