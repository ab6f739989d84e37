"""Noticing that what is due does not leave, whatever the cause, and telling staff of it.

Looks at the rows alone: a dead worker, a deaf one, a claim that nobody clears and a provider that
is left alone all look the same to a patient who hears nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from clinic import statements
from reminders.ledger import alarms
from reminders.ledger.claiming import LANES, LEASE_END
from reminders.sending.lease import LEASE

# A message may wait so long for the next tick, a lost claim and its lease.
OVERDUE = LEASE + timedelta(seconds=60)
# It must stay so: after an outage everything is overdue for a moment, and leaves.
STAYS_SECONDS = 120.0

_OVERDUE = f"""
SELECT message.site_id, count(*), min(message.wake_at)
  FROM reminders_message AS message
  LEFT JOIN patients_patient AS patient ON patient.id = message.patient_id
  JOIN clinic_site AS site ON site.id = message.site_id
 WHERE ({" OR ".join(f"(message.wake_at <= %(late)s AND message.{lane})" for lane in LANES)})
   AND (message.state = 'submitting' AND {LEASE_END} <= %(late)s
        OR message.state = 'scheduled' AND site.revision = site.planned_revision
           AND (patient.id IS NULL OR patient.revision = patient.planned_revision))
 GROUP BY message.site_id
"""


class Watch:
    """Of one process, which remembers since when it has found each site waiting."""

    def __init__(self, own: Callable[[], float] = time.monotonic) -> None:
        self._own = own
        self._since: dict[int, float] = {}

    def look(self, *, now: datetime) -> None:
        """Open a task for each site of which something has been overdue for two minutes; none
        while an earlier one is open. `now` is the database's."""
        found = {
            site: (count, oldest)
            for site, count, oldest in statements.rows(_OVERDUE, {"late": now - OVERDUE})
        }
        moment = self._own()
        self._since = {site: self._since.get(site, moment) for site in found}
        for site, (count, oldest) in found.items():
            if moment - self._since[site] >= STAYS_SECONDS:
                alarms.raise_for_waiting(site, count=count, oldest=oldest, now=now)
