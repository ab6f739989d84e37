"""A conversation out of sight until a time. It comes back then by itself, and at once when the
patient writes again. One with a symptom is always in sight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction

from clinic.models import Site, Staff
from clinic.saying import gettext
from clinic.wall_time import instant, local
from reminders.inbound import conversing
from reminders.inbound.conversing import ConversationRefused
from reminders.models import Conversation

LONGEST = timedelta(days=90)
SOON = timedelta(hours=1)
_MORNING = 9 * 60  # minutes from midnight
_MONDAY = 0


@transaction.atomic
def snooze(
    *, conversation: Conversation, until: datetime, by: Staff, now: datetime
) -> Conversation:
    """Keep it out of sight until a moment (UTC).

    Raises Forbidden unless `by` may answer it, and ConversationRefused when it is closed, names a
    symptom, or the moment has passed or is too far away.
    """
    stored = conversing.locked(conversation, by)
    if stored.has_symptom:
        raise ConversationRefused(
            gettext("It names a symptom, so it stays in sight until it is closed.")
        )
    if not now < until <= now + LONGEST:
        raise ConversationRefused(
            gettext("Choose a time to come, within %(days)s days.") % {"days": LONGEST.days},
            field="until",
        )
    stored.snoozed_until = until
    stored.save(update_fields=["snoozed_until"])
    written = until.astimezone(UTC).isoformat()
    conversing.recorded(
        "conversation.snooze", stored, by=by, now=now, after={"snoozed_until": written}
    )
    return stored


@transaction.atomic
def wake(*, conversation: Conversation, by: Staff, now: datetime) -> Conversation:
    """Bring it back at once. Raises Forbidden, and ConversationRefused when it is in sight."""
    stored = conversing.locked(conversation, by)
    if stored.snoozed_until is None or stored.snoozed_until <= now:
        raise ConversationRefused(gettext("This conversation is in sight already."))
    stored.snoozed_until = None
    stored.save(update_fields=["snoozed_until"])
    conversing.recorded("conversation.wake", stored, by=by, now=now)
    return stored


def proposed(site: Site, now: datetime) -> list[datetime]:
    """Until when it is mostly put aside: an hour, tomorrow morning, Monday morning (UTC)."""
    today = local(now, site.zone).date()
    soon = (now + SOON).replace(second=0, microsecond=0)
    tomorrow = today + timedelta(days=1)
    to_monday = (_MONDAY - today.weekday()) % 7 or 7
    mornings = {tomorrow, today + timedelta(days=to_monday)}
    return [soon, *(instant(day, _MORNING, site.zone) for day in sorted(mornings))]
