"""What is different between two versions: every value, told once, in words. Pure."""

from dataclasses import replace

from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from clinic.durations import parse
from clinic.protocols import reading
from clinic.protocols.comparing import MOST_LINES, Apart, Difference, differences, lines_apart
from clinic.protocols.schema import Protocol


def documents(old: Protocol, new: Protocol) -> list[Difference]:
    return differences(reading.to_document(old), reading.to_document(new))


def test_a_protocol_differs_in_nothing_from_itself(microneedling: Protocol) -> None:
    again = replace(microneedling, version="2.0.0", steps=microneedling.steps[::-1])
    assert documents(microneedling, again) == []


def test_a_moment_a_text_and_a_number_are_told_with_both_values(microneedling: Protocol) -> None:
    first, *rest = microneedling.steps
    assert first.before is not None
    steps = (replace(first, before=parse("P30D"), ack=not first.ack), *rest)
    sessions = replace(microneedling.series.sessions, typical=4)
    changed = replace(
        microneedling, steps=steps, series=replace(microneedling.series, sessions=sessions)
    )
    found = documents(microneedling, changed)
    assert Difference("series", "sessions", "typical", "3", "4") in found
    assert Difference("steps", first.id, "before", "6 weeks", "30 days") in found
    assert Difference("steps", first.id, "ack", "yes", "no") in found
    assert len(found) == 3
    with translation.override("es"):
        found = documents(microneedling, changed)
        assert Difference("steps", first.id, "before", "6 semanas", "30 días") in found
        assert Difference("steps", first.id, "ack", "sí", "no") in found


def test_what_is_new_has_no_before_and_what_is_gone_no_after(microneedling: Protocol) -> None:
    gone = microneedling.screening[0]
    fewer = replace(microneedling, screening=microneedling.screening[1:])
    found = documents(microneedling, fewer)
    assert {(each.part, each.name.split()[0], each.after) for each in found} == {
        ("screening", gone.id, "")
    }
    back = documents(fewer, microneedling)
    assert [(each.after, each.before) for each in back] == [
        (each.before, each.after) for each in found
    ]


@given(st.data())
def test_whatever_is_left_out_is_told(microneedling: Protocol, data: st.DataObject) -> None:
    some = st.lists(st.sampled_from(microneedling.steps), unique_by=lambda step: step.id)
    steps = data.draw(some)
    fewer = replace(microneedling, steps=tuple(steps))
    told = {each.name.split()[0] for each in documents(microneedling, fewer)}
    assert told == {step.id for step in microneedling.steps} - {step.id for step in steps}


def test_texts_of_very_many_lines_are_told_apart_as_a_whole() -> None:
    one = "\n".join("ab"[number % 2] for number in range(MOST_LINES))
    assert lines_apart("a\nb\nc", "a\nd\nc") == [Apart(2, "b", "d")]
    assert lines_apart(one + "\nc", one + "\nd") == [Apart(1, one + "\nc", one + "\nd")]
    assert lines_apart(one + "\nc", one + "\nc") == []
