"""When the time of an erased record is over everything of it goes, and never before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from appointments.lifecycle import State
from appointments.models import (
    Addendum,
    AdverseEvent,
    Appointment,
    OutcomeScore,
    Photo,
    SessionCredit,
    StatusChange,
    TreatmentRecord,
)
from appointments.photos import keeping
from clinic import retention
from clinic.models import AuditEntry, ProtocolVersion, Site, Staff
from patients.models import Patient, ScreeningAnswer, ScreeningDecision, SignedForm
from reminders.records import ending
from tests.reminders.ledger import a_visit
from tests.reminders.records.rows import Furnisher

pytestmark = pytest.mark.django_db

DESTROYED = (
    *(Addendum, TreatmentRecord, SessionCredit, OutcomeScore, AdverseEvent, Photo),
    *(SignedForm, ScreeningAnswer, ScreeningDecision),
)
# Long ago, by the database's own clock too.
TREATED = datetime(2014, 3, 5, 15, tzinfo=UTC)


@pytest.fixture
def record(
    patient: Patient, site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime,
    settings: Any, tmp_path: Path,
) -> Photo:  # fmt: skip
    """A patient who was treated long ago, with a row of everything; the photo lies on the disk."""
    settings.PRIVATE_ROOT = tmp_path
    visit = a_visit(patient, site, protocol, now=TREATED - timedelta(days=9), starts_at=TREATED)
    visit.state, visit.done_at = State.DONE, visit.ends_at
    visit.save()
    rows = Furnisher(patient, site=site, staff=front_desk, now=now)
    rows.known |= {Appointment: visit, type(visit.series): visit.series}
    for model in DESTROYED:
        rows.row(model)
    StatusChange.objects.create(
        appointment=visit, at=now, move="cancel", state_after="cancelled",
        starts_after=visit.starts_at, reason="Elena is ill",
    )  # fmt: skip
    photo = Photo.objects.get()
    keeping.keep(photo.key, {"full": b"a picture"})
    return photo


def erased(patient: Patient, now: datetime) -> None:
    Patient.objects.filter(pk=patient.pk).update(erased_at=now, kept_until=now.date())


def left(patient: Patient) -> dict[str, int]:
    return {
        model.__name__: count for model in DESTROYED if (count := model._default_manager.count())
    }


def test_everything_that_was_kept_goes_and_the_trail_says_so(
    record: Photo, patient: Patient, now: datetime
) -> None:
    assert len(left(patient)) == len(DESTROYED)
    assert ending.finish(now=now) == 0
    erased(patient, now)
    assert ending.finish(now=now) == 1 and ending.finish(now=now) == 0
    assert left(patient) == {}
    with pytest.raises(FileNotFoundError):
        keeping.read(record.key, "full")
    patient.refresh_from_db()
    assert (patient.legal_given, patient.skin_type, patient.kept_until) == ("Erased", "", None)
    assert not StatusChange.objects.exclude(reason="").exists()
    assert Appointment.objects.filter(series__patient=patient).exists()
    entry = AuditEntry.objects.get(action="patient.erase_rest")
    assert entry.after["rows"] >= len(DESTROYED)


def test_nothing_goes_before_its_day_has_begun_everywhere(
    record: Photo, patient: Patient, now: datetime
) -> None:
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    Patient.objects.filter(pk=patient.pk).update(erased_at=now, kept_until=day.date())
    # It is the evening before where the clocks are behind.
    assert ending.finish(now=day + timedelta(hours=11, minutes=59)) == 0
    assert ending.finish(now=day + timedelta(hours=12)) == 1


def test_what_has_to_be_kept_longer_since_is_kept(
    record: Photo, patient: Patient, site: Site, manager: Staff, now: datetime
) -> None:
    erased(patient, now)
    retention.decide(
        site=site, begins_on=now.date(), years=20, basis="A new law", by=manager, now=now
    )
    assert ending.finish(now=now) == 0
    patient.refresh_from_db()
    assert patient.kept_until is not None and patient.kept_until.year == 2034
    assert keeping.read(record.key, "full") and len(left(patient)) == len(DESTROYED)


@pytest.mark.parametrize("case", ["not erased", "treated lately", "said to be untreated"])
def test_the_database_destroys_nothing_before(
    record: Photo, patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime,
    case: str, as_owner: Any,
) -> None:  # fmt: skip
    visit = a_visit(patient, site, protocol, now=now, starts_at=now)
    if case != "not erased":
        visit.state, visit.done_at = State.DONE, visit.ends_at
        visit.save()
        erased(patient, now)
    if case == "said to be untreated":
        StatusChange.objects.create(
            appointment=visit, at=now, move="complete", state_after="done", starts_after=now
        )
        Appointment.objects.filter(pk=visit.pk).update(state="in_treatment", done_at=None)
    if case == "treated lately":
        # Whoever runs it, with whatever day in the row: it stays, and nothing stands still.
        assert ending.finish(now=now + timedelta(days=9999)) == 0
    for statement in (
        f"SELECT afterglow_destroy({patient.pk})",
        "DELETE FROM appointments_addendum",
        "DELETE FROM patients_signedform",
        "DELETE FROM patients_screeninganswer",
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            as_owner(statement)
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE afterglow_app")
    assert len(left(patient)) == len(DESTROYED)
