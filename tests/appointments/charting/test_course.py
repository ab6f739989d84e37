"""Where a course stands: what counts, when results show, when to touch up, and its scores."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from appointments.charting import courses, crediting, drafting, signing
from appointments.charting.course import (
    Course,
    Milestone,
    Session,
    TouchUp,
    course_of,
    lifestyle,
    regimen,
)
from appointments.charting.log import log_of
from appointments.charting.refusals import ScoreRefused
from appointments.lifecycle import State
from appointments.models import Appointment, OutcomeScore, TreatmentSeries
from appointments.visits import ending
from clinic.access import Forbidden
from clinic.models import Staff
from clinic.protocols import loading, reading
from clinic.protocols.schema import Protocol
from tests.api import api, refused
from tests.appointments.charting.conftest import treated
from tests.appointments.conftest import FIRST, SECOND, THIRD, at

WEEK = timedelta(weeks=1)
DONE = State.DONE


def stands(
    protocol: Protocol, *sessions: Session, today: date = THIRD, is_over: bool = False, **more: Any
) -> Course:
    return course_of(protocol, sessions, agreed=3, is_over=is_over, today=today, **more)


def test_sessions_cut_short_count_when_somebody_says_so(microneedling: Protocol) -> None:
    whole = Session(1, FIRST, DONE)
    part = Session(2, SECOND, DONE, "partial", ("face",))
    course = stands(microneedling, whole, part)
    assert (course.counted, course.undecided, course.last_day) == (1, (2,), SECOND)
    yes = stands(microneedling, whole, Session(2, SECOND, DONE, "partial", ("face",), True))
    assert (yes.counted, yes.agreed, yes.undecided) == (2, 3, ())
    # One that does not count was followed by one more, so three are still what was agreed.
    no = course_of(
        microneedling,
        [whole, Session(2, SECOND, DONE, "aborted", (), False)],
        agreed=4,
        is_over=False,
        today=THIRD,
    )
    assert (no.counted, no.agreed, no.uncounted, no.last_day) == (1, 3, (2,), FIRST)


def test_results_and_touch_up_count_from_the_last_session_that_was(microneedling: Protocol) -> None:
    first, booked = Session(1, FIRST, DONE), Session(2, SECOND, State.BOOKED)
    going = stands(microneedling, first, booked, today=FIRST + 3 * WEEK)
    assert (going.weeks, going.milestone, going.touch_up) == (3, Milestone.EARLY, None)
    assert (going.results_from, going.results_peak) == (FIRST + 4 * WEEK, FIRST + 24 * WEEK)
    assert stands(microneedling).milestone is Milestone.BASELINE
    # Ended after the first: everything counts from there.
    for today, milestone, touch_up in (
        (FIRST + 4 * WEEK, Milestone.FIRST, TouchUp.NOT_YET),
        (FIRST + 24 * WEEK, Milestone.PEAK, TouchUp.NOT_YET),
        (date(2027, 9, 4), Milestone.PEAK, TouchUp.DUE),
        (date(2028, 3, 4), Milestone.PEAK, TouchUp.DUE),
        (date(2028, 3, 5), Milestone.PEAK, TouchUp.OVERDUE),
    ):
        ended = stands(microneedling, first, today=today, is_over=True)
        assert (ended.milestone, ended.touch_up) == (milestone, touch_up), today
        assert (ended.touch_up_from, ended.touch_up_until) == (date(2027, 9, 4), date(2028, 3, 4))
    again = stands(microneedling, first, today=THIRD, is_over=True, succeeded_on=SECOND)
    assert again.touch_up is TouchUp.SUCCEEDED


def test_more_sessions_done_never_count_less(microneedling: Protocol) -> None:
    days = st.integers(0, 300).map(lambda n: FIRST + timedelta(days=n))
    outcomes = st.sampled_from([("", None), ("partial", ("face",)), ("aborted", ())])
    session = st.builds(
        lambda number, day, state, said, counts: Session(
            number, day, state, said[0], said[1], counts
        ),
        st.integers(1, 9),
        days,
        st.sampled_from([DONE, State.BOOKED, State.NO_SHOW]),
        outcomes,
        st.sampled_from([None, True]),
    )

    @settings(max_examples=60)
    @given(sessions=st.lists(session, max_size=5), more=days, today=days, is_over=st.booleans())
    def holds(sessions: list[Session], more: date, today: date, is_over: bool) -> None:
        before = stands(microneedling, *sessions, today=today, is_over=is_over)
        after = stands(
            microneedling, *sessions, Session(9, more, DONE), today=today, is_over=is_over
        )
        assert after.counted == before.counted + 1
        assert after.last_day is not None
        assert before.last_day is None or after.last_day >= before.last_day
        assert (after.touch_up is not None) == is_over

    holds()


def test_the_plan_of_care_has_sources() -> None:
    file = loading.LIBRARY / "ipl.toml"
    ipl = reading.read(file.read_text(encoding="utf-8"), filename=file.name)
    products = regimen(ipl)
    assert len(products) == len(ipl.products)
    starts = [product.start.approximate_seconds for product in products]
    assert starts == sorted(starts)
    [advice] = lifestyle(ipl)
    assert "sleep" in advice.text.en and advice.evidence == ("S0",)


# --- On rows --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_course_that_ends_early_counts_from_its_last_session(
    series: TreatmentSeries, visits: list[Appointment], provider: Staff, front_desk: Staff
) -> None:
    """Edge case 9."""
    now = treated(visits[0], front_desk)
    ending.end_series(series=series, reason="Moves away", by=front_desk, now=now)
    [row] = courses.courses_of(series.patient_id, now=at(date(2027, 9, 6), "10:00"))
    assert (row.course.counted, row.course.last_day) == (1, FIRST)
    assert (row.course.touch_up, row.course.touch_up_from) == (TouchUp.DUE, date(2027, 9, 4))
    assert row.is_asked


@pytest.mark.django_db
def test_an_aborted_session_is_no_anchor_and_no_credit(
    series: TreatmentSeries, visits: list[Appointment], provider: Staff, front_desk: Staff
) -> None:
    treated(visits[0], front_desk)
    now = treated(visits[1], front_desk)
    aborted = log_of({"session": {"outcome": "aborted"}, "note": "Felt faint"})
    drafting.save(appointment=visits[1], log=aborted, by=provider, now=now, expected_version=0)
    signing.sign(appointment=visits[1], by=provider, now=now)
    [row] = courses.courses_of(series.patient_id, now=now)
    assert (row.course.counted, row.course.undecided, row.course.last_day) == (1, (2,), FIRST)
    crediting.decide(appointment=visits[1], counts=False, reason="None", by=provider, now=now)
    [row] = courses.courses_of(series.patient_id, now=now)
    assert (row.course.counted, row.course.agreed) == (1, 3)


@pytest.mark.django_db
def test_scores_are_given_at_their_milestone_and_never_changed(
    series: TreatmentSeries,
    visits: list[Appointment],
    provider: Staff,
    front_desk: Staff,
    outsider: Staff,
) -> None:
    def give(kind: str, value: int, by: Staff | None, now: Any = None) -> OutcomeScore:
        return courses.score(
            series=series, kind=kind, value=value, by=by, now=now or at(FIRST, "09:00")
        )

    assert give("laxity", 3, provider).milestone == "baseline"
    treated(visits[0], front_desk)
    later = at(FIRST + 5 * WEEK, "10:00")
    assert give("satisfaction", 4, front_desk, later).milestone == "first"
    [row] = courses.courses_of(series.patient_id, now=later)
    assert row.is_asked
    give("satisfaction", 5, None, later)
    [row] = courses.courses_of(series.patient_id, now=later)
    assert not row.is_asked and len(row.scores) == 3
    [row] = courses.courses_of(series.patient_id, now=at(FIRST + 25 * WEEK, "10:00"))
    assert row.is_asked
    for kind, value in (("satisfaction", 0), ("gais", 6), ("laxity", 5), ("charm", 3)):
        with pytest.raises(ScoreRefused):
            give(kind, value, provider)
    with pytest.raises(ScoreRefused):
        give("laxity", 2, None)
    for kind, by in (("laxity", front_desk), ("satisfaction", outsider)):
        with pytest.raises(Forbidden):
            give(kind, 2, by)
    with pytest.raises(DatabaseError), transaction.atomic():
        OutcomeScore.objects.update(value=1)
    for name, wrong in {
        "score_in_range": {"kind": "gais", "value": 0, "milestone": "peak"},
        "score_milestone_known": {"kind": "gais", "value": 1, "milestone": "soon"},
    }.items():
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            OutcomeScore.objects.create(series=series, at=later, **wrong)


@pytest.mark.django_db
@pytest.mark.time_machine(at(FIRST, "18:00"), tick=False)
def test_pages_and_the_api_show_the_course_and_take_scores(
    series: TreatmentSeries,
    visits: list[Appointment],
    provider: Staff,
    front_desk: Staff,
    outsider: Staff,
) -> None:
    treated(visits[0], front_desk)
    client = Client()
    client.force_login(provider)
    page = client.get(f"/patients/{series.patient_id}/").content.decode()
    assert "<b>1</b> of 3 sessions" in page and "grade A" in page and "first from" in page
    address = f"/series/{series.pk}/score/"
    client.post(address, {"kind": "laxity", "value": "2"})
    client.post(address, {"kind": "laxity", "value": "nine"})
    assert OutcomeScore.objects.get().value == 2
    assert (
        "before the first results" in client.get(f"/patients/{series.patient_id}/").content.decode()
    )
    visit = client.get(f"/visits/{visits[0].pk}/").content.decode()
    assert f"/log/{visits[0].pk}/" in visit and "no log" in visit
    assert Client().post(address, {}).status_code == 302
    client.force_login(outsider)
    assert client.post(address, {"kind": "satisfaction", "value": "2"}).status_code == 404
    one = f"/api/v1/series/{series.pk}/"
    body = api(front_desk).get(f"{one}course/").json()
    assert (body["counted"], body["agreed"], body["milestone"]) == (1, 3, "early")
    given = api(provider).post(f"{one}scores/", {"kind": "gais", "value": 2}, format="json")
    assert given.status_code == 201 and len(given.json()["scores"]) == 2
    wrong = api(front_desk).post(f"{one}scores/", {"kind": "gais", "value": 2}, format="json")
    refused(wrong, 403, "forbidden")
    refused(api(outsider).get(f"{one}course/"), 404, "not_found")
    refused(api(outsider).post(f"{one}scores/"), 404, "not_found")
