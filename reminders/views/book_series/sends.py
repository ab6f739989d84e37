"""What booking a plan will send: what goes out, by session, and what would not go out anyhow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reminders.journeys import foreseeing
from reminders.journeys.preview import SKIP, Preview
from reminders.views.book_series.draft import Draft
from reminders.views.book_series.order import Order
from reminders.views.book_series.plan_rows import Row
from reminders.views.visit_acts import step_titles


@dataclass(frozen=True, slots=True)
class Send:
    """One line of what booking will send: what it says, and the value of its skip box."""

    preview: Preview
    about: str
    skip: str
    is_skipped: bool

    @property
    def is_off(self) -> bool:
        return self.preview.decision == SKIP


def of(order: Order, draft: Draft, rows: Sequence[Row], now: datetime) -> dict[str, Any]:
    """For the page: what goes out in groups by session (0 is the series as a whole), what was
    ticked off among it, and `unsent`."""
    found = _sends(order, draft, rows, now)
    going = [send for send in found if not send.is_off or send.is_skipped]
    by_session: defaultdict[int, list[Send]] = defaultdict(list)
    for send in going:
        by_session[send.preview.session or 0].append(send)
    return {
        "sends": going,
        "send_groups": [
            {"session": session, "sends": by_session[session]} for session in sorted(by_session)
        ],
        "unsent": [send for send in found if send.is_off and not send.is_skipped],
    }


def _sends(order: Order, draft: Draft, rows: Sequence[Row], now: datetime) -> list[Send]:
    if not rows:
        return []
    previews = foreseeing.series(
        patient=order.patient,
        site=order.site,
        version=order.version,
        areas=draft.areas,
        visits=[row.imagined for row in rows],
        now=now,
        skips=draft.skips,
    )
    return [
        Send(
            preview,
            step_titles(order.protocol, preview.steps),
            " ".join(f"{session}:{step}:{by}" for session, step, by in preview.items),
            preview.reason == "skipped_by_staff",
        )
        for preview in previews
    ]
