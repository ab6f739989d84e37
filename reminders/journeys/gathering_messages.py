"""What staff chose for messages, and what was said already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from clinic import statements
from reminders.catalogue import UNWRITTEN, Channel
from reminders.ledger.fallback import CALL_UP_TO_PRIORITY
from reminders.ledger.provider_statuses import FAILURES
from reminders.models import MessageItem, SkipChoice
from reminders.planning.facts import ChosenTime, Item

Choices = dict[int, list[tuple[int, str, str]]]


def choices_of(patient_ids: Collection[int]) -> tuple[Choices, Choices]:
    """By series what staff chose not to send, and what to say by the other channel."""
    skips: Choices = defaultdict(list)
    switched: Choices = defaultdict(list)
    for row in SkipChoice.objects.filter(series__patient__in=patient_ids):
        chosen = switched if row.instead else skips
        chosen[row.series_id].append((row.session, row.step, row.channel))
    return skips, switched


# Of what no dispatcher has taken up, the newest message first.
_CHOSEN = """
SELECT message.patient_id, message.id, message.chosen_at, staff.name, message.at_any_hour,
       item.anchor, item.schedule_version, item.step, item.channel
  FROM reminders_message AS message
  JOIN clinic_staff AS staff ON staff.id = message.chosen_by_id
  JOIN reminders_messageitem AS item ON item.message_id = message.id
 WHERE message.patient_id = ANY (%s::bigint[]) AND message.chosen_at IS NOT NULL
   AND message.claimed_at IS NULL
 ORDER BY message.id DESC
"""


def chosen_by(patient_ids: Collection[int]) -> dict[int, list[ChosenTime]]:
    """By patient the times that staff gave to messages."""
    items: defaultdict[tuple[int, int, datetime, str, bool], list[Item]] = defaultdict(list)
    for row in statements.rows(_CHOSEN, [statements.array(patient_ids)]):
        anchor, version, step, channel = row[5:]
        items[row[:5]].append(Item(anchor, version, step, Channel(channel)))
    chosen = defaultdict(list)
    for (patient, _, at, by, at_any_hour), said in items.items():
        chosen[patient].append(ChosenTime(frozenset(said), at, by, at_any_hour))
    return chosen


def spoken_by(patient_ids: Collection[int]) -> dict[int, list[Item]]:
    """By patient the items of messages that a dispatcher took up, whatever became of them."""
    return _by_patient(
        MessageItem.objects.filter(
            message__patient__in=patient_ids, message__claimed_at__isnull=False, live=True
        )
    )


def unheard_by(patient_ids: Collection[int]) -> dict[int, dict[Item, datetime | None]]:
    """By patient the items of urgent texts that failed for good, but for want of words."""
    failed = MessageItem.objects.filter(
        message__patient__in=patient_ids,
        message__priority__lte=CALL_UP_TO_PRIORITY,
        message__state__in=FAILURES,
        channel=Channel.SMS,
        live=True,
    ).exclude(message__reason__in=UNWRITTEN)
    found: dict[int, dict[Item, datetime | None]] = defaultdict(dict)
    for patient_id, chosen_at, anchor, version, step, channel in failed.values_list(
        *("message__patient_id", "message__chosen_at"),
        *("anchor", "schedule_version", "step", "channel"),
    ):
        found[patient_id][Item(anchor, version, step, Channel(channel))] = chosen_at
    return found


def _by_patient(items: QuerySet[MessageItem]) -> dict[int, list[Item]]:
    found = defaultdict(list)
    for patient_id, anchor, version, step, channel in items.values_list(
        "message__patient_id", "anchor", "schedule_version", "step", "channel"
    ):
        found[patient_id].append(Item(anchor, version, step, Channel(channel)))
    return found
