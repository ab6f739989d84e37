"""Telling staff about trouble that is not of one message: a closed account, a filtered number.

One task for each site, code and hour, and none while an earlier one is open: a thousand messages
that meet the same wall are one piece of news.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from appointments.models import Task, TaskKind
from reminders.ledger.provider_codes import Action, is_known, meaning


def raise_for(codes: Iterable[tuple[int, str]], *, now: datetime) -> None:
    """Open what tasks these (site, code) ask for: alarms, and codes that our tables do not hold."""
    for site_id, code in sorted(set(codes)):
        if code and (meaning(code).action is Action.ALARM or not is_known(code)):
            _open(site_id, code, now=now)


def _open(site_id: int, code: str, *, now: datetime) -> None:
    family = f"alarm:{site_id}:{code}:"
    if Task.objects.open().filter(key__startswith=family).exists():
        return
    rule = meaning(code)
    title, detail = (
        ("Messages do not go out", "Whoever looks after the provider account must mend this.")
        if rule.action is Action.ALARM
        else ("A provider gave an unknown code", "Tell whoever looks after the provider account.")
    )
    Task.objects.bulk_create(
        [
            Task(
                key=f"{family}{now:%Y%m%d%H}",
                site_id=site_id,
                patient=None,
                kind=TaskKind.CHECK,
                title=title,
                detail=f"{detail} The code is {code}.",
                why=[rule.sentence],
                due_at=now,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
