"""Emptying the words of replies that a site keeps no longer; what was read in them stays."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

AT_ONCE = 500
FORGET = """
UPDATE reminders_inboundmessage SET text = '', forgotten_at = %(now)s
 WHERE id IN (SELECT reply.id
                FROM reminders_inboundmessage AS reply
                JOIN reminders_conversation AS conversation
                  ON conversation.id = reply.conversation_id AND conversation.state = 'closed'
                JOIN clinic_site AS site ON site.id = conversation.site_id
               WHERE reply.forgotten_at IS NULL
                 AND reply.received_at
                     < %(now)s::timestamptz - site.words_kept_days * interval '24 hours'
                 -- The same for the site that keeps them shortest: a range of the index.
                 AND reply.received_at < %(now)s::timestamptz
                     - (SELECT min(words_kept_days) FROM clinic_site) * interval '24 hours'
               ORDER BY reply.received_at LIMIT %(most)s
                 FOR UPDATE OF reply SKIP LOCKED)
"""


def forget(*, now: datetime) -> int:
    """Empty the words of closed conversations' replies that are older than their site's
    `words_kept_days`, some at once; how many."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, {"now": now, "most": AT_ONCE})
        return int(cursor.rowcount)
