"""Proof of how long words are kept: as long as the site says, and no longer."""

from __future__ import annotations

from datetime import timedelta

from clinic.models.site import FEWEST_WORDS_DAYS
from reminders.proving.checks import Check, by_query

# Removing runs every hour, and stops for as long as everything else does.
PATIENCE = timedelta(days=2)

_TOO_LONG = """
SELECT format('message %%s', message.id)
  FROM reminders_sentcontent AS content
  JOIN reminders_message AS message ON message.id = content.message_id
  JOIN clinic_site AS site ON site.id = message.site_id
 WHERE content.emptied_at IS NULL AND message.state NOT IN ('scheduled', 'submitting')
   AND content.at < %(now)s - site.words_kept_days * interval '24 hours' - %(patience)s
"""
_TOO_SHORT = """
SELECT format('message %%s', message.id)
  FROM reminders_sentcontent AS content
  JOIN reminders_message AS message ON message.id = content.message_id
  LEFT JOIN patients_patient AS patient ON patient.id = message.patient_id
 WHERE content.emptied_at < content.at + %(fewest)s
   -- Who is erased is written to no more, so nothing looks back at what they were told.
   AND patient.erased_at IS NULL
"""

_IN_BOTH = """
SELECT format('message %%s of series %%s', message.id, message.series_id)
  FROM reminders_message AS message
  JOIN reminders_archivedjourney AS journey ON journey.series_id = message.series_id
"""

KEEPING: tuple[Check, ...] = (
    by_query(
        "removed",
        "Words are gone when their site keeps them no longer.",
        _TOO_LONG,
        patience=PATIENCE,
    ),
    by_query(
        "kept",
        f"No words were removed within {FEWEST_WORDS_DAYS} days.",
        _TOO_SHORT,
        fewest=timedelta(days=FEWEST_WORDS_DAYS),
    ),
    by_query("archived", "An archived journey has nothing left in the ledger.", _IN_BOTH),
)
