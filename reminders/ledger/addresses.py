"""Numbers and addresses that are suppressed, also those of which only a digest was kept.

When a record is erased nobody may read its number any more, but a STOP holds for the number, which
may come back with another record. So the suppression keeps a digest with the installation's key:
whoever asks about an address asks about its digest too, and nobody can try all numbers on it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from django.conf import settings

_MARK = "digest:"


def digest(address: str) -> str:
    """What is kept of an address that must not be kept."""
    return _MARK + hmac.digest(settings.SECRET_KEY.encode(), address.encode(), "sha256").hex()


def either(address: str) -> list[str]:
    """How an address may stand in a suppression."""
    return [address, digest(address)] if address else []


def by_stored(addresses: Iterable[str]) -> dict[str, str]:
    """By what may be stored the address that it stands for."""
    return {stored: address for address in set(addresses) for stored in either(address)}
