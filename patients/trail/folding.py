"""Looks that one person took in a row, as one line."""

from __future__ import annotations

from collections.abc import Sequence

from clinic.audit import LOOKED
from clinic.models import AuditEntry
from clinic.models.audit import LISTED

LOOKS = frozenset({LOOKED, LISTED})


def folded(entries: Sequence[AuditEntry]) -> list[list[AuditEntry]]:
    """The entries in their order, one a line; of looks by the same person and way in, all that
    follow each other."""
    lines: list[list[AuditEntry]] = []
    for entry in entries:
        if lines and _are_one(lines[-1][-1], entry):
            lines[-1].append(entry)
        else:
            lines.append([entry])
    return lines


def _are_one(newer: AuditEntry, older: AuditEntry) -> bool:
    are_looks = newer.action in LOOKS and older.action in LOOKS
    return are_looks and (newer.by_id, newer.via) == (older.by_id, older.via)
