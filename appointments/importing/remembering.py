"""Keeping what files said: one row for each patient, series and visit, by its key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from django.db import connection

from appointments.models import Import

# (key, patient, subject or None, digests by name)
Said = tuple[str, int, int | None, Mapping[str, str]]

_KEEP = """
INSERT INTO appointments_broughtover (site_id, kind, source_id, key, patient_id, subject, said)
SELECT %s, %s, %s, key, patient, subject, said
  FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::jsonb[])
       AS told (key, patient, subject, said)
    ON CONFLICT (site_id, kind, key) DO UPDATE SET said = excluded.said, subject = excluded.subject
"""


def keep(source: Import, kind: str, told: Sequence[Said]) -> None:
    """Keep what a file said, in place of what an earlier one did."""
    if not told:
        return
    keys, patients, subjects, said = zip(*told, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            [
                *(source.site_id, kind, source.pk),
                *(list(keys), list(patients), list(subjects)),
                [json.dumps(each) for each in said],
            ],
        )
