"""Two treatments at a time: what they ask together, and what staff must decide."""

from dataclasses import replace
from datetime import date

from appointments.lifecycle import State
from reminders.planning.facts import Item, PatientFacts
from reminders.planning.merging import Wanted
from reminders.planning.plans import Plan, plan, undecided
from tests.reminders.planning.world import SITE, patient, series, visit, wall


def skips(made: Plan, step: str) -> dict[str, str]:
    """By anchor, why a step is not said; empty when it is."""
    found: dict[str, str] = {}
    for message in made.messages:
        for item in message.items:
            if item.step == step:
                found[item.anchor] = message.skip
    return found


def side_by_side(one: str, other: str, *, apart: str = "2027-04-12 14:00") -> PatientFacts:
    """Two series of the face, the second on the same day unless said otherwise."""
    return patient(
        series(visit(1), name=one),
        series(visit(2, apart), id=2, name=other),
    )


def sedated() -> PatientFacts:
    """Tablets before radiofrequency, and needling on the same day."""
    facts = side_by_side("rf_monopolar", "rf_microneedling")
    first, second = facts.series
    return replace(facts, series=(replace(first, conditions={"plan.sedation": True}), second))


def test_of_two_bans_the_longer_one_is_said_and_the_other_is_part_of_it() -> None:
    """Light: no heat for 48 hours; needling later that day: for 72."""
    together = side_by_side("rf_microneedling", "ipl", apart="2027-04-12 10:00")
    heat = skips(plan(together), "post.heat")
    assert heat == {"visit:1": "", "visit:2": "said_for_longer"}
    elsewhere = replace(
        together, series=(together.series[0], replace(together.series[1], areas=("hands",)))
    )
    assert set(skips(plan(elsewhere), "post.heat").values()) == {""}
    apart = side_by_side("rf_microneedling", "ipl", apart="2027-05-20 10:00")
    assert set(skips(plan(apart), "post.heat").values()) == {""}


def test_bans_that_only_overlap_are_both_said() -> None:
    later = side_by_side("ipl", "rf_series", apart="2027-04-13 14:00")
    assert set(skips(plan(later), "post.heat").values()) == {""}


def test_of_two_beginnings_the_later_one_wins() -> None:
    """Sun cream at once after radiofrequency, but only a day after needling."""
    made = plan(side_by_side("rf_microneedling", "rf_monopolar"))
    spf = skips(made, "post.spf")
    assert spf == {"visit:1": "", "visit:2": "later_start_wins"}


def test_pain_killers_before_one_and_none_before_the_other_are_decided_by_staff() -> None:
    facts = sedated()
    made = plan(facts)
    assert set(skips(made, "day.tablets").values()) == {"clashing_advice"}
    assert set(skips(made, "pre.otc_nsaid").values()) == {"clashing_advice"}
    (task,) = (each for each in made.tasks if each.title == "Decide between opposite advice")
    assert "Tell the patient which applies" in task.detail
    assert undecided(facts) == {("visit:1", "day.tablets"), ("visit:2", "pre.otc_nsaid")}


def test_what_was_said_before_still_holds_back_its_opposite() -> None:
    facts = sedated()
    said = frozenset(
        Item("visit:2", 1, "pre.otc_nsaid", channel)
        for message in plan(facts).messages
        for channel in {item.channel for item in message.items if item.step == "pre.otc_nsaid"}
    )
    assert said
    made = plan(replace(facts, spoken=said))
    assert set(skips(made, "day.tablets").values()) == {"clashing_advice"}
    assert not skips(made, "pre.otc_nsaid")


def test_a_prescribers_preparation_is_not_forbidden_by_another_treatment() -> None:
    """Pigment preparation before needling darker skin; none before light."""
    needled = series(visit(1), conditions={"screening.skin_type": True})
    light = series(visit(2, "2027-04-10 10:00"), id=2, name="ipl")
    made = plan(patient(needled, light))
    assert set(skips(made, "pre.bleach").values()) == {"clashing_advice"}
    assert any(task.title == "Decide between opposite advice" for task in made.tasks)
    fair = replace(needled, conditions={"screening.skin_type": False})
    assert set(skips(plan(patient(fair, light)), "pre.bleach").values()) == {""}


def test_one_series_never_clashes_with_itself() -> None:
    alone = plan(patient(series(visit(1), visit(2, "2027-05-10 10:00"))))
    reasons = {message.skip for message in alone.messages}
    assert reasons.isdisjoint({"clashing_advice", "said_for_longer", "later_start_wins"})


def test_a_visit_that_is_held_prepares_nobody_and_keeps_its_check_ins() -> None:
    held = plan(patient(series(visit(1, held_by=("pregnancy",)))))
    of_steps: list[Wanted] = [message for message in held.messages if message.steps]
    before = {m.skip for m in of_steps if any(s.startswith(("pre.", "day.")) for s in m.steps)}
    assert before <= {"treatment_held", "condition_unknown"} and "treatment_held" in before
    assert not any(task.step.startswith("pre.") for task in held.tasks)
    done = visit(1, state=State.DONE, done_at=wall("2027-04-12 11:30"))
    assert any(m.kind == "checkin" and not m.skip for m in plan(patient(series(done))).messages)


def test_of_a_visit_that_is_barred_nobody_is_reminded_and_staff_are_told_before() -> None:
    reminders = {"reminder_7d", "reminder_confirm", "reminder_final", "nudge"}

    def said(made: Plan) -> set[str]:
        return {message.skip for message in made.messages if message.kind in reminders}

    site = replace(SITE, week_reminders_from=date(2027, 1, 1), nudges_from=date(2027, 1, 1))
    barred = plan(patient(series(visit(1, site=site, held_by=("pregnancy",)))))
    assert said(barred) == {"visit_barred"}
    confirmed = [m for m in barred.messages if m.kind == "booking_confirmed"]
    assert {m.skip for m in confirmed} == {""}, "that it was booked is still true"
    (task,) = (each for each in barred.tasks if each.title.startswith("Cancel or move"))
    assert task.due_at == wall("2027-04-05 10:00"), "when the first reminder stays away"
    decided = plan(patient(series(visit(1, site=site))))
    assert said(decided) == {""}
    assert not any(each.title.startswith("Cancel or move") for each in decided.tasks)
    again = (
        visit(1, site=site, held_by=("pregnancy",), schedule_version=2),
        visit(1, site=site, held_by=("decided",)),
    )
    keys = {
        each.key
        for barred_anew in again
        for each in plan(patient(series(barred_anew))).tasks
        if each.title == task.title
    }
    assert len(keys | {task.key}) == 3, "what staff did about another day or answer is not this"
    in_hand = visit(1, site=site, held_by=("pregnancy",), is_called_about=True)
    assert not any(
        each.title.startswith("Cancel or move") for each in plan(patient(series(in_hand))).tasks
    )
    cancelled = visit(1, state=State.CANCELLED, held_by=("pregnancy",))
    assert not any(
        each.title.startswith("Cancel or move") for each in plan(patient(series(cancelled))).tasks
    )
