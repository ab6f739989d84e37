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
        ("Thu, 26 Nov 2026 15:00:00 GMT", 30),
        ("86400", 3600),
        ("9" * 5_000, 3600),
    ],
)
def test_a_provider_is_left_alone_for_as_long_as_it_asks_an_hour_at_most(
    said: str, seconds: int
) -> None:
    assert wire.seconds(said) == seconds
