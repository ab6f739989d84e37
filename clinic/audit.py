"""Writing the audit trail: an explicit call, in the transaction of the act it records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models

from clinic.models import AuditEntry, Site, Staff


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
    return AuditEntry.objects.create(
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
    )
