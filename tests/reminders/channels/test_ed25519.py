"""The signature check, against the vectors of RFC 8032, 7.1."""

import pytest

from reminders.channels.ed25519 import ORDER, is_signed

VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
        "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
        "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_vectors_hold_and_any_other_byte_does_not(
    key: str, message: str, signature: str
) -> None:
    public_key, said, signed = map(bytes.fromhex, (key, message, signature))

    assert is_signed(public_key=public_key, message=said, signature=signed)
    assert not is_signed(public_key=public_key, message=said + b"x", signature=signed)
    for place in (0, 31, 32, 63):
        other = bytearray(signed)
        other[place] ^= 1
        assert not is_signed(public_key=public_key, message=said, signature=bytes(other))


def test_what_is_no_key_or_no_signature_signs_nothing() -> None:
    key, _, signature = (bytes.fromhex(part) for part in VECTORS[0])

    assert not is_signed(public_key=b"", message=b"", signature=signature)
    assert not is_signed(public_key=key, message=b"", signature=signature[:63])
    assert not is_signed(public_key=b"\xff" * 32, message=b"", signature=signature)


def test_a_factor_beyond_the_order_is_refused_so_that_no_signature_has_a_second_form() -> None:
    key, _, signature = (bytes.fromhex(part) for part in VECTORS[0])
    factor = int.from_bytes(signature[32:], "little") + ORDER

    second_form = signature[:32] + factor.to_bytes(32, "little")

    assert not is_signed(public_key=key, message=b"", signature=second_form)
