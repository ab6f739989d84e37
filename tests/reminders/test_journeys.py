"""Keeping the ledger equal to the plan, for many patients."""

from datetime import datetime, timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment, Task
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import Kind
from reminders.journeys import replanning
from reminders.models import Message, MessageItem
from tests.personas import a_patient
from tests.reminders.ledger import a_visit

pytestmark = pytest.mark.django_db


def test_a_patient_who_cannot_be_planned_holds_up_nobody_else(
    visit: Appointment,
    patient: Patient,
    site: Site,
    protocol: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    replanning.sync_stale(now=now)
    # A broken ledger: what this patient's plan wants stands under another's name.
    stranger, following = (a_patient(site, front_desk, now, given=name) for name in ("A", "B"))
    Message.objects.update(patient=stranger)
    replanning.sync_stale(now=now)
    Patient.objects.filter(pk=patient.pk).raise_revision()
    a_visit(following, site, protocol, now=now)
    Patient.objects.filter(pk=following.pk).raise_revision()
    assert replanning.sync_stale(now=now) == 1
    assert Message.objects.filter(patient=following).exists()
    assert list(Patient.objects.stale()) == [patient]


def test_one_ring_plans_a_backlog_or_as_much_of_it_as_there_is_time(
    site: Site, front_desk: Staff, now: datetime
) -> None:
    people = [a_patient(site, front_desk, now, given=name) for name in ("A", "B", "C")]
    looks: list[datetime] = []

    def clock() -> datetime:
        looks.append(now)
        return now

    replanning.plan_stale(clock=clock, seconds=0, at_once=2)
    assert list(Patient.objects.stale()) == people[2:]
    Patient.objects.filter(pk__in=[each.pk for each in people]).raise_revision()
    looks.clear()
    replanning.plan_stale(clock=clock, seconds=60, at_once=2)
    assert not Patient.objects.stale().exists()
    assert len(looks) == 3  # two, one, and nobody


def test_a_booking_is_told_after_the_notice_hold_of_its_site(
    visit: Appointment, patient: Patient, site: Site, now: datetime
) -> None:
    assert site.notice_hold_seconds == 180
    for seconds in (180, 600):
        Site.objects.filter(pk=site.pk).update(notice_hold_seconds=seconds)
        Patient.objects.filter(pk=patient.pk).raise_revision()
        replanning.sync_stale(now=now)
        told = Message.objects.filter(kind=Kind.BOOKING_CONFIRMED, state="scheduled")
        assert set(told.values_list("due_at", flat=True)) == {now + timedelta(seconds=seconds)}


def test_what_was_withdrawn_comes_back_with_all_that_it_says_and_so_do_tasks(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    def planned_as(**changes: object) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        Appointment.objects.filter(pk=visit.pk).update(**changes)
        Patient.objects.filter(pk=patient.pk).raise_revision()
        assert replanning.sync_stale(now=now) == 1
        items = MessageItem.objects.filter(live=True).exclude(message__state="withdrawn")
        tasks = Task.objects.filter(closed_at=None, outcome="")
        return set(items.values_list("anchor", "step")), set(tasks.values_list("key", "title"))

    said, asked = planned_as(state="booked")
    assert said and asked
    assert planned_as(state="cancelled", closed_at=now) == (set(), set())
    assert planned_as(state="booked", closed_at=None) == (said, asked)
    dead = MessageItem.objects.filter(live=False)
    assert not dead.exclude(message__state="withdrawn").exists()


def test_it_takes_as_many_queries_to_plan_many_as_one(
    site: Site, protocol: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    counted = []
    for size in (1, 5):
        for _ in range(size):
            someone = a_patient(site, front_desk, now)
            a_visit(someone, site, protocol, now=now)
            Patient.objects.filter(pk=someone.pk).raise_revision()
        with CaptureQueriesContext(connection) as queries:
            assert replanning.sync_stale(now=now, limit=size) == size
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 30


def test_a_planner_that_is_told_to_stop_takes_it_for_no_patients_fault(
    visit: Appointment, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(facts: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(replanning, "plan", stops)
    Patient.objects.all().raise_revision()
    with pytest.raises(SoftTimeLimitExceeded):
        replanning.sync_stale(now=now)
