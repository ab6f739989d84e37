"""The accounts of providers, whose pace all processes share: debited in the transaction that marks
messages, and told what was answered.

What nothing limits is not locked, so that processes wait for each other only where they must.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from clinic import statements
from reminders.channels.base import Submission
from reminders.ledger import pacing
from reminders.ledger.pacing import Pace
from reminders.models import CallsUnderWay, ProviderAccount

_PACE = [field.name for field in fields(Pace)]
_COUNTED = ("blocked_until", "calls", "unknown", "lost", "pauses")
_KEPT = ("tokens", "filled_at", *_COUNTED)
STATES = (
    f"SELECT channel, provider, {', '.join(_PACE)} FROM reminders_provideraccount"
    " WHERE channel = ANY (%s)"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """One process that calls, and how many calls it has under way by channel."""

    process: UUID
    under_way: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many calls one account would allow now, whether they have to be debited, and in how many
    seconds the next would be allowed."""

    allowed: int
    is_limited: bool = False
    ready_in: float = 0.0


def foresee(providers: Mapping[str, str], wanted: int, *, now: datetime) -> dict[str, Outlook]:
    """By channel what its provider's account would allow now, without waiting for anybody."""
    outlook = dict.fromkeys(providers, Outlook(wanted))
    for channel, provider, *state in statements.rows(STATES, [list(providers)]):
        if provider == providers[channel]:
            pace = Pace(*state)
            allowed, _ = pacing.allow(pace, wanted, under_way=0, now=now)
            outlook[channel] = Outlook(
                allowed, pacing.is_limited(pace), pacing.ready_in(pace, now=now)
            )
    return outlook


def debit(
    channel: str, provider: str, wanted: int, *, caller: Caller, now: datetime, until: datetime
) -> int:
    """Take leave for up to `wanted` calls: how many. Inside the caller's transaction.

    They count as under way until `until`, or until the process says otherwise.
    """
    account = _locked(channel, provider, now)
    mine = caller.under_way.get(channel, 0)
    others = 0 if account.most_at_once is None else _others(account, caller.process, now)
    granted, after = pacing.allow(_pace(account), wanted, under_way=others + mine, now=now)
    _keep(account, after, _KEPT)
    if account.most_at_once is not None:
        CallsUnderWay.objects.update_or_create(
            account=account,
            process=caller.process,
            defaults={"calls": mine + granted, "until": until},
        )
    return granted


def end(process: UUID) -> None:
    """This process has nothing under way any more."""
    CallsUnderWay.objects.filter(process=process).delete()


@transaction.atomic
def learn(channel: str, provider: str, answers: Sequence[Submission], *, now: datetime) -> None:
    """Take in what a provider answered, in this order."""
    account = _locked(channel, provider, now)
    _keep(account, pacing.after(_pace(account), answers, now=now), _COUNTED)


@transaction.atomic
def slow_down(channel: str, provider: str, *, now: datetime) -> None:
    """No calls for a while: a carrier reported that too many came at once."""
    account = _locked(channel, provider, now)
    _keep(account, pacing.slowed(_pace(account), now=now), _COUNTED)


def _others(account: ProviderAccount, process: UUID, now: datetime) -> int:
    """The calls that other processes have under way."""
    others = CallsUnderWay.objects.filter(account=account, until__gt=now).exclude(process=process)
    return others.aggregate(calls=Sum("calls"))["calls"] or 0


def _locked(channel: str, provider: str, now: datetime) -> ProviderAccount:
    found = ProviderAccount.objects.select_for_update(no_key=True).filter(
        channel=channel, provider=provider
    )
    if (account := found.first()) is not None:
        return account
    ProviderAccount.objects.bulk_create(
        [ProviderAccount(channel=channel, provider=provider, filled_at=now)], ignore_conflicts=True
    )
    return found.get()


def _pace(account: ProviderAccount) -> Pace:
    return Pace(**{name: getattr(account, name) for name in _PACE})


def _keep(account: ProviderAccount, pace: Pace, names: Sequence[str]) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(
        **{name: getattr(pace, name) for name in names}
    )
