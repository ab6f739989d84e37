"""Proof of what is to be sent: nothing is stuck, forgotten or without its visit."""

from __future__ import annotations

from datetime import timedelta

from reminders.ledger.claiming import SET_BACK
from reminders.proving.checks import Check, by_query
from reminders.sending.taking import CHANNEL_CLOSED_RETRY

# A drain runs every second and tidying every fifteen: what is this late is not just about to be.
PATIENCE = timedelta(minutes=2)
OVERDUE = timedelta(minutes=15)
# How long an outcome may stay unknown before somebody must have been asked to look.
UNKNOWN = timedelta(hours=1)

_EXPIRED = """
SELECT format('message %%s', message.id)
  FROM reminders_message AS message
 WHERE message.state = 'scheduled' AND message.wake_at IS NOT NULL
   AND message.expires_at < %(now)s - %(patience)s
"""
# The plan of a message says nothing of when it is looked at, so who loses that sleeps for ever. A
# channel that does not open puts off for some minutes whatever it is.
_ASLEEP = """
SELECT format('message %%s', message.id)
  FROM reminders_message AS message
 WHERE message.state = 'scheduled'
   AND (message.wake_at IS NULL AND message.waits_for = ''
        OR message.expires_at > %(now)s AND message.wake_at > message.expires_at + %(patience)s)
"""
_OVERDUE = """
SELECT format('message %%s', message.id)
  FROM reminders_message AS message
 WHERE message.state = 'scheduled' AND message.wake_at < %(now)s - %(overdue)s
   AND message.expires_at > %(now)s
"""
_STUCK = """
SELECT format('message %%s', message.id)
  FROM reminders_message AS message
 WHERE message.state = 'submitting'
   AND (coalesce(message.leased_until, message.wake_at) < %(now)s - %(patience)s
        OR message.claimed_at > %(now)s + %(set_back)s + %(patience)s)
"""
_OPEN_ATTEMPTS = """
SELECT format('attempt %%s of message %%s', attempt.number, message.id)
  FROM reminders_attempt AS attempt
  JOIN reminders_message AS message ON message.id = attempt.message_id
 WHERE attempt.ended_at IS NULL AND message.state <> 'submitting'
   AND attempt.started_at < %(now)s - %(patience)s
"""
_UNATTENDED = """
SELECT format('message %%s', message.id)
  FROM reminders_message AS message
 WHERE message.tray = 'unknown' AND message.claimed_at < %(now)s - %(unknown)s
   AND message.expires_at > %(now)s AND message.wake_at IS NULL
   -- With this answer the task was made, or another channel had said the same.
   AND NOT EXISTS (SELECT FROM reminders_lookup AS look
                    WHERE look.message_id = message.id
                      AND look.answer IN ('several', 'cannot_say'))
   AND NOT EXISTS (SELECT FROM appointments_task AS task
                    WHERE task.created_at >= message.claimed_at
                      AND (task.key = format('call:%%s:%%s:', message.patient_id, message.kind)
                                      || split_part(task.key, ':', 4)
                           OR task.key LIKE '%%%%:' || message.key))
"""
_HELD = """
SELECT format('report %%s (%%s)', id, fault) FROM reminders_heldreport
 WHERE received_at < %(now)s - %(overdue)s
"""
_WITHOUT_VISIT = """
SELECT format('%%s of message %%s', item.anchor, item.message_id)
  FROM reminders_messageitem AS item
 WHERE NOT EXISTS (SELECT FROM appointments_appointment AS visit
                    WHERE item.anchor = 'visit:' || visit.id)
   AND NOT EXISTS (SELECT FROM appointments_treatmentseries AS series
                    WHERE item.anchor = 'series:' || series.id)
   AND NOT EXISTS (SELECT FROM appointments_invitation AS invitation
                    WHERE item.anchor = 'invitation:' || invitation.id)
   AND NOT EXISTS (SELECT FROM patients_patient AS patient
                    WHERE item.anchor = 'patient:' || patient.id)
"""
_WITHOUT_ITEM = """
SELECT format('message %%s', message.id)
  FROM reminders_message AS message
 WHERE message.purpose <> 'system' AND message.state = 'scheduled'
   AND NOT EXISTS (SELECT FROM reminders_messageitem AS item
                    WHERE item.message_id = message.id AND item.live)
"""
_WITHOUT_WORDS = """
SELECT format('message %%s', message.id)
  FROM reminders_message AS message
 WHERE message.accepted_at > %(now)s - interval '30 days'
   AND NOT EXISTS (SELECT FROM reminders_sentcontent AS content
                    WHERE content.message_id = message.id)
"""

WAITING: tuple[Check, ...] = (
    by_query("expired", "Nothing that has expired waits to be sent.", _EXPIRED, patience=PATIENCE),
    by_query(
        "asleep",
        "Everything that waits is looked at before it expires.",
        _ASLEEP,
        patience=CHANNEL_CLOSED_RETRY,
    ),
    by_query("overdue", "Nothing has been due for long.", _OVERDUE, overdue=OVERDUE),
    by_query(
        "claims",
        "No claim outlives its lease, and none is of a time to come.",
        _STUCK,
        patience=PATIENCE,
        set_back=SET_BACK,
    ),
    by_query(
        "attempts",
        "Every attempt that is not under way has its outcome.",
        _OPEN_ATTEMPTS,
        patience=PATIENCE,
    ),
    by_query(
        "unknowns",
        "Every unknown outcome is being looked into or is somebody's task.",
        _UNATTENDED,
        unknown=UNKNOWN,
    ),
    by_query("held", "Every report of a provider was dealt with.", _HELD, overdue=OVERDUE),
    by_query("visits", "What a message is about is there.", _WITHOUT_VISIT),
    by_query("items", "Every planned message says something.", _WITHOUT_ITEM),
    by_query("words", "Everything sent in the last 30 days can be shown.", _WITHOUT_WORDS),
)
