"""The patients who come at the times of a calendar: what is read beside a booking has their size.

The places of a calendar belong to a block (see `calendars`); here each of its providers' places
gets a visit of a series, in turn among so many patients as are under treatment at a time.
"""

from __future__ import annotations

from django.db import connection

from benchmarks import calendars, house
from benchmarks.house import NOW, House
from clinic.models import ProtocolVersion, ResourceKind
from patients.models import Patient

PATIENTS, SESSIONS = 20_000, 6
# With some 1,400 visits in four weeks, whoever was treated comes again four weeks later.
UNDER_TREATMENT = 1_400

COME = """
WITH place AS (
  SELECT held.starts_at, held.ends_at,
         row_number() OVER (ORDER BY held.starts_at, held.id)::int - 1 AS turn
    FROM appointments_allocation held
    JOIN clinic_resource resource ON resource.id = held.resource_id
   WHERE resource.kind = %(provider)s
), made AS (
  INSERT INTO appointments_treatmentseries
         (patient_id, site_id, protocol_version_id, areas, sessions, state, booked_at,
          closed_reason)
  SELECT (%(patients)s::bigint[])[1 + number %% cardinality(%(patients)s)], %(site)s, %(version)s,
         '{face}', %(sessions)s, 'open', %(now)s - interval '10 years', ''
    FROM generate_series(0, (SELECT max(turn) FROM place) / %(sessions)s + %(beside)s) number
  RETURNING id
), series AS (
  SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM made
)
INSERT INTO appointments_appointment
       (series_id, site_id, protocol_version_id, session, state, starts_at, ends_at, done_at,
        schedule_version, version, booked_at, scheduled_at, cancelled_by_patient, is_locked,
        override_reason, overrides)
SELECT series.id, %(site)s, %(version)s, 1 + turn / %(beside)s %% %(sessions)s,
       CASE WHEN ends_at < %(now)s THEN 'done' ELSE 'booked' END, starts_at, ends_at,
       CASE WHEN ends_at < %(now)s THEN ends_at END,
       1, 1, %(now)s, %(now)s, false, false, '', '{}'
  FROM place
  JOIN series ON number = turn / (%(beside)s * %(sessions)s) * %(beside)s + turn %% %(beside)s
"""
COMPLETE = """
UPDATE appointments_treatmentseries series SET state = 'completed', closed_at = %(now)s
 WHERE NOT EXISTS (SELECT FROM appointments_appointment
                    WHERE series_id = series.id AND state = 'booked')
"""


def come(built: House, version: ProtocolVersion) -> list[Patient]:
    """A visit at each of the providers' places in the calendar; the patients."""
    people = house.crowd(built, PATIENTS)
    with connection.cursor() as cursor:
        cursor.execute(
            COME,
            {
                "provider": ResourceKind.PROVIDER,
                "patients": [each.pk for each in people],
                "site": built.site.pk,
                "version": version.pk,
                "sessions": SESSIONS,
                "beside": UNDER_TREATMENT,
                "now": NOW,
            },
        )
        cursor.execute(COMPLETE, {"now": NOW})
    calendars.settle()
    return people
