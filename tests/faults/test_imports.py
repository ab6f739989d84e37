"""A process that brings a file over is killed in the middle, and killed again: it ends, once."""

from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone

from appointments.importing import people_phase, working
from appointments.models import Appointment, BroughtOver, Import, ImportState, StatusChange
from clinic.models import AuditEntry, ProtocolVersion, Site, Staff
from patients.models import ContactPoint, Patient
from tests.appointments.importing.conftest import HEADER, VISITS, as_file, person
from tests.faults.born import Nursery
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

# What a worker does when Celery asks it.
WORKER = "from reminders.tasks import bring_over; bring_over()"
PEOPLE = 2 * people_phase.BATCH + 50


def test_an_import_that_is_killed_ends_exactly_once(
    nursery: Nursery, house: ProtocolVersion, site: Site, manager: Staff, tmp_path: Path
) -> None:
    done = ["RF microneedling", "face", "2026-11-02 10:00", "done", "", "", ""]
    file = tmp_path / "old.csv"
    file.write_bytes(
        as_file(
            HEADER + VISITS,
            *([*person(n, f"Ana{n}", f"Lind{n}"), f"v{n}", *done] for n in range(PEOPLE)),
        )
    )
    command = nursery.bear(
        "import_patients", str(file), f"--site={site.slug}", f"--by={manager.email}",
        PRIVATE_ROOT=str(tmp_path),
    )  # fmt: skip
    eventually(lambda: Import.objects.filter(state="running", done__gt=0).exists(), seconds=60)
    command.kill()
    left = Import.objects.get()
    assert left.is_working and 0 < left.done < PEOPLE
    worker = nursery.bear("shell", "--no-imports", "-c", WORKER, PRIVATE_ROOT=str(tmp_path))
    eventually(lambda: Import.objects.exclude(state="running", done=left.done).exists(), seconds=60)
    worker.kill()
    eventually(_goes_on, seconds=60)
    source = Import.objects.get()
    assert (source.state, source.rows) == (ImportState.DONE, PEOPLE)
    assert source.counts == {"people_create": PEOPLE, "series": PEOPLE, "history": PEOPLE}
    written = (Patient, Appointment, StatusChange)
    assert [model._default_manager.count() for model in written] == [PEOPLE] * 3
    assert ContactPoint.objects.count() == 2 * PEOPLE
    assert Counter(BroughtOver.objects.values_list("kind", flat=True)) == dict.fromkeys(
        ("patient", "series", "visit"), PEOPLE
    )
    entries = Counter(AuditEntry.objects.values_list("action", flat=True))
    assert entries["patient.import"] == PEOPLE and entries["import.finish"] == 1


def _goes_on() -> bool:
    """Whether it has ended, after another worker was at it."""
    working.work(clock=timezone.now)
    return not Import.objects.get().is_working
