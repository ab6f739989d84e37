"""Bars: which act they stand in the way of on which day, and what the refusal of one says."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from appointments.clearance import Act, Bar, Barred, Outcome, asking, standing, treatment_of
from appointments.clearance.bars import BOTH
from appointments.clearance.treatments import as_lacking
from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.visits import attendance
from clinic.access import Capability
from clinic.models import Site, Staff
from patients.models import Patient
from tests.api import api, refused
from tests.appointments.conftest import FIRST, at

DAY = timedelta(days=1)
LACKING = Bar(
    code="something_missing",
    acts=frozenset({Act.START}),
    outcome=Outcome.REVIEW,
    stored="Something is missing. Complete it.",
    passes_with=Capability.OVERRIDE_CLEARANCE,
)
DEFERRED = Bar(
    code="too_soon",
    acts=frozenset(Act),
    outcome=Outcome.DEFER,
    stored="Not before April.",
    until=date(2027, 4, 1),
)


def test_a_bar_stands_for_its_acts_from_its_first_day_until_its_last() -> None:
    until = date(2027, 4, 1)
    planned = replace(DEFERRED, since=until - 3 * DAY)
    assert [planned.bars(Act.BOOK, until - days * DAY) for days in range(5)] == [
        *(False, True, True, True, False)
    ]
    assert not LACKING.bars(Act.BOOK, FIRST) and LACKING.bars(Act.START, FIRST)


def test_what_is_lacking_bars_from_the_later_of_its_own_day_and_that_of_the_site() -> None:
    begins = date(2027, 4, 1)
    for since in (None, begins - DAY, begins + DAY):
        bar = as_lacking(replace(LACKING, since=since), Site(clearance_from=begins))
        assert bar.since == max(begins, since or begins)
    assert not as_lacking(LACKING, Site()).acts


def test_a_refusal_tells_every_bar_the_strictest_first() -> None:
    block = replace(DEFERRED, code="never", outcome=Outcome.BLOCK, until=None, stored="Never.")
    refusal = Barred([LACKING, DEFERRED, block])
    assert refusal.sentence == "Never. Not before April. Something is missing. Complete it."
    assert not refusal.overridable and refusal.earliest is None
    assert Barred([LACKING]).overridable
    assert Barred([DEFERRED, replace(DEFERRED, until=date(2027, 5, 1))]).earliest == date(
        2027, 5, 1
    )


# --- At the two doors -----------------------------------------------------------------------------


def test_who_died_meanwhile_is_checked_in_and_not_treated(
    arrived: Appointment, patient: Patient, provider: Staff
) -> None:
    now = at(FIRST, "10:00")
    Patient.objects.filter(pk=patient.pk).update(deceased_at=now)
    with pytest.raises(Barred) as caught:
        attendance.start(appointment=arrived, by=provider, now=now, override_reason="All the same")
    assert [bar.code for bar in caught.value.bars] == ["patient_deceased"]
    arrived.refresh_from_db()
    assert arrived.state == State.ARRIVED


def test_a_reason_passes_what_yields_to_it_and_the_visit_keeps_it(
    arrived: Appointment, provider: Staff, front_desk: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = (lambda rows, now: [[LACKING] for _ in rows], BOTH)
    monkeypatch.setattr(asking, "SOURCES", (lacking,))
    now = at(FIRST, "10:00")
    for by, reason in ((provider, " "), (front_desk, "It hurries")):
        with pytest.raises(Barred):
            attendance.start(appointment=arrived, by=by, now=now, override_reason=reason)
    started = attendance.start(appointment=arrived, by=provider, now=now, override_reason="Seen it")
    assert (started.overrides, started.override_reason) == (["something_missing"], "Seen it")
    assert started.history.get(move="start").overrides == ["something_missing"]


@pytest.mark.time_machine(at(FIRST, "10:00"), tick=False)
def test_the_api_lists_the_bars_and_refuses_with_them(
    arrived: Appointment, patient: Patient, provider: Staff, outsider: Staff
) -> None:
    Patient.objects.filter(pk=patient.pk).update(deceased_at=at(FIRST, "09:00"))
    path = f"/api/v1/appointments/{arrived.pk}/"
    bar, *lacking = api(provider).get(f"{path}clearance/").json()
    assert all(each["acts"] == [] for each in lacking)
    assert (bar["code"], bar["outcome"], bar["acts"]) == (
        "patient_deceased",
        "block",
        ["book", "start"],
    )
    assert api(outsider).get(f"{path}clearance/").status_code == 404
    assert api().get(f"{path}clearance/").status_code == 401
    body = refused(api(provider).post(f"{path}start/", {"version": arrived.version}), 409, "barred")
    assert body["bars"] == [bar]


def test_a_source_that_bars_more_than_it_says_is_found_out(
    arrived: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (lambda rows, now: [[LACKING] for _ in rows], frozenset({Act.BOOK}))
    monkeypatch.setattr(asking, "SOURCES", (source,))
    with pytest.raises(AssertionError, match="more than it says"):
        standing([treatment_of(arrived)], now=at(FIRST, "10:00"))
