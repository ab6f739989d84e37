"""What an opt-out ends is dated data."""

from datetime import UTC, datetime

import pytest

from reminders.ledger.optout_policy import POLICY, Scope, parse, scope

TWO = """
[[rule]]
from = 2025-04-11
reply = "channel"
staff = "channel"
provider = "channel"
link = "marketing"
one_click = "marketing"

[[rule]]
from = 2027-02-01
reply = "category"
staff = "channel"
provider = "channel"
link = "marketing"
one_click = "marketing"
"""


def test_the_packaged_policy_ends_every_text_by_a_stop_word_and_a_list_by_its_link() -> None:
    today = datetime(2026, 11, 25, tzinfo=UTC)
    assert scope("reply", now=today) is Scope.CHANNEL
    assert scope("staff", now=today) is Scope.CHANNEL
    assert scope("one_click", now=today) is Scope.MARKETING
    assert POLICY


def test_a_rule_counts_from_the_first_instant_of_its_day() -> None:
    policy = parse(TWO)
    before = datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert scope("reply", now=before, policy=policy) is Scope.CHANNEL
    first = datetime(2027, 2, 1, tzinfo=UTC)
    assert scope("reply", now=first, policy=policy) is Scope.CATEGORY


def test_before_the_first_rule_an_opt_out_ends_all() -> None:
    assert scope("one_click", now=datetime(2025, 4, 10, tzinfo=UTC)) is Scope.CHANNEL


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", "has rules"),
        (TWO.replace("2027-02-01", "2025-04-11"), "later day"),
        (TWO.replace('reply = "category"\n', ""), "names each"),
        (TWO.replace('reply = "category"', 'reply = "some"'), "some"),
        (TWO.replace("from = 2027-02-01\n", ""), "from which day"),
    ],
)
def test_a_policy_with_a_gap_is_refused(source: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse(source)
