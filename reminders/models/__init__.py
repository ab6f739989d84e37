"""The ledger: every message that was wanted, sent or not sent, and why."""

from reminders.catalogue import MessageState
from reminders.models.archive import ArchivedJourney, ArchivedMessage
from reminders.models.conversation import Conversation, ConversationState, InboundMessage
from reminders.models.draft import DraftText
from reminders.models.export import RecordExport
from reminders.models.held_report import HeldReport
from reminders.models.look_up import LookUp, LookUpAnswer
from reminders.models.message import Message, MessageItem
from reminders.models.outcome import Attempt, Receipt, SentContent, WritingDeath
from reminders.models.provider import CallsUnderWay, ProviderAccount
from reminders.models.skip import SkipChoice
from reminders.models.suppression import Suppression, SuppressionReason, SuppressionSource
from reminders.models.wording import WordingState, WordingVersion

__all__ = [
    "ArchivedJourney",
    "ArchivedMessage",
    "Attempt",
    "CallsUnderWay",
    "Conversation",
    "ConversationState",
    "DraftText",
    "HeldReport",
    "InboundMessage",
    "LookUp",
    "LookUpAnswer",
    "Message",
    "MessageItem",
    "MessageState",
    "ProviderAccount",
    "Receipt",
    "RecordExport",
    "SentContent",
    "SkipChoice",
    "Suppression",
    "SuppressionReason",
    "SuppressionSource",
    "WordingState",
    "WordingVersion",
    "WritingDeath",
]
