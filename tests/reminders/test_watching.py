"""What does not leave is noticed and told once; a clock that leaps sends nothing for a while."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment, Task
from clinic.retelling import retold
from patients.models import Patient
from reminders.models import Message
from reminders.sending import tidying
from reminders.sending.steady_clock import REST_SECONDS, ClockLeapt, SteadyClock
from reminders.sending.watching import OVERDUE, STAYS_SECONDS, Watch
from tests.reminders.ledger import queued

SECOND = timedelta(seconds=1)


class Time:
    """The database's clock and the process's own, moved together or apart."""

    def __init__(self, now: datetime) -> None:
        self.now, self.own = now, 1000.0

    def passes(self, seconds: float, *, leap: float = 0.0) -> None:
        self.now += (seconds + leap) * SECOND
        self.own += seconds


@pytest.fixture
def time(now: datetime) -> Time:
    return Time(now)


# --- What does not leave --------------------------------------------------------------------------


@pytest.fixture
def look(time: Time, visit: Appointment) -> Callable[[], list[str]]:
    """One look of one process; the titles of the open tasks after it."""
    queued(visit, now=time.now)
    watch = Watch(own=lambda: time.own)

    def looked() -> list[str]:
        watch.look(now=time.now)
        return list(Task.objects.open().values_list("title", flat=True))

    return looked


@pytest.mark.django_db
def test_what_stays_overdue_opens_one_task_until_it_is_done(
    time: Time, look: Callable[[], list[str]]
) -> None:
    seen = [look()]
    for _ in range(3):
        time.passes(OVERDUE.total_seconds() + 1)
        seen.append(look())
    assert seen == [[], [], ["Messages are late"], ["Messages are late"]]
    task = Task.objects.get()
    assert "not left: 1" in retold(task.detail) and "/health/" in retold(task.detail)
    Task.objects.update(closed_at=time.now, outcome="done")
    time.passes(3600)
    assert look() == ["Messages are late"]


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["sent", "to plan", "submitting"])
def test_what_leaves_meanwhile_or_waits_to_be_planned_is_no_trouble_and_a_dead_claim_is(
    time: Time, look: Callable[[], list[str]], visit: Appointment, change: str
) -> None:
    time.passes(OVERDUE.total_seconds() + 1)
    assert look() == []
    if change == "sent":
        Message.objects.update(state="accepted", accepted_at=time.now, wake_at=None)
    elif change == "to plan":
        Patient.objects.filter(pk=visit.series.patient_id).raise_revision()
    else:
        Message.objects.update(state="submitting", claim_token="0" * 32, leased_until=time.now)
    time.passes(STAYS_SECONDS)
    assert bool(look()) == (change == "submitting")


@pytest.mark.django_db
def test_who_tidies_looks(time: Time, visit: Appointment) -> None:
    queued(visit, now=time.now)
    watch = Watch(own=lambda: time.own)
    for _ in range(3):
        tidying.tidy(now=time.now, watch=watch)
        time.passes(OVERDUE.total_seconds() + 1)
    assert Task.objects.filter(title="Messages are late").exists()


# --- The clock ------------------------------------------------------------------------------------


def test_a_clock_that_runs_as_ours_is_believed_also_when_set_by_seconds(time: Time) -> None:
    clock = SteadyClock(lambda: time.now, lambda: time.own)
    for leap in (0, 59, -59, 0):
        time.passes(3600, leap=leap)
        assert clock() == time.now


@pytest.mark.parametrize("leap", [61, -61, 3600])
def test_after_a_leap_nothing_is_sent_until_it_has_run_on_for_five_minutes(
    time: Time, leap: float
) -> None:
    clock = SteadyClock(lambda: time.now, lambda: time.own)
    clock()
    time.passes(1, leap=leap)
    for _ in range(2):
        with pytest.raises(ClockLeapt):
            clock()
        time.passes(REST_SECONDS / 2 - 1)
    time.passes(3)
    assert clock() == time.now


def test_a_clock_that_is_set_right_again_begins_the_rest_anew(time: Time) -> None:
    clock = SteadyClock(lambda: time.now, lambda: time.own)
    clock()
    for leap, rests in ((3600, True), (-3600, True), (0, False)):
        time.passes(REST_SECONDS + 1, leap=leap)
        if rests:
            with pytest.raises(ClockLeapt):
                clock()
        else:
            assert clock() == time.now
