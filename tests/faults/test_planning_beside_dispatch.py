"""Planning and dispatch at the same moment, on the same messages, and planning beside staff."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from appointments import tasks
from appointments.models import Task
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import Kind, MessageState
from reminders.journeys import asking, replanning
from reminders.models import Message
from reminders.planning.wish import TaskWish
from reminders.sending import dispatch, taking
from reminders.sending.taking import Ready
from tests.personas import a_patient
from tests.processes import eventually
from tests.reminders.ledger import Recorder, a_visit, queued

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


def _in_a_thread(act: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    faults: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, faults


def test_a_cancellation_waits_for_a_mark_that_is_on_its_way_and_comes_after_it(
    patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime
) -> None:
    message = queued(a_visit(patient, site, protocol, now=now), now=now)
    channel = Recorder()
    acts: list[tuple[threading.Thread, list[BaseException]]] = []

    def cancelled_meanwhile(*letters: Any) -> dict[int, Ready]:
        def move() -> None:
            Patient.objects.filter(pk=patient.pk).raise_revision()
            replanning.sync_stale(now=now)

        acts.append(_in_a_thread(move))
        eventually(_waits_for_a_lock)
        return taking.write(*letters)

    dispatch.send_due(now=now, channel=channel, write=cancelled_meanwhile)
    [(planner, faults)] = acts
    planner.join(20)
    assert not planner.is_alive()
    assert not faults
    assert len(channel.sent) == 1
    assert Message.objects.get(pk=message.pk).state == MessageState.ACCEPTED


def test_a_message_whose_patient_somebody_holds_is_left_for_the_next_round(
    patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime
) -> None:
    message = queued(a_visit(patient, site, protocol, now=now), now=now)
    channel = Recorder()
    with transaction.atomic():
        Patient.objects.filter(pk=patient.pk).raise_revision()  # as a cancellation does
        sender, faults = _in_a_thread(lambda: dispatch.send_due(now=now, channel=channel))
        sender.join(20)
        assert not sender.is_alive()  # it does not wait
    assert not faults
    assert not channel.sent
    assert not dispatch.send_due(now=now, channel=channel)  # now it is to be planned first
    assert Message.objects.get(pk=message.pk).state == MessageState.SCHEDULED


def test_a_task_that_staff_close_while_it_is_planned_stays_as_they_closed_it(
    patient: Patient, site: Site, protocol: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    visit = a_visit(patient, site, protocol, now=now)

    def wish(step: str, due_at: datetime) -> TaskWish:
        return TaskWish(
            key=f"visit:{visit.pk}.{step}",
            kind=Kind.PRECARE_STEP,
            step=step,
            series_id=visit.series_id,
            visit_id=visit.pk,
            session=1,
            site_id=site.pk,
            due_at=due_at,
            title="Call",
            detail="Ask about the skin.",
            why=(),
        )

    asking.ask({patient.pk: [wish("moved", now), wish("dropped", now)]}, now=now)
    later = {patient.pk: [wish("moved", now + timedelta(hours=1))]}
    with transaction.atomic():
        for task in Task.objects.filter(key__startswith="plan."):
            tasks.close(task=task, by=front_desk, now=now, outcome="Done by phone.")
        planner, faults = _in_a_thread(lambda: asking.ask(later, now=now))
        eventually(_waits_for_a_lock)
    planner.join(20)
    assert not planner.is_alive()
    assert not faults
    closed = Task.objects.filter(key__startswith="plan.").values_list("outcome", "closed_by")
    assert list(closed) == [("Done by phone.", front_desk.pk)] * 2


def test_two_senders_at_once_take_different_messages(
    patient: Patient, site: Site, protocol: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    for each in (patient, a_patient(site, front_desk, now, phone="+12125550177")):
        queued(a_visit(each, site, protocol, now=now), now=now)
    first, second = Recorder(), Recorder()

    def another_meanwhile(*letters: Any) -> dict[int, Ready]:
        sender, faults = _in_a_thread(lambda: dispatch.send_due(now=now, channel=second))
        sender.join(20)
        assert not faults
        return taking.write(*letters)

    dispatch.send_due(now=now, window=1, channel=first, write=another_meanwhile)
    assert [len(each.sent) for each in (first, second)] == [1, 1]
    assert first.sent[0].reference != second.sent[0].reference
