"""What the database itself refuses of imports."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment, BroughtOver, ColumnNaming, Import, ImportRow
from clinic.models import Staff
from patients.models import Patient
from tests.appointments.importing.conftest import HEADER, BringOver, as_file, person
from tests.appointments.test_constraints import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(upload: Callable[[bytes], Import]) -> Import:
    return upload(as_file(HEADER, person(1)))


def test_an_import_works_in_a_phase_and_is_run_by_somebody(source: Import, now: datetime) -> None:
    rows = Import.objects.filter(pk=source.pk)
    refused("import_state_known", lambda: rows.update(state="asleep"))
    refused("import_works_in_a_phase", lambda: rows.update(state="checking"))
    refused("import_works_in_a_phase", lambda: rows.update(phase="people"))
    refused("import_run_by_somebody", lambda: rows.update(state="running", phase="people"))
    refused("import_in_order", lambda: rows.update(finished_at=now - timedelta(days=1)))


def test_a_row_stands_once_with_a_known_outcome(source: Import) -> None:
    row = ImportRow.objects.create(source=source, number=2)
    refused("import_row_once", lambda: ImportRow.objects.create(source=source, number=2))
    rows = ImportRow.objects.filter(pk=row.pk)
    refused("import_row_outcome_known", lambda: rows.update(outcome="perhaps"))


def test_columns_are_remembered_once_for_a_header(source: Import, now: datetime) -> None:
    one = {"site": source.site, "signature": "s", "mapping": {}, "named_at": now}
    ColumnNaming.objects.create(**one)
    refused("column_naming_once", lambda: ColumnNaming.objects.create(**one))


def test_what_was_brought_over_stands_once_by_its_key(source: Import, patient: Patient) -> None:
    one = {"site": source.site, "key": "k", "patient": patient, "source": source}
    BroughtOver.objects.create(**one, kind="patient", subject=patient.pk)
    refused(
        "brought_over_once",
        lambda: BroughtOver.objects.create(**one, kind="patient", subject=patient.pk),
    )
    refused("brought_over_has_a_subject", lambda: BroughtOver.objects.create(**one, kind="series"))
    # A visit that waits for a place has become nothing yet.
    BroughtOver.objects.create(**one, kind="visit")


def test_an_imported_visit_knows_the_start_it_had(visits: list[Appointment], now: datetime) -> None:
    rows = Appointment.objects.filter(pk=visits[0].pk)
    refused("appointment_import_whole", lambda: rows.update(imported_at=now))


def test_whoever_imports_is_named(bring_over: BringOver, manager: Staff) -> None:
    assert bring_over(as_file(HEADER, person(1))).run_by == manager
