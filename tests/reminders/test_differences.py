"""What changed between two versions of a phrase."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reminders.wording.differences import Stretch, differences


def test_words_and_values_are_compared_whole() -> None:
    assert differences("Your visit is on {when}.", "Your visit was on {until}.") == [
        Stretch("kept", "Your visit "),
        Stretch("gone", "is"),
        Stretch("new", "was"),
        Stretch("kept", " on "),
        Stretch("gone", "{when}"),
        Stretch("new", "{until}"),
        Stretch("kept", "."),
    ]


@given(before=st.text("ab {w}[|].", max_size=30), after=st.text("ab {w}[|].", max_size=30))
def test_nothing_is_lost_of_either_version(before: str, after: str) -> None:
    found = differences(before, after)

    assert "".join(each.text for each in found if each.change != "new") == before
    assert "".join(each.text for each in found if each.change != "gone") == after
    assert (before == after) == all(each.change == "kept" for each in found)
