"""Proof of the diary: nothing is had twice, and every visit to come has its place."""

from __future__ import annotations

from appointments.lifecycle import TO_COME
from reminders.proving.checks import Check, by_query

# Each row beside the latest end of those before it: as long as the rows, whatever lies over what.
_OVERLAPS = """
SELECT format('allocation %%s of resource %%s', id, resource_id)
  FROM (SELECT id, resource_id, starts_at,
               max(ends_at) OVER (PARTITION BY resource_id ORDER BY starts_at, id
                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken_until
          FROM appointments_allocation
         WHERE active AND NOT is_deliberate) AS held
 WHERE starts_at < taken_until
"""
_WITHOUT_PLACE = """
SELECT format('visit %%s has no %%s', visit.id, kind)
  FROM appointments_appointment AS visit
 CROSS JOIN unnest(%(kinds)s::text[]) AS kind
 WHERE visit.state = ANY (%(to_come)s) AND visit.starts_at > %(now)s
   AND NOT EXISTS (
       SELECT FROM appointments_allocation AS held
         JOIN clinic_resource AS resource ON resource.id = held.resource_id
        WHERE held.appointment_id = visit.id AND held.active AND resource.kind = kind
          AND held.starts_at <= visit.starts_at AND held.ends_at >= visit.ends_at)
"""
_STILL_HELD = """
SELECT format('allocation %%s of the cancelled visit %%s', held.id, visit.id)
  FROM appointments_allocation AS held
  JOIN appointments_appointment AS visit ON visit.id = held.appointment_id
 WHERE held.active AND visit.state = 'cancelled'
"""

PLACES: tuple[Check, ...] = (
    by_query("overlaps", "No resource is held twice at one time.", _OVERLAPS),
    by_query(
        "places",
        "Every visit to come holds its patient and its provider for all of its time.",
        _WITHOUT_PLACE,
        kinds=["patient", "provider"],
        to_come=[state.value for state in TO_COME],
    ),
    by_query("given_back", "A cancelled visit holds nothing.", _STILL_HELD),
)
