"""Taking a part of the audit trail out of the house, which is itself written to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

from clinic import access, audit, csv_cells
from clinic.access import Capability
from clinic.models import Staff
from patients.trail import rows, searching
from patients.trail.searching import Asked


def as_csv(*, asked: Asked, by: Staff, now: datetime) -> Iterator[str]:
    """The lines of a CSV file of what `by` may see and asked for, however much it is.

    Raises:
        Forbidden: when `by` may read no site's trail.
    """
    access.require(by, Capability.SEE_AUDIT)
    audit.record(
        action="audit.export",
        subject=by,
        by=by,
        now=now,
        site=searching.sites_of(by)[0],
        patient_id=asked.patient,
        after={name: str(value) for name, value in asdict(asked).items() if value},
    )
    found = searching.found(by, asked)
    return csv_cells.lines(rows.file_rows(searching.everything(found), by))
