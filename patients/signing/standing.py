"""Where a patient stands with a form, from what they signed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clinic import wall_time
from clinic.durations import parse
from clinic.saying import noop


class Standing(StrEnum):
    """`SIGNED` counts; every other one asks for a signature."""

    SIGNED = "signed"
    MISSING = "missing"
    OUTDATED = "outdated"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


WORDS = {
    Standing.SIGNED: noop("Signed"),
    Standing.MISSING: noop("Not signed"),
    Standing.OUTDATED: noop("The form changed since it was signed"),
    Standing.EXPIRED: noop("The signature has run out"),
    Standing.WITHDRAWN: noop("Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a form; `number` is that of its edition, `valid_for` the edition's."""

    id: int
    number: int
    signed_at: datetime
    withdrawn_at: datetime | None
    valid_for: str
    zone: str


def ends_at(signature: Signature) -> datetime | None:
    """When a signature stops counting by itself; None when it does not."""
    if not signature.valid_for:
        return None
    return wall_time.after(signature.signed_at, parse(signature.valid_for), signature.zone)


def of(
    signatures: Iterable[Signature], *, counts_from: int, now: datetime
) -> tuple[Standing, Signature | None]:
    """Where the patient stands with a form, and the signature that says so: the last one, so that
    a withdrawal counts until they sign again."""
    last = max(signatures, key=lambda each: (each.signed_at, each.id), default=None)
    if last is None:
        return Standing.MISSING, None
    end = ends_at(last)
    if last.withdrawn_at is not None:
        return Standing.WITHDRAWN, last
    if last.number < counts_from:
        return Standing.OUTDATED, last
    if end is not None and end <= now:
        return Standing.EXPIRED, last
    return Standing.SIGNED, last
