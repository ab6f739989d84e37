"""Removing the words that a site keeps no longer: what was sent, what staff gave for it and what
was replied. That it was said, when, to whom, why, and the fingerprint of the words remain.

In small batches, each for itself: a process that dies has removed some, and the next goes on. A
message that goes out again meanwhile has new words, which stay.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

AT_ONCE = 500
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Shelf:
    """One table with words: `going` are the ids of its rows whose time is over, oldest first, each
    with its site; `empty` is what is set when they go."""

    name: str
    table: str
    empty: str
    going: str


# The same for the site that keeps them shortest: a range of the index.
_OLDEST_FIRST = """
   AND {at} < %(now)s::timestamptz - site.words_kept_days * interval '24 hours'
   AND {at} < %(now)s::timestamptz
       - (SELECT min(words_kept_days) FROM clinic_site) * interval '24 hours'
 ORDER BY {at}
"""
SHELVES = (
    Shelf(
        "sent",
        "reminders_sentcontent",
        "address = '', subject = '', text = '', html = '', calendar = '', emptied_at = %(now)s",
        """
SELECT kept.id, site.id AS site_id
  FROM reminders_sentcontent AS kept
  JOIN reminders_message AS message
    ON message.id = kept.message_id AND message.state NOT IN ('scheduled', 'submitting')
  JOIN clinic_site AS site ON site.id = message.site_id
 WHERE kept.emptied_at IS NULL"""
        + _OLDEST_FIRST.format(at="kept.at"),
    ),
    Shelf(
        "drafts",
        "reminders_drafttext",
        "text = '', emptied_at = %(now)s",
        """
SELECT kept.id, site.id AS site_id
  FROM reminders_drafttext AS kept
  JOIN reminders_message AS message
    ON message.id = kept.message_id AND message.state NOT IN ('scheduled', 'submitting')
  JOIN clinic_site AS site ON site.id = message.site_id
 WHERE kept.text <> ''"""
        + _OLDEST_FIRST.format(at="message.due_at"),
    ),
    Shelf(
        "replies",
        "reminders_inboundmessage",
        "text = '', forgotten_at = %(now)s",
        """
SELECT kept.id, site.id AS site_id
  FROM reminders_inboundmessage AS kept
  JOIN reminders_conversation AS conversation
    ON conversation.id = kept.conversation_id AND conversation.state = 'closed'
  JOIN clinic_site AS site ON site.id = conversation.site_id
 WHERE kept.forgotten_at IS NULL"""
        + _OLDEST_FIRST.format(at="kept.received_at"),
    ),
)
REMOVE = """
UPDATE {table} SET {empty}
 WHERE id IN (SELECT id FROM ({going} LIMIT %(most)s FOR UPDATE OF kept SKIP LOCKED) AS going)
"""
COUNT = "SELECT site_id, count(*) FROM ({going}) AS going GROUP BY site_id"


def remove(*, now: datetime, seconds: float = SECONDS, most: int = AT_ONCE) -> dict[str, int]:
    """Remove what is kept no longer at `now`, the database's clock, for some seconds at most; how
    much of each kind. Any number of processes may do it at once."""
    ends = time.monotonic() + seconds
    return {shelf.name: _remove(shelf, now=now, ends=ends, most=most) for shelf in SHELVES}


def _remove(shelf: Shelf, *, now: datetime, ends: float, most: int) -> int:
    statement = REMOVE.format(table=shelf.table, empty=shelf.empty, going=shelf.going)
    removed = 0
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"now": now, "most": most})
            removed += cursor.rowcount
            if cursor.rowcount < most:
                break
    return removed


def going(*, now: datetime) -> dict[str, dict[int, int]]:
    """By kind and site how much would be removed at `now`. Reads only."""
    found = {}
    for shelf in SHELVES:
        with connection.cursor() as cursor:
            cursor.execute(COUNT.format(going=shelf.going), {"now": now})
            found[shelf.name] = dict(cursor.fetchall())
    return found
