"""Telling staff about trouble that is not of one message: a closed account, a filtered number,
messages that do not leave.

One task for each site, code and hour, and none while an earlier one is open: a thousand messages
that meet the same wall are one piece of news.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from appointments.models import Task, TaskKind
from clinic.retelling import kept, text, together
from clinic.saying import noop
from reminders.ledger.provider_codes import Action, is_known, meaning


def raise_for(codes: Iterable[tuple[int, str]], *, now: datetime) -> None:
    """Open what tasks these (site, code) ask for: alarms, and codes that our tables do not hold."""
    for site_id, code in sorted(set(codes)):
        if code and (meaning(code).action is Action.ALARM or not is_known(code)):
            _open(site_id, code, now=now)


def raise_for_waiting(site_id: int, *, count: int, oldest: datetime, now: datetime) -> None:
    """Open a task because messages of a site are due and do not leave."""
    minutes = int((now - oldest).total_seconds() // 60)
    _task(
        site_id,
        "waiting",
        title=noop("Messages are late"),
        detail=kept(
            "Due and not left: %(count)s, the first for %(minutes)s minutes. Whoever looks after"
            " the installation finds at /health/ which part is down.",
            count=count,
            minutes=minutes,
        ),
        why=noop("What is due leaves within two minutes, or something is wrong."),
        now=now,
    )


def raise_for_held(site_id: int | None, *, now: datetime) -> None:
    """Open a task because a reply cannot be taken in; None is written to no site."""
    if site_id is not None:
        _task(
            site_id,
            "held",
            title=noop("A reply cannot be read"),
            detail=(
                noop(
                    "It is kept and tried again, and shows in the inbox once that succeeds. "
                    "Whoever looks after the installation finds the fault in the log. Call who "
                    "may have written if you wait for an answer."
                )
            ),
            why=noop("Every reply is read within a minute, or something is wrong."),
            now=now,
        )


def _open(site_id: int, code: str, *, now: datetime) -> None:
    rule = meaning(code)
    title, detail = (
        (
            noop("Messages do not go out"),
            noop("Whoever looks after the provider account must mend this."),
        )
        if rule.action is Action.ALARM
        else (
            noop("A provider gave an unknown code"),
            noop("Tell whoever looks after the provider account."),
        )
    )
    detail = together((detail, kept("The code is %(code)s.", code=text(code))))
    _task(site_id, code, title=title, detail=detail, why=rule.sentence, now=now)


def _task(site_id: int, name: str, *, title: str, detail: str, why: str, now: datetime) -> None:
    family = f"alarm:{site_id}:{name}:"
    if Task.objects.open().filter(key__startswith=family).exists():
        return
    Task.objects.bulk_create(
        [
            Task(
                key=f"{family}{now:%Y%m%d%H}",
                site_id=site_id,
                patient=None,
                kind=TaskKind.CHECK,
                title=title,
                detail=detail,
                why=[why],
                due_at=now,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
