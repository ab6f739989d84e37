"""Words that a provider answers by itself, where its account says that it does.

A provider takes a word for such only when it is the whole text; what else means the same is ours to
answer. Sources, read in November 2026: help.twilio.com/hc/en-us/articles/223134027;
developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out.
"""

from __future__ import annotations

from collections.abc import Mapping

from reminders.catalogue import Channel
from reminders.models import ProviderAccount

WORDS: Mapping[str, frozenset[str]] = {
    "stop": frozenset(
        {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
    ),
    "start": frozenset({"start", "yes", "unstop"}),
    "help": frozenset({"help", "info"}),
}


def answered_as(text: str, *, channel: Channel, provider: str) -> str:
    """What the provider has answered a text as: "stop", "start", "help", or empty for nothing."""
    word = " ".join(text.lower().split())
    found = next((name for name, words in WORDS.items() if word in words), "")
    answers = ProviderAccount.objects.filter(
        channel=channel, provider=provider, answers_keywords=True
    )
    return found if found and answers.exists() else ""
