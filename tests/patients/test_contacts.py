"""Numbers and addresses are stored in one way, and what cannot be written to is refused."""

import pytest

from patients import contacts
from patients.contacts import ContactRefused


@pytest.mark.parametrize("written", ["(212) 555-0123", "+1 212 555 0123", "212.555.0123"])
def test_a_number_is_stored_with_its_country_code(written: str) -> None:
    assert contacts.as_e164(written) == "+12125550123"


@pytest.mark.parametrize(
    "written", ["", "555-0123", "911", "call me", "+1" * 300, "\x00", "+999 1"]
)
def test_what_cannot_be_dialled_from_elsewhere_is_refused(written: str) -> None:
    with pytest.raises(ContactRefused) as refused:
        contacts.as_e164(written)
    assert refused.value.field == "phone"


def test_an_address_is_stored_in_small_letters() -> None:
    assert contacts.as_address(" Elena@Patients.Example ") == "elena@patients.example"


@pytest.mark.parametrize(
    "written", ["", "elena", "a@b", "a b@c.example", "a@" + "b" * 60 + "." + "c" * 250]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ContactRefused) as refused:
        contacts.as_address(written)
    assert refused.value.field == "email"
