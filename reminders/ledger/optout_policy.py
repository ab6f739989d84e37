"""What an opt-out ends, as dated data: `optout_policy.toml`. Pure.

A file that leaves a way to opt out without a scope, or whose rules are not in order, stops the
import.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path


class Scope(StrEnum):
    CHANNEL = "channel"
    CATEGORY = "category"
    MARKETING = "marketing"


WAYS = frozenset({"reply", "staff", "provider", "link", "one_click"})


@dataclass(frozen=True, slots=True)
class Rule:
    """From the start of `since` (UTC) on, each way to opt out has this scope."""

    since: date
    scopes: Mapping[str, Scope]


def parse(source: str) -> tuple[Rule, ...]:
    """The rules of a policy, oldest first. Raises ValueError with a sentence."""
    tables = tomllib.loads(source).get("rule", [])
    rules = tuple(_rule(dict(table)) for table in tables)
    days = [rule.since for rule in rules]
    if not rules or days != sorted(set(days)):
        raise ValueError("An opt-out policy has rules, each from a later day than the one before.")
    return rules


def _rule(table: dict[str, object]) -> Rule:
    since = table.pop("from", None)
    if not isinstance(since, date):
        raise ValueError("A rule of the opt-out policy says from which day it counts.")
    if table.keys() != WAYS:
        raise ValueError(f"A rule of the opt-out policy names each of {', '.join(sorted(WAYS))}.")
    return Rule(since, {way: Scope(str(scope)) for way, scope in table.items()})


POLICY = parse((Path(__file__).parent / "optout_policy.toml").read_text(encoding="utf-8"))


def scope(way: str, *, now: datetime, policy: Sequence[Rule] = POLICY) -> Scope:
    """What an opt-out that is given at `now` in this way ends; before the first rule, all."""
    day = now.astimezone(UTC).date()
    standing = [rule for rule in policy if rule.since <= day]
    return standing[-1].scopes[way] if standing else Scope.CHANNEL
