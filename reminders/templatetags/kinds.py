"""The words of staff pages for what a message is about."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from appointments.lifecycle import Move
from clinic.templatetags.ui import icon
from reminders.catalogue import REASONS, Kind

register = template.Library()

WORDS: dict[str, str] = {
    Kind.BOOKING_CONFIRMED: "Booking confirmation",
    Kind.PRECARE_STEP: "Preparation",
    Kind.REMINDER_7D: "Reminder a week before",
    Kind.REMINDER_CONFIRM: "Reminder, asks to confirm",
    Kind.REMINDER_FINAL: "Last reminder",
    Kind.NUDGE: "Second request to confirm",
    Kind.APPT_MOVED: "Visit moved",
    Kind.CANCELLED: "Visit cancelled",
    Kind.NO_SHOW_FOLLOWUP: "After a missed visit",
    Kind.POSTCARE_0: "Care after the visit",
    Kind.POSTCARE_STEP: "Care at home",
    Kind.CHECKIN: "Check-in",
    Kind.PROGRESS_MILESTONE: "Progress",
    Kind.TOUCHUP_PROMPT: "Touch-up prompt",
    Kind.REVIEW_REQUEST: "Request for a review",
    Kind.BIRTHDAY: "Birthday greeting",
    Kind.WAITLIST_OFFER: "Place on offer",
    Kind.WAITLIST_GONE: "Place on offer is gone",
    Kind.OPTOUT_ACK: "Answer to STOP",
    Kind.START_ACK: "Answer to START",
    Kind.HELP_REPLY: "Answer to HELP",
    Kind.SAFETY_TEXT: "Safety text",
    Kind.AWAY_REPLY: "Answer out of hours",
    Kind.STAFF_REPLY: "Reply by staff",
    Kind.NEW_LINK: "New link",
    Kind.ON_CALL: "Page to on-call staff",
    Kind.CANARY: "Test message",
    "call": "Call by staff",
    "prepare": "Task: prepare",
    "check": "Task: check",
}


@register.filter
def kind_word(kind: str) -> str:
    """What a message or a task is, in words: "Last reminder"."""
    return WORDS.get(kind, kind.replace("_", " ").capitalize())


LABELS: dict[str, str] = {
    "optout": "Opt-out",
    "wrong_number": "Wrong number",
    "help": "Asks for help",
    "start": "Wants messages again",
    "symptom_urgent": "Urgent symptom",
    "symptom_review": "Symptom to look at",
    "confirm": "Confirms",
    "change": "Wants a change",
    "answer": "Answers the check-in",
    "free_text": "Other",
}


@register.filter
def label_word(label: str) -> str:
    """What was read in a reply: "Urgent symptom"."""
    return LABELS.get(label, label)


# state → (class, icon, word), as in `clinic.templatetags.ui`.
CONVERSATIONS = {
    "unmatched": ("unknown", "question", "Unmatched"),
    "new": ("scheduled", "bell", "New"),
    "waiting": ("submitting", "hourglass", "Waiting for the patient"),
    "escalated": ("failed", "warning", "Escalated"),
    "closed": ("delivered", "tick-ring", "Closed"),
}


@register.simple_tag
def conversation_chip(state: str) -> SafeString:
    """The chip of a conversation's state."""
    name, image, word = CONVERSATIONS[state]
    return format_html('<span class="chip msg {}">{}{}</span>', name, icon(image), word)


MOVES: dict[str, str] = {
    Move.BOOK: "Booked",
    Move.MOVE: "Moved",
    Move.CONFIRM: "Confirmed",
    Move.CHECK_IN: "Checked in",
    Move.START: "Started",
    Move.COMPLETE: "Completed",
    Move.NO_SHOW: "Marked as no-show",
    Move.CANCEL: "Cancelled",
    Move.LOCK: "Locked",
    Move.UNLOCK: "Unlocked",
    Move.MIGRATE: "Given another protocol version",
    Move.UNDO: "Taken back",
    Move.IMPORT: "Brought over",
}


@register.filter
def move_word(move: str) -> str:
    """What was done to a visit: "Checked in"."""
    return MOVES[move]


@register.filter
def reason_sentence(reason: str) -> str:
    """Why a message is not sent, as a sentence."""
    return REASONS.get(reason, reason.replace("_", " ").capitalize() + "." if reason else "")
