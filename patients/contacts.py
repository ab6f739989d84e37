"""Writing phone numbers and addresses the one way they are stored."""

from __future__ import annotations

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from clinic.saying import gettext

# Where a number without a country code is taken to be.
HOME_REGION = "US"
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LONGEST_ADDRESS = 254


class ContactRefused(ValueError):
    """Not a number or address that can be written to; `field` is "phone" or "email"."""

    code = "contact_invalid"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


def as_e164(text: str, *, region: str = HOME_REGION) -> str:
    """`text` as an E.164 number. Raises ContactRefused."""
    refused = ContactRefused(
        "phone",
        gettext(
            "This is not a phone number. Write it with its country code, like +1 212 555 0123."
        ),
    )
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise refused from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # A number that can be dialled within its own town only is not enough to send a text to.
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE or not E164.fullmatch(written):
        raise refused
    return written


def as_address(text: str) -> str:
    """`text` as a lower-case e-mail address. Raises ContactRefused."""
    address = text.strip().lower()
    refused = ContactRefused(
        "email", gettext("This is not an e-mail address. Write it like name@example.com.")
    )
    try:
        validate_email(address)
    except ValidationError:
        raise refused from None
    if len(address) > LONGEST_ADDRESS:
        raise refused
    return address
