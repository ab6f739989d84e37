"""Writing the audit trail: an explicit call, in the transaction of the act it records.

Looks at a record are written as well, by the page or endpoint that shows it, before the answer
leaves: what cannot be written is not shown. Where they come from is known by `clinic.origin`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, models

from clinic import origin, statements
from clinic.models import AuditEntry, Site, Staff
from clinic.models.audit import LISTED

LOOKED = "record.view"
# The same look by the same person is written once in each of these, counted from midnight UTC.
WINDOW = timedelta(minutes=15)


def record(
    *,
    action: str,
    subject: models.Model,
    by: Staff | None,
    now: datetime,
    site: Site | None = None,
    patient_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Store that `by` did `action` to `subject` at `now` (UTC).

    `before` and `after` hold only the fields that changed, as JSON values.
    """
    made = entry(
        action=action,
        subject=subject,
        by=by,
        now=now,
        site=site,
        patient_id=patient_id,
        before=before,
        after=after,
        reason=reason,
    )
    statements.add(made)
    return made


def entry(
    *,
    action: str,
    subject: models.Model,
    by: Staff | None,
    now: datetime,
    site: Site | None = None,
    patient_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """As `record`, for the caller to store with others at once."""
    return AuditEntry(
        at=now,
        by=by,
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        site=site,
        patient_id=patient_id,
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        **_where(),
    )


def look(
    *,
    subject: models.Model,
    patient_id: int | None,
    by: Staff | None,
    now: datetime,
    site_id: int | None = None,
) -> None:
    """Store that `by` was shown `subject`, which belongs to the record of a patient.

    Does nothing when it belongs to nobody's, or the look stands already in this window.
    """
    if patient_id is None:
        return
    _add_once(
        AuditEntry(
            at=now,
            by=by,
            action=LOOKED,
            subject_type=subject._meta.label_lower,
            subject_id=str(subject.pk),
            site_id=site_id,
            patient_id=patient_id,
            window=_window(now),
            **_where(),
        )
    )


def looked_through(
    *, patient_ids: Collection[int], by: Staff, now: datetime, site_id: int | None = None
) -> None:
    """Store that `by` was shown a list with the birth dates or numbers of these patients.

    The same list is written once in a window. What was searched for is not stored: it is a name.
    """
    if not patient_ids:
        return
    shown = sorted(set(patient_ids))
    _add_once(
        AuditEntry(
            at=now,
            by=by,
            action=LISTED,
            subject_type="patients.patient",
            subject_id="list-" + hashlib.sha256(repr(shown).encode()).hexdigest()[:16],
            site_id=site_id,
            after={"patients": shown},
            window=_window(now),
            **_where(),
        )
    )


_ONCE = """
INSERT INTO clinic_auditentry (at, by_id, action, subject_type, subject_id, site_id, patient_id,
                               before, after, reason, via, ip, agent, request, "window")
VALUES (%s, %s, %s, %s, %s, %s, %s, '{}', %s, '', %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""


def _add_once(entry: AuditEntry) -> None:
    """One statement and no transaction around it: a page waits for one answer of the database."""
    subject = (entry.action, entry.subject_type, entry.subject_id)
    where = (entry.via, entry.ip, entry.agent, entry.request)
    with connection.cursor() as cursor:
        cursor.execute(
            _ONCE,
            [
                *(entry.at, entry.by_id, *subject, entry.site_id, entry.patient_id),
                *(json.dumps(entry.after), *where, entry.window),
            ],
        )


def _where() -> dict[str, Any]:
    where = origin.current()
    return {"via": where.via, "ip": where.ip, "agent": where.agent, "request": where.request}


def _window(now: datetime) -> datetime:
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    return midnight + (now - midnight) // WINDOW * WINDOW
