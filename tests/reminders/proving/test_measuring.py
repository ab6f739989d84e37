"""The engine's figures: what waits, what is in hand, what went wrong and how late it all is."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment
from clinic.models import Site
from patients.models import Patient
from reminders.catalogue import Kind, MessageState
from reminders.channels.base import Outcome, Submission
from reminders.models import Message
from reminders.proving.measuring import RECENT, measure
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, queued

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_an_idle_house_has_nothing_to_tell(visit: Appointment, now: datetime) -> None:
    Patient.objects.update(planned_revision=1, revision=1)
    found = measure(now=now)
    assert (found.due.total(), found.oldest_due, found.unknown, found.unplanned) == (0, 0, 0, 0)
    assert found.lateness == (0.0, 0.0)
    assert found.is_late is False


def test_due_messages_are_counted_by_priority_with_the_age_of_the_oldest(
    visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now - MINUTE)
    queued(visit, now=now - 3 * MINUTE, kind=Kind.PRECARE_STEP, steps=["sun"])
    queued(visit, now=now + MINUTE, kind=Kind.NUDGE)
    found = measure(now=now)
    assert found.due == {0: 1, 2: 1}
    assert found.oldest_due == 180
    assert found.is_late


def test_what_waits_for_planning_is_not_due_but_counted_as_unplanned(
    visit: Appointment, patient: Patient, site: Site, now: datetime
) -> None:
    queued(visit, now=now - 3 * MINUTE)
    Patient.objects.filter(pk=patient.pk).raise_revision()
    found = measure(now=now)
    assert (found.due.total(), found.unplanned) == (0, 1)


def test_claims_and_unknown_outcomes_show_and_a_dead_claim_makes_it_late(
    visit: Appointment, now: datetime, as_owner: Callable[[str], None]
) -> None:
    queued(visit, now=now)
    lost = Submission(outcome=Outcome.UNKNOWN, code="timeout")
    dispatch.send_due(now=now, channel=Recorder(lost))
    queued(visit, now=now, kind=Kind.REMINDER_FINAL)
    as_owner(
        f"""UPDATE reminders_message SET state = 'submitting', claim_token = gen_random_uuid(),
            leased_until = '{(now + MINUTE / 2).isoformat()}' WHERE state = 'scheduled'"""
    )
    found = measure(now=now + 4 * MINUTE)
    assert (found.unknown, found.submitting, found.lapsed) == (1, 1, 1)
    assert found.oldest_unknown == pytest.approx(240, abs=2)
    assert found.is_late
    assert found.outcomes == {("recorder", "unknown", "timeout"): 1}
    assert not measure(now=now + MINUTE / 4).is_late


def test_lateness_is_from_due_to_the_first_attempt_and_forgets_what_is_long_ago(
    visit: Appointment, now: datetime
) -> None:
    first = queued(visit, now=now - 2 * MINUTE)
    Message.objects.filter(pk=first.pk).update(due_at=now - 60 * MINUTE)
    dispatch.send_due(now=now, channel=Recorder())
    assert Message.objects.get(pk=first.pk).state == MessageState.ACCEPTED
    median, high = measure(now=now + MINUTE).lateness
    # It came to be two minutes ago: no drain could have sent it before.
    assert median == high == pytest.approx(120, abs=2)
    later = measure(now=now + RECENT + MINUTE)
    assert later.lateness == (0.0, 0.0)
    assert not later.outcomes
