"""The moments of a protocol: every step once, in order, in each lane in which it is met."""

from itertools import pairwise
from pathlib import Path

import pytest

from clinic.protocols import loading, plain_service, reading
from clinic.protocols.schema import Channel, Protocol, StepKind, Text
from clinic.protocols.timeline import Lane, in_lane, lanes_of, moments
from clinic.templatetags.protocol_picture import series_line

LIBRARY = sorted(loading.LIBRARY.glob("*.toml"))


def protocol_of(file: Path) -> Protocol:
    return reading.read(file.read_text(encoding="utf-8"), filename=file.name)


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_every_step_stands_once_and_in_the_picture_where_it_is_met(file: Path) -> None:
    protocol = protocol_of(file)
    every = moments(protocol)
    assert sorted(step.id for each in every for step in each.steps) == sorted(
        step.id for step in protocol.steps
    )
    assert all((a.days, a.of_last) < (b.days, b.of_last) for a, b in pairwise(every))
    for step in protocol.steps:
        lanes = lanes_of(step)
        is_task = step.kind is StepKind.TASK
        assert (Lane.SMS in lanes) == (Channel.SMS in step.channels and not is_task)
        assert (Lane.STAFF in lanes) == (is_task or Channel.CALL in step.channels)
        assert (Lane.PHOTOS in lanes) == (step.kind is StepKind.PHOTO)
    met = {step.id for lane in Lane for each in in_lane(lane, every) for step in each.steps}
    assert met == {step.id for step in protocol.steps if lanes_of(step)}
    # Nothing of the picture lies outside of it, and a number stands for so many as it says.
    drawn = str(series_line(protocol))
    assert drawn.count('class="session"') == min(protocol.series.sessions.typical, 12)
    assert all(
        step.title.en in drawn.replace("&#x27;", "'") for step in protocol.steps if lanes_of(step)
    )


def test_a_service_without_steps_is_a_line_alone() -> None:
    service = plain_service.service(
        id="call",
        name=Text("Call", "Llamada"),
        modality="call",
        code="CL",
        minutes=15,
        room_kind="x",
    )
    assert moments(service) == []
    assert 'class="mark' not in str(series_line(service))
