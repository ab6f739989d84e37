"""Proof of the records: what was signed reads as it was signed."""

from __future__ import annotations

from reminders.proving.checks import Check, by_query

# The audit entry of the signing holds the digest where not even the owner's update reaches it.
_SIGNED = """
SELECT format('record %%s of visit %%s', record.id, record.appointment_id)
  FROM appointments_treatmentrecord AS record
 WHERE record.signed_at IS NOT NULL
   AND NOT (
       record.digest = encode(sha256(convert_to(record.statement, 'UTF8')), 'hex')
   AND record.statement::jsonb -> 'log' = record.document
   AND (record.statement::jsonb ->> 'visit')::bigint = record.appointment_id
   AND (record.statement::jsonb ->> 'signed_at')::timestamptz = record.signed_at
   AND (record.statement::jsonb -> 'signed_by' ->> 'id')::bigint = record.signed_by_id
   AND EXISTS (
       SELECT FROM clinic_auditentry AS entry
        WHERE entry.subject_type = 'appointments.treatmentrecord'
          AND entry.subject_id = record.id::text
          AND entry.action = 'record.sign'
          AND entry.after ->> 'digest' = record.digest))
"""
# Each addendum names the digest of what stands below it, so none is missing in between.
_ADDENDA = """
SELECT format('addendum %%s of record %%s', addendum.number, addendum.record_id)
  FROM appointments_addendum AS addendum
  JOIN appointments_treatmentrecord AS record ON record.id = addendum.record_id
  LEFT JOIN appointments_addendum AS below
    ON below.record_id = addendum.record_id AND below.number = addendum.number - 1
 WHERE NOT (
       addendum.digest = encode(sha256(convert_to(addendum.statement, 'UTF8')), 'hex')
   AND addendum.statement::jsonb -> 'corrections' = addendum.corrections
   AND addendum.statement::jsonb ->> 'reason' = addendum.reason
   AND addendum.statement::jsonb ->> 'text' = addendum.text
   AND addendum.statement::jsonb ->> 'upon'
       = CASE WHEN addendum.number = 1 THEN record.digest ELSE coalesce(below.digest, '') END)
"""

RECORDS: tuple[Check, ...] = (
    by_query("signed_records", "Every signed log reads as it was signed.", _SIGNED),
    by_query("addenda", "Every addendum reads as it was written, and none is missing.", _ADDENDA),
)
