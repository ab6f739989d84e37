"""The e-mail that says what an urgent text could not. Pure.

It is a wish like any other: it moves, merges and is withdrawn with its visit, and being said once
on a channel keeps it from coming twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from clinic.saying import noop
from reminders.catalogue import Channel
from reminders.planning.facts import Item
from reminders.planning.wish import Wish

WHY = noop("The text with it could not be delivered, so it goes by e-mail.")


def with_emails(wishes: Iterable[Wish], unheard: Mapping[Item, datetime | None]) -> list[Wish]:
    """`wishes`, and an e-mail for each whose text did not arrive and that has none yet: at the time
    of the text, also where staff had let that leave before."""
    given = list(wishes)
    known = {wish.item for wish in given}
    added = [
        wish._replace(
            item=by_email,
            due_at=min(wish.due_at, unheard[wish.item] or wish.due_at),
            why=(*wish.why, WHY),
        )
        for wish in given
        if wish.item in unheard
        and (by_email := wish.item._replace(channel=Channel.EMAIL)) not in known
    ]
    return [*given, *added]
