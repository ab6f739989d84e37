"""Who is asked back in writing, and who has come back by then."""

from dataclasses import replace

import pytest

from reminders.catalogue import Channel, Kind
from reminders.planning.facts import RecallFacts
from reminders.planning.plans import plan
from tests.reminders.planning.world import of_kind, patient, protocol, series, visit, wall


@pytest.mark.parametrize(("modality", "is_asked"), [("rf_microneedling", False), ("ipl", True)])
def test_a_visit_of_the_modality_brings_the_patient_back_under_whichever_protocol(
    modality: str, is_asked: bool
) -> None:
    asked = RecallFacts(7, wall("2027-02-01 10:00"), "Ana", 2, False, Channel.SMS)
    over = series(sessions=2, recalls=(asked,))
    other = replace(protocol(), id="rf_microneedling_deep", modality=modality)
    back = series(visit(), id=2, protocol=other)
    messages = plan(patient(over, back)).messages
    assert bool(of_kind(messages, Kind.SESSION_DUE)) == is_asked
