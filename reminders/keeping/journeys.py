"""Moving journeys that ended long ago out of the ledger: closed, at rest, and without words.

What moves keeps its keys and everything that is known of it; planning leaves the journey alone from
then on. A message about several journeys stays. Some journeys at a time, each time in one
transaction that holds their patients: nobody plans them or sends to them meanwhile, and a process
that dies has moved all of them or none.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction

from reminders.ledger import claiming
from reminders.models import ArchivedJourney, ArchivedMessage, Message

AT_ONCE = 20
SECONDS = 20.0
# What stands about a message in tables of its own, by the names under which it is archived.
ABOUT = ("items", "attempts", "receipts", "look_ups")

# Where words are left, the site keeps them still; what is unknown may yet be asked about.
ENDED = """
SELECT series.id, series.patient_id
  FROM appointments_treatmentseries AS series
  JOIN clinic_site AS site ON site.id = series.site_id
 WHERE series.closed_at < %(now)s::timestamptz - site.words_kept_days * interval '24 hours'
   AND NOT EXISTS (SELECT FROM reminders_archivedjourney AS archived
                    WHERE archived.series_id = series.id)
   AND NOT EXISTS (
       SELECT FROM reminders_message AS message
         LEFT JOIN reminders_sentcontent AS content ON content.message_id = message.id
        WHERE message.series_id = series.id
          AND (message.state IN ('scheduled', 'submitting', 'unknown')
               OR content.id IS NOT NULL AND content.emptied_at IS NULL))
 ORDER BY series.id LIMIT %(most)s
"""


def archive(*, now: datetime, seconds: float = SECONDS, most: int = AT_ONCE) -> int:
    """Move journeys for some seconds at most; how many. Any number of processes may do it."""
    ends, moved = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        found = _archive(now=now, most=most)
        moved += found
        if found < most:
            break
    return moved


def waiting(*, now: datetime) -> int:
    """How many journeys would move at `now`. Reads only."""
    return len(_ended(now, most=1_000_000))


@transaction.atomic
def _archive(*, now: datetime, most: int) -> int:
    claiming.hold_patients(patient for _, patient in _ended(now, most=most))
    # Once more, with the patients held: somebody else may have been faster.
    ended = [series for series, _ in _ended(now, most=most)]
    journeys = ArchivedJourney.objects.bulk_create(
        ArchivedJourney(series_id=series, at=now) for series in ended
    )
    of_series = {journey.series_id: journey for journey in journeys}
    rows = Message.objects.filter(series__in=ended).select_related("content")
    messages = list(rows.prefetch_related(*ABOUT).order_by("pk"))
    ArchivedMessage.objects.bulk_create(
        _archived(each, of_series[each.series_id]) for each in messages if each.series_id
    )
    Message.objects.filter(pk__in=[each.pk for each in messages]).delete()
    return len(ended)


def _ended(now: datetime, *, most: int) -> list[tuple[int, int]]:
    """(series, patient) of journeys that may move."""
    with connection.cursor() as cursor:
        cursor.execute(ENDED, {"now": now, "most": most})
        found: list[tuple[int, int]] = cursor.fetchall()
    return found


def _archived(message: Message, journey: ArchivedJourney) -> ArchivedMessage:
    content = getattr(message, "content", None)
    whole = {
        "message": _row(message),
        "content": _row(content) if content else None,
        **{name: [_row(each) for each in getattr(message, name).all()] for name in ABOUT},
    }
    return ArchivedMessage(
        journey=journey,
        whole=whole,
        **{
            name: getattr(message, name)
            for name in (
                *("key", "reference", "patient_id", "site_id", "kind", "channel"),
                *("state", "reason", "due_at", "accepted_at"),
            )
        },
    )


def _row(row: models.Model) -> dict[str, Any]:
    """Every column by its name."""
    return {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}
