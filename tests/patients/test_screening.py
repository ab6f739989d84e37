"""What follows from screening answers: the edge cases of the library, and what holds of all."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.protocols import loading, reading
from clinic.protocols.schema import AskAt, Outcome, Protocol, Reach, SkinType
from clinic.retelling import retold
from patients.screening import sentences
from patients.screening.answers import FITTING, Answer, Value
from patients.screening.assessing import (
    STRICTNESS,
    Decision,
    Finding,
    Rule,
    Screened,
    assess,
    outcome_on,
)
from patients.screening.conditions import conditions, holding
from patients.screening.questions import Question, questions_of
from patients.screening.validity import due

DAY = timedelta(days=1)
TODAY = date(2027, 3, 4)
VISIT = TODAY + 3 * DAY


def read(name: str) -> Protocol:
    file = loading.LIBRARY / f"{name}.toml"
    return reading.read(file.read_text(encoding="utf-8"), filename=file.name)


NEEDLING, IPL, ULTRASOUND, LASER, RADIOFREQUENCY = map(
    read, ("rf_microneedling", "ipl", "ultrasound", "laser_nonablative", "rf_series")
)
_ids = count(1)


def test_a_skin_type_is_asked_for_where_no_policy_decides_by_the_one_on_record() -> None:
    asked = {each.id for each in questions_of(IPL)}
    assert asked.isdisjoint({"skin_type_iv", "skin_type_dark"})
    none = replace(IPL.applicability.fitzpatrick, review=(), block=())
    of_none = replace(IPL, applicability=replace(IPL.applicability, fitzpatrick=none))
    added = {each.id for each in questions_of(of_none)} - asked
    assert added == {"skin_type_iv", "skin_type_dark"} & {each.id for each in IPL.screening}
    assert added


def question(protocol: Protocol, id: str) -> Question:
    return next(each for each in questions_of(protocol) if each.id == id)


def said(
    protocol: Protocol,
    id: str,
    value: Value,
    day: date | None = None,
    *,
    on: date = TODAY,
    begins: date | None = None,
    area: str = "face",
) -> Answer:
    asked = question(protocol, id)
    number = next(_ids)
    return Answer(
        id=number,
        question=id,
        wording=asked.wording,
        area=area if asked.scope is Reach.AREA else "",
        value=value,
        said_at=datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
        said_on=on,
        day=day,
        begins=begins,
    )


def screened(protocol: Protocol, *answers: Answer, **more: Any) -> Screened:
    return Screened(protocol, ("face",), tuple(answers), **{"birth_date": date(1988, 5, 4), **more})


def found(protocol: Protocol, *answers: Answer, **more: Any) -> list[Finding]:
    """What the answers themselves lead to."""
    findings = assess(screened(protocol, *answers, **more))
    return [each for each in findings if each.rule not in (Rule.LACKING, Rule.AGE)]


# --- The edge cases -------------------------------------------------------------------------------


def test_retinoid_used_two_days_ago_is_reviewed_until_a_week_after_it() -> None:
    """Edge cases 1 and 14: the washout of a visit booked a day ahead is not kept."""
    (finding,) = found(NEEDLING, said(NEEDLING, "retinoid_use", Value.DATE, TODAY - 2 * DAY))
    assert (finding.outcome, finding.until) == (Outcome.REVIEW, TODAY + 5 * DAY)
    assert finding.stands_on(VISIT) and not finding.stands_on(TODAY + 5 * DAY)
    text = sentences.sentence(finding, NEEDLING, "")
    assert "The first day without it is Tue 9 Mar 2027" in text


def test_isotretinoin_five_months_ago_blocks_until_six_months_after() -> None:
    (finding,) = found(NEEDLING, said(NEEDLING, "isotretinoin", Value.DATE, date(2026, 10, 4)))
    assert (finding.outcome, finding.until) == (Outcome.BLOCK, date(2027, 4, 4))
    assert not finding.may_be_decided
    assert "not given before Sun 4 Apr 2027" in sentences.sentence(finding, NEEDLING, "")


@pytest.mark.parametrize(
    ("skin", "outcome"),
    [("I", None), ("III", None), ("IV", Outcome.REVIEW), ("V", Outcome.BLOCK), ("VI", "block")],
)
def test_skin_type_six_is_never_treated_with_light(skin: str, outcome: Outcome | None) -> None:
    """Edge case 15."""
    findings = [each for each in found(IPL, skin_type=skin) if each.rule == Rule.SKIN_TYPE]
    assert [each.outcome for each in findings] == ([outcome] if outcome else [])
    assert all(each.may_be_decided == (outcome is Outcome.REVIEW) for each in findings)


@pytest.mark.parametrize("protocol", [NEEDLING, IPL, ULTRASOUND, LASER, RADIOFREQUENCY])
def test_nobody_is_asked_for_their_skin_type(protocol: Protocol) -> None:
    asked = due(
        questions_of(protocol), ("face",), (), moment=AskAt.DAY_OF, day=TODAY, treated_at=None
    )
    assert asked and not [each.text.en for each in asked if "Fitzpatrick" in each.text.en]


def test_pregnancy_stands_until_it_is_answered_anew() -> None:
    """Edge case 17; a yes never runs out."""
    yes = said(NEEDLING, "pregnancy", Value.YES)
    (finding,) = found(NEEDLING, yes)
    assert finding.outcome is Outcome.BLOCK and finding.stands_on(TODAY + 200 * DAY)
    assert holding([finding], VISIT) == (finding,)
    no = said(NEEDLING, "pregnancy", Value.NO, on=TODAY + 200 * DAY)
    assert found(NEEDLING, yes, no) == []


def test_a_prescribed_blood_thinner_goes_to_the_prescriber_and_is_never_stopped() -> None:
    """Edge case 18."""
    yes = said(NEEDLING, "bleeding", Value.YES)
    (finding,) = found(NEEDLING, yes)
    text = sentences.sentence(finding, NEEDLING, "")
    assert finding.outcome is Outcome.REVIEW and "Ask the prescriber" in text
    assert conditions(screened(NEEDLING, yes))["not_prescribed"] is False
    no = said(NEEDLING, "bleeding", Value.NO, on=TODAY + DAY)
    assert conditions(screened(NEEDLING, yes, no))["not_prescribed"] is True
    assert "not_prescribed" not in conditions(screened(NEEDLING))


def test_a_beach_holiday_defers_light_for_four_weeks_after_the_return() -> None:
    """Edge case 19: home ten days before the visit; a visit before the trip may be."""
    leaves, returns = TODAY + 20 * DAY, TODAY + 34 * DAY
    trip = said(IPL, "tan_planned", Value.DATE, returns, begins=leaves)
    (finding,) = found(IPL, trip, said(IPL, "tan", Value.NEVER))
    assert finding.outcome is Outcome.DEFER and finding.until == returns + 28 * DAY
    assert finding.stands_on(returns + 10 * DAY)
    assert not finding.stands_on(leaves - DAY)
    cancelled = said(IPL, "tan_planned", Value.NEVER, on=TODAY + DAY)
    assert found(IPL, trip, cancelled) == []


def test_of_two_treatments_at_a_time_the_strictest_sun_rule_counts() -> None:
    tan = said(RADIOFREQUENCY, "tan", Value.DATE, TODAY - 3 * DAY)
    (alone,) = found(RADIOFREQUENCY, tan)
    (beside,) = found(RADIOFREQUENCY, tan, beside=(IPL,))
    assert (alone.until, beside.until) == (TODAY + 11 * DAY, TODAY + 25 * DAY)
    assert "4 weeks after" in sentences.rule(beside, RADIOFREQUENCY)
    assert found(NEEDLING, said(NEEDLING, "tan", Value.DATE, TODAY), beside=(IPL,))[0].until == (
        TODAY + 14 * DAY
    )


def test_who_is_unsure_is_looked_at_and_not_turned_away() -> None:
    for asked, outcome in (("pregnancy", Outcome.REVIEW), ("hsv", Outcome.TASK)):
        (finding,) = found(NEEDLING, said(NEEDLING, asked, Value.UNSURE))
        assert finding.outcome is outcome


def test_an_answer_counts_for_what_was_asked_and_what_is_wrong_for_all() -> None:
    """Light asks about the last three months of feeding as well, so a no to needling says less."""
    no = said(NEEDLING, "pregnancy", Value.NO)
    lacking = next(each for each in assess(screened(IPL, no)) if each.lacking)
    assert "pregnancy" in [each.id for each in lacking.lacking]
    (finding,) = found(IPL, said(NEEDLING, "pregnancy", Value.YES))
    assert finding.outcome is Outcome.BLOCK


def test_an_area_is_what_its_parts_are() -> None:
    burnt = said(ULTRASOUND, "skin_now", Value.YES, area="face_neck")
    assert found(NEEDLING, burnt)[0].until == TODAY + 14 * DAY
    elsewhere = replace(burnt, area="hands")
    assert found(NEEDLING, elsewhere) == []


def test_two_answers_of_different_areas_hold_back_until_the_later_one() -> None:
    face = said(NEEDLING, "filler", Value.DATE, TODAY - 20 * DAY)
    neck = said(NEEDLING, "filler", Value.DATE, TODAY - 5 * DAY, area="neck")
    both = replace(screened(NEEDLING, face, neck), areas=("face", "neck"))
    (finding,) = (each for each in assess(both) if each.rule == "filler")
    assert finding.until == TODAY + 25 * DAY
    assert finding.answers == frozenset({face.id, neck.id})


def test_somebody_is_too_young_until_the_birthday_and_on_a_leap_day_until_the_day_after() -> None:
    born = {"birth_date": date(2012, 2, 29)}
    (age,) = (each for each in assess(screened(NEEDLING, **born)) if each.rule == Rule.AGE)
    assert age.until == date(2030, 3, 1) and age.stands_on(date(2030, 2, 28))


# --- Deciding -------------------------------------------------------------------------------------


def decided(finding: Finding, *, proceeds: bool, id: int = 1) -> Decision:
    return Decision(
        id=id,
        protocol=NEEDLING.id,
        rule=finding.rule,
        answers=finding.answers,
        skin_type="",
        proceeds=proceeds,
        reason="Seen and discussed",
        by="Dr Novak",
        on=TODAY,
    )


def test_a_decision_covers_exactly_the_answers_that_it_was_made_on() -> None:
    yes = said(NEEDLING, "bleeding", Value.YES)
    (finding,) = found(NEEDLING, yes)
    treat = decided(finding, proceeds=True)
    (lifted,) = found(NEEDLING, yes, decisions=(treat,))
    assert lifted.is_lifted and not lifted.stands_on(VISIT)
    again = said(NEEDLING, "bleeding", Value.YES, on=TODAY + DAY)
    (open_again,) = found(NEEDLING, yes, again, decisions=(treat,))
    assert open_again.decision is None and open_again.stands_on(VISIT)


def test_the_last_decision_counts_and_one_against_it_blocks_for_good() -> None:
    yes = said(NEEDLING, "retinoid_use", Value.DATE, TODAY - DAY)
    (finding,) = found(NEEDLING, yes)
    both = decided(finding, proceeds=True), decided(finding, proceeds=False, id=2)
    (refused,) = found(NEEDLING, yes, decisions=both)
    assert refused.outcome is Outcome.BLOCK and refused.stands_on(TODAY + 300 * DAY)
    kept = sentences.to_keep(refused, NEEDLING, "")
    assert "Dr Novak decided on Thu 4 Mar to not treat" in retold(kept)
    with translation.override("es"):
        assert "Dr Novak decidió el jue 4 mar no tratar" in retold(kept)


def test_nobody_decides_on_what_the_protocol_blocks() -> None:
    yes = said(NEEDLING, "pregnancy", Value.YES)
    (finding,) = found(NEEDLING, yes)
    (still,) = found(NEEDLING, yes, decisions=(decided(finding, proceeds=True),))
    assert still.stands_on(VISIT)


# --- Validity -------------------------------------------------------------------------------------


def ids(questions: tuple[Question, ...]) -> set[str]:
    return {each.id for each in questions}


def due_at(moment: AskAt, day: date, *answers: Answer, **more: Any) -> set[str]:
    asked = {"moment": moment, "day": day, "treated_at": None, **more}
    return ids(due(questions_of(NEEDLING), ("face",), answers, **asked))


def test_what_is_due_at_each_moment() -> None:
    at_consult = due_at(AskAt.CONSULT, TODAY)
    assert {"pregnancy", "keloid"} <= at_consult and "retinoid_use" not in at_consult
    assert "skin_type" not in at_consult
    assert due_at(AskAt.PRE, VISIT) > at_consult
    assert due_at(AskAt.DAY_OF, VISIT) == due_at(AskAt.PRE, VISIT)


def test_an_answer_runs_out_by_when_the_question_is_asked_again() -> None:
    no = [said(NEEDLING, asked, Value.NO) for asked in ("pregnancy", "keloid", "bleeding")]
    assert due_at(AskAt.CONSULT, TODAY, *no).isdisjoint(each.question for each in no)
    two_weeks, year = TODAY + 14 * DAY, date(2028, 3, 4)
    assert due_at(AskAt.PRE, two_weeks, *no) >= {"pregnancy", "bleeding"}
    assert "bleeding" not in due_at(AskAt.PRE, two_weeks - DAY, *no)
    assert "pregnancy" in due_at(AskAt.DAY_OF, TODAY + DAY, *no)
    assert "pregnancy" not in due_at(AskAt.DAY_OF, TODAY, *no)
    assert "keloid" not in due_at(AskAt.DAY_OF, year - DAY, *no)
    assert "keloid" in due_at(AskAt.DAY_OF, year, *no)


def test_what_is_asked_again_runs_out_with_the_treatment() -> None:
    no = [said(NEEDLING, asked, Value.NO) for asked in ("keloid", "bleeding")]
    after = {"treated_at": datetime(2027, 3, 4, 18, tzinfo=UTC)}
    assert "bleeding" in due_at(AskAt.PRE, TODAY + DAY, *no, **after)
    assert "keloid" not in due_at(AskAt.PRE, TODAY + DAY, *no, **after)


# --- What holds of all answers --------------------------------------------------------------------

PROTOCOLS = st.sampled_from([NEEDLING, IPL, ULTRASOUND, LASER])
WRONG = {Value.YES, Value.DATE, Value.UNSURE}


@st.composite
def answers_to(draw: st.DrawFn, protocol: Protocol, values: Any = None) -> Answer:
    asked = draw(st.sampled_from(list(questions_of(protocol))))
    fitting = [each for each in FITTING[asked.trigger] if values is None or each in values]
    value = draw(st.sampled_from(fitting))
    on = TODAY - draw(st.integers(0, 60)) * DAY
    day = on + draw(st.integers(-200, 30)) * DAY if value is Value.DATE else None
    return said(protocol, asked.id, value, day, on=on)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Protocol, list[Answer], Answer, date, str]:
    protocol = draw(PROTOCOLS)
    answers = draw(st.lists(answers_to(protocol), max_size=6))
    wrong = draw(answers_to(protocol, WRONG))
    skin = draw(st.sampled_from(["", *SkinType]))
    # Most of what is washed out at all is so within weeks.
    ahead = draw(st.one_of(st.integers(0, 10), st.integers(0, 250)))
    return protocol, answers, wrong, TODAY + ahead * DAY, skin


def strictness(protocol: Protocol, answers: list[Answer], day: date, skin: str) -> int:
    """How strict the outcome is, without what is merely lacking."""
    outcome = outcome_on(found(protocol, *answers, skin_type=skin), day)
    return -1 if outcome is None else STRICTNESS.index(outcome)


@settings(max_examples=400)
@given(cases())
def test_one_more_contraindication_never_makes_the_outcome_milder(case: Any) -> None:
    protocol, answers, wrong, day, skin = case
    # A second answer to the same question corrects the first; any other one only adds.
    others = [each for each in answers if each.question != wrong.question]
    before = strictness(protocol, others, day, skin)
    assert strictness(protocol, [*others, wrong], day, skin) >= before


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_answers_does_not_matter(case: Any, random: Any) -> None:
    protocol, answers, wrong, _, skin = case
    every = [*answers, wrong]
    shuffled = random.sample(every, len(every))
    assert assess(screened(protocol, *every, skin_type=skin)) == assess(
        screened(protocol, *shuffled, skin_type=skin)
    )


@given(cases(), st.integers(1, 500))
def test_time_that_passes_clears_nothing_but_what_was_washed_out(case: Any, days: int) -> None:
    """An answer that runs out is asked again; until then what was wrong stays wrong."""
    protocol, answers, wrong, day, skin = case
    later = {"treated_at": datetime(2030, 1, 1, tzinfo=UTC)}
    every = [*answers, wrong]
    before = found(protocol, *every, skin_type=skin)
    assert found(protocol, *every, skin_type=skin, **later) == before
    standing = {each.rule for each in before if each.stands_on(day) and each.until is None}
    assert standing <= {each.rule for each in before if each.stands_on(day + days * DAY)}


@given(cases())
def test_a_day_of_treatment_without_fresh_answers_lacks_something(case: Any) -> None:
    protocol, answers, _, _, skin = case
    findings = assess(screened(protocol, *answers, skin_type=skin))
    assert any(each.rule == Rule.LACKING and each.stands_on(TODAY + DAY) for each in findings)
