"""Looks that one person took in a row from one device on one day, as one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinic.audit import LOOKED
from clinic.models import AuditEntry
from clinic.models.audit import LISTED
from clinic.wall_time import local

LOOKS = frozenset({LOOKED, LISTED})


def folded(entries: Sequence[AuditEntry], zone: str) -> list[list[AuditEntry]]:
    """The entries in their order, one a line; of looks by the same person from the same place on
    one day of `zone`, all that follow each other. What patients saw is one by patient."""
    lines: list[list[AuditEntry]] = []
    for entry in entries:
        if lines and _are_one(lines[-1][-1], entry, zone):
            lines[-1].append(entry)
        else:
            lines.append([entry])
    return lines


def _are_one(newer: AuditEntry, older: AuditEntry, zone: str) -> bool:
    are_looks = newer.action in LOOKS and older.action in LOOKS
    return are_looks and _shared(newer, zone) == _shared(older, zone)


def _shared(look: AuditEntry, zone: str) -> tuple[Any, ...]:
    """What the looks of one line have in common, so that the line can say it for all of them."""
    nobody = ("patient", look.patient_id) if look.patient_id else ("entry", look.pk)
    who = ("staff", look.by_id) if look.by_id else nobody
    where = (look.via, look.ip, look.agent, look.site_id)
    return who, where, local(look.at, zone).date()
