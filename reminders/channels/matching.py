"""Whether a text that a provider holds is the one that we sent. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from reminders.channels.base import Unanswered

# Our clock may be behind the provider's by some seconds, and a call may take half a minute.
CLOCKS_APART = timedelta(seconds=30)
LONGEST_CALL = timedelta(seconds=60)
TOKEN = r"[A-Za-z0-9_-]+"


def is_same_text(unanswered: Unanswered, text: str) -> bool:
    """Word for word, but for the token of the link, which is not kept."""
    kept = unanswered.text.strip().split(unanswered.hidden)
    return re.fullmatch(TOKEN.join(map(re.escape, kept)), text.strip()) is not None


def is_same_time(unanswered: Unanswered, at: datetime) -> bool:
    """Taken while the call lasted, give or take what clocks differ by."""
    begun = unanswered.called_at
    return begun - CLOCKS_APART <= at <= begun + LONGEST_CALL + CLOCKS_APART
