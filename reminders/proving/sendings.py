"""Proof of what was sent: once, in time, about what was true then, and to who had agreed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.db.models import Exists, OuterRef, QuerySet

from clinic import hours
from clinic.hours import Hours
from clinic.models import AuditEntry
from reminders import gate
from reminders.catalogue import Purpose
from reminders.journeys import recipients
from reminders.ledger import provider_statuses
from reminders.models import Attempt, SentContent
from reminders.proving.checks import CLOCKS, MOST_NAMED, Check, Finding, by_query
from reminders.sending.lease import LEASE
from reminders.sending.letters import body_digest

# Acts after which the zone and the quiet hours of a patient may be others.
CHANGES = ("patient.change", "patient.merge", "patient.unmerge", "patient.erase")
_BATCH = 1000

# Of attempt `first`: that nobody has reported it lost before `until`.
_NOT_LOST = """
NOT EXISTS (
       SELECT FROM reminders_receipt AS receipt
         JOIN unnest(%(providers)s::text[], %(words)s::text[]) AS loss (provider, word)
           ON receipt.provider = loss.provider AND receipt.status = loss.word
        WHERE receipt.message_id = first.message_id AND receipt.applied
          AND receipt.received_at BETWEEN first.started_at AND {until})
"""
# Handed over a second time although nothing proved the first time wrong.
_ACCEPTED_TWICE = f"""
SELECT format('message %%s: attempts %%s and %%s', message.id, first.number, second.number)
  FROM reminders_attempt AS first
  JOIN reminders_attempt AS second
    ON second.message_id = first.message_id AND second.number > first.number
  JOIN reminders_message AS message ON message.id = first.message_id
 WHERE first.outcome = 'accepted' AND second.outcome = 'accepted'
   AND {_NOT_LOST.format(until="second.started_at")}
"""
_ABOUT_TO_BE = f"""
SELECT format('message %%s: attempt %%s', message.id, first.number)
  FROM reminders_attempt AS first
  JOIN reminders_message AS message ON message.id = first.message_id
 WHERE first.outcome = 'accepted' AND message.state = 'scheduled' AND message.wake_at IS NOT NULL
   AND {_NOT_LOST.format(until="%(now)s")}
"""
# The providers' words for what did not arrive.
_LOST = [
    (provider, word)
    for provider, statuses in provider_statuses.STATUSES.items()
    for word, state in statuses.items()
    if state in provider_statuses.FAILURES
]
_LOSSES = {
    "providers": [provider for provider, _ in _LOST],
    "words": [word for _, word in _LOST],
}
_SAID_TWICE = """
SELECT format('%%s of %%s v%%s by %%s: messages %%s', step, anchor, schedule_version, item.channel,
              string_agg(message.id::text, ', ' ORDER BY message.id))
  FROM reminders_messageitem AS item
  JOIN reminders_message AS message ON message.id = item.message_id
 WHERE message.state IN ('accepted', 'sent', 'delivered')
 GROUP BY anchor, schedule_version, step, item.channel
HAVING count(DISTINCT message.id) > 1
"""
# The start that a visit had when the message was marked: a cancellation or move that came before
# the mark keeps it back, one that came after it came too late.
_STALE = """
SELECT format('message %%s about visit %%s', message.id, visit.id)
  FROM reminders_attempt AS attempt
  JOIN reminders_message AS message ON message.id = attempt.message_id
  JOIN reminders_messageitem AS item ON item.message_id = message.id
  JOIN appointments_appointment AS visit ON item.anchor = 'visit:' || visit.id
 CROSS JOIN LATERAL (
       SELECT change.starts_after, change.state_after
         FROM appointments_statuschange AS change
        WHERE change.appointment_id = visit.id AND change.at <= attempt.started_at - %(clocks)s
        ORDER BY change.id DESC LIMIT 1) AS known
 WHERE attempt.outcome IN ('accepted', 'unknown') AND item.step <> 'cancelled'
   AND item.starts_at IS NOT NULL
   AND (known.starts_after <> item.starts_at OR known.state_after = 'cancelled')
   AND NOT EXISTS (
       SELECT FROM appointments_statuschange AS meanwhile
        WHERE meanwhile.appointment_id = visit.id AND meanwhile.starts_after = item.starts_at
          AND meanwhile.state_after <> 'cancelled'
          AND meanwhile.at BETWEEN attempt.started_at - %(clocks)s
                               AND attempt.started_at + %(clocks)s)
"""
_WITHOUT_CONSENT = """
SELECT format('message %%s without consent to %%s by %%s', message.id, wanted.purpose,
              wanted.channel)
  FROM reminders_attempt AS attempt
  JOIN reminders_message AS message ON message.id = attempt.message_id
 CROSS JOIN LATERAL (
       SELECT message.purpose AS purpose, message.channel AS channel
        UNION ALL
       SELECT jsonb_array_elements_text(message.needs), 'any') AS wanted
 WHERE attempt.outcome IN ('accepted', 'unknown') AND message.purpose <> 'system'
   AND NOT EXISTS (
       SELECT FROM patients_contactconsent AS consent
        WHERE (consent.patient_id = message.patient_id
               -- Records that were one at some time: what either agreed to held for both.
               OR EXISTS (SELECT FROM patients_recordmerge AS merged
                           WHERE (merged.kept_id, merged.gone_id) IN (
                                 (consent.patient_id, message.patient_id),
                                 (message.patient_id, consent.patient_id))))
          AND consent.purpose = wanted.purpose
          AND consent.channel = wanted.channel
          AND consent.opened_at <= attempt.started_at + %(clocks)s
          AND (consent.closed_at IS NULL OR consent.closed_at > attempt.started_at - %(clocks)s))
"""
_SUPPRESSED = """
SELECT format('message %%s, suppressed for %%s', message.id, suppression.reason)
  FROM reminders_attempt AS attempt
  JOIN reminders_message AS message ON message.id = attempt.message_id
  JOIN reminders_sentcontent AS content ON content.message_id = message.id
  JOIN reminders_suppression AS suppression
    ON suppression.channel = message.channel AND suppression.address = content.address
 WHERE attempt.outcome IN ('accepted', 'unknown') AND message.kind <> 'optout_ack'
   AND suppression.since < attempt.started_at - %(clocks)s
   AND (suppression.lifted_at IS NULL OR suppression.lifted_at > attempt.started_at + %(clocks)s)
"""
_AFTER_DEATH = """
SELECT format('message %%s', message.id)
  FROM reminders_attempt AS attempt
  JOIN reminders_message AS message ON message.id = attempt.message_id
  JOIN patients_patient AS patient ON patient.id = message.patient_id
 WHERE attempt.outcome IN ('accepted', 'unknown')
   AND least(patient.deceased_at, patient.do_not_contact_at) < attempt.started_at - %(clocks)s
"""
_TOO_LATE = """
SELECT format('message %%s, attempt %%s', message.id, attempt.number)
  FROM reminders_attempt AS attempt
  JOIN reminders_message AS message ON message.id = attempt.message_id
 WHERE attempt.outcome IN ('accepted', 'unknown')
   AND attempt.started_at > message.expires_at + %(clocks)s
"""


def _by_day(now: datetime) -> Finding:
    """Attempts at an hour that is quiet wherever the patient may be, or by the patient's own wish.

    That is known of today only, so what came before the last change of the patient's record is left
    out: run every night, the proof has seen it. The gate looked up to one lease before the attempt
    began, so a window may just have closed.
    """
    named, faults = [], 0
    for attempts in _batches(_that_wait_for_the_day()):
        known = recipients.of([attempt.message for attempt in attempts])
        for attempt in attempts:
            message, at = attempt.message, attempt.started_at
            recipient = known[message.pk]
            windows = gate.allowed_hours(
                Purpose(message.purpose), recipient, at_any_hour=message.at_any_hour
            )
            moments = (at, at - LEASE - CLOCKS)
            if not any(_is_open(each, windows, recipient.zones) for each in moments):
                faults += 1
                named.append(f"message {message.pk}")
    return Finding(faults, tuple(named[:MOST_NAMED]))


def _that_wait_for_the_day() -> QuerySet[Attempt]:
    changed_since = AuditEntry.objects.filter(
        patient_id=OuterRef("message__patient"),
        action__in=CHANGES,
        at__gt=OuterRef("started_at"),
    )
    return (
        Attempt.objects.filter(
            ~Exists(changed_since),
            outcome__in=("accepted", "unknown"),
            message__priority__gt=0,
            message__patient__isnull=False,
        )
        .exclude(message__purpose=Purpose.SYSTEM)
        .select_related("message__patient", "message__site")
        .order_by("id")
    )


def _batches(rows: QuerySet[Attempt]) -> Iterator[Sequence[Attempt]]:
    found = rows.iterator(chunk_size=_BATCH)
    while batch := list(islice(found, _BATCH)):
        yield batch


def _is_open(at: datetime, windows: Sequence[Hours], zones: tuple[str, ...]) -> bool:
    try:
        return hours.next_allowed(at, windows, zones) == at
    except hours.NeverAllowed:
        return False


def _altered(now: datetime) -> Finding:
    """Stored words that are not those of which the fingerprint was taken."""
    named, faults = [], 0
    kept = SentContent.objects.exclude(body_digest="").filter(emptied_at=None).order_by("pk")
    for content in kept.iterator(chunk_size=_BATCH):
        if body_digest(content) != content.body_digest:
            faults += 1
            named.append(f"message {content.message_id}")
    return Finding(faults, tuple(named[:MOST_NAMED]))


SENDINGS: tuple[Check, ...] = (
    by_query(
        "accepted_once",
        "No message was taken by a provider twice, unless the first was reported lost.",
        _ACCEPTED_TWICE,
        **_LOSSES,
    ),
    by_query(
        "not_again",
        "Nothing that a provider took waits to be sent again, unless it was reported lost.",
        _ABOUT_TO_BE,
        **_LOSSES,
    ),
    by_query("said_once", "Nothing was said twice on one channel.", _SAID_TWICE),
    by_query("true_when_sent", "What was said of a visit was true when it was said.", _STALE),
    by_query("consent", "Who was written to had agreed at that moment.", _WITHOUT_CONSENT),
    by_query("suppression", "No suppressed number or address was written to.", _SUPPRESSED),
    by_query(
        "death",
        "Nobody was written to after their death, or their wish not to be contacted.",
        _AFTER_DEATH,
    ),
    by_query("in_time", "Nothing was sent after it had expired.", _TOO_LATE),
    Check("unaltered", "What was sent is stored as it was sent.", _altered),
    Check("quiet_hours", "Nothing that waits for the day was sent in quiet hours.", _by_day),
)
