"""Which lengths staff may give a visit."""

import pytest

from appointments.finding.lengths import MOST_MINUTES, wished
from appointments.refusals import WrongLength


def test_a_length_is_counted_in_fives_of_minutes() -> None:
    assert wished(75, present=12) == 15
    assert wished(5, present=12) == 1
    assert wished(MOST_MINUTES, present=12) == 144


@pytest.mark.parametrize(
    ("minutes", "says"),
    [
        (0, "from 5 minutes to 12 hours"),
        (-30, "from 5 minutes"),
        (MOST_MINUTES + 5, "to 12 hours"),
        (62, "Choose 60 or 65 minutes"),
        (60, "60 minutes long already"),
    ],
)
def test_what_cannot_be_says_what_can(minutes: int, says: str) -> None:
    with pytest.raises(WrongLength, match=says):
        wished(minutes, present=12)
