"""Log lines carry no token, no query and no row."""

import pytest

from config.logs import discreet


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Not Found: /p/9f8e7d6c/", "Not Found: /p/…/"),
        ("GET /feeds/9f8e7d6c.ics 200", "GET /feeds/… 200"),
        ("GET /patients/?q=Rossi&phone=123 200", "GET /patients/?… 200"),
        (
            "duplicate key\nDETAIL: Key (value)=(+15555550100) already exists.\nend",
            "duplicate key\nDETAIL: …\nend",
        ),
        ("appointment 17 moved", "appointment 17 moved"),
    ],
)
def test_what_identifies_a_patient_is_left_out(written: str, kept: str) -> None:
    assert discreet(written) == kept
