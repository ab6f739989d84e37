"""The ledger: every message that was wanted, sent or not sent, and why."""

from reminders.catalogue import MessageState
from reminders.models.message import Message, MessageItem
from reminders.models.outcome import Attempt, Receipt, SentContent, Suppression
from reminders.models.skip import SkipChoice

__all__ = [
    "Attempt",
    "Message",
    "MessageItem",
    "MessageState",
    "Receipt",
    "SentContent",
    "SkipChoice",
    "Suppression",
]
