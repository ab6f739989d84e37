"""What a provider asks for is kept, within reason."""

import pytest

from reminders.channels import wire


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0),
        ("17", 17),
        ("", 30),
        ("soon", 30),
        ("-5", 30),
        ("86400", 3600),
        ("9" * 5_000, 3600),
        ("Thu, 26 Nov 2026 15:00:40 GMT", 100),
        ("Thursday, 26-Nov-26 15:00:40 GMT", 100),
        ("Thu Nov 26 15:00:40 2026", 100),
        ("Thu, 26 Nov 2026 14:00:00 GMT", 0),
        ("Fri, 27 Nov 2026 15:00:00 GMT", 3600),
        ("Thu, 26 Nov 9999 23:59:59 -2359", 3600),
        ("Thu, 31 Nov 2026 15:00:00 GMT", 30),
    ],
)
def test_a_provider_is_left_alone_for_as_long_as_it_asks_an_hour_at_most(
    said: str, seconds: int
) -> None:
    dated = {"Date": "Thu, 26 Nov 2026 14:59:00 GMT"}
    assert wire.seconds(dated | {"Retry-After": said}) == seconds


def test_a_date_says_nothing_where_the_answer_itself_is_undated() -> None:
    assert wire.seconds({"Retry-After": "Thu, 26 Nov 2026 15:00:40 GMT"}) == 30
