"""Planning and dispatch at the same moment, on the same messages."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F

from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import MessageState
from reminders.journeys import replanning
from reminders.ledger import claiming
from reminders.models import Message
from tests.personas import a_patient
from tests.processes import eventually
from tests.reminders.ledger import a_visit

pytestmark = pytest.mark.django_db(transaction=True)


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_changed_site_waits_for_its_patients_in_their_order(
    patient: Patient, site: Site, protocol: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    following = a_patient(site, front_desk, now)
    for each in (patient, following):
        a_visit(each, site, protocol, now=now)
    replanning.sync_stale(now=now)
    # The first row is now the last of its table.
    Patient.objects.filter(pk=patient.pk).update(notes="Moved to the end.")
    Site.objects.filter(pk=site.pk).update(revision=F("revision") + 1)
    faults: list[BaseException] = []

    def plan() -> None:
        try:
            replanning.sync_stale(now=now)
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)
        finally:
            connection.close()

    planner = threading.Thread(target=plan)
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient.pk)
        planner.start()
        eventually(_waits_for_a_lock)
        Patient.objects.select_for_update(nowait=True).get(pk=following.pk)
    planner.join(20)
    assert not planner.is_alive()
    assert not faults


def test_planning_never_changes_a_message_whose_claim_is_just_being_committed(
    patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime
) -> None:
    a_visit(patient, site, protocol, now=now)
    replanning.sync_stale(now=now)
    # Something that the plan will change once it looks.
    Message.objects.update(why=["former"])
    due = now + timedelta(hours=1)
    faults: list[BaseException] = []

    def plan() -> None:
        try:
            Patient.objects.filter(pk=patient.pk).raise_revision()
            replanning.sync_stale(now=due)
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)
        finally:
            connection.close()

    planner = threading.Thread(target=plan)
    with transaction.atomic():
        claim = claiming.claim(now=due, until=due + timedelta(minutes=1), limit=64)
        assert claim.revisions
        planner.start()
        eventually(_waits_for_a_lock)
    planner.join(20)
    assert not planner.is_alive()
    assert not faults
    states = Message.objects.filter(pk__in=claim.revisions).values_list("state", flat=True)
    assert set(states) == {MessageState.CLAIMED}
