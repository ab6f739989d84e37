"""The words of staff pages for what a message is about."""

from __future__ import annotations

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.lifecycle import Move
from clinic.templatetags.ui import icon
from reminders.catalogue import REASONS, Kind
from reminders.ledger.provider_codes import meaning

register = template.Library()

WORDS: dict[str, Promise] = {
    Kind.BOOKING_CONFIRMED: _("Booking confirmation"),
    Kind.PRECARE_STEP: _("Preparation"),
    Kind.FILL_IN: _("To fill in before the visit"),
    Kind.REMINDER_7D: _("Reminder a week before"),
    Kind.REMINDER_CONFIRM: _("Reminder, asks to confirm"),
    Kind.REMINDER_FINAL: _("Last reminder"),
    Kind.NUDGE: _("Reminder on the day"),
    Kind.APPT_MOVED: _("Visit moved"),
    Kind.CANCELLED: _("Visit cancelled"),
    Kind.NO_SHOW_FOLLOWUP: _("After a missed visit"),
    Kind.POSTCARE_0: _("Care after the visit"),
    Kind.POSTCARE_STEP: _("Care at home"),
    Kind.CHECKIN: _("Check-in"),
    Kind.PROGRESS_MILESTONE: _("Progress"),
    Kind.TOUCHUP_PROMPT: _("Touch-up prompt"),
    Kind.REVIEW_REQUEST: _("Request for a review"),
    Kind.BIRTHDAY: _("Birthday greeting"),
    Kind.SESSION_DUE: _("Next session is due"),
    Kind.WAITLIST_OFFER: _("Place on offer"),
    Kind.WAITLIST_GONE: _("Place on offer is gone"),
    Kind.OPTOUT_ACK: _("Answer to STOP"),
    Kind.START_ACK: _("Answer to START"),
    Kind.HELP_REPLY: _("Answer to HELP"),
    Kind.SAFETY_TEXT: _("Safety text"),
    Kind.AWAY_REPLY: _("Answer out of hours"),
    Kind.STAFF_REPLY: _("Reply by staff"),
    Kind.NEW_LINK: _("New link"),
    Kind.ON_CALL: _("Page to on-call staff"),
    Kind.CANARY: _("Test message"),
    "call": _("Call by staff"),
    "prepare": _("Task: prepare"),
    "check": _("Task: check"),
}


@register.filter
def kind_word(kind: str) -> str:
    """What a message or a task is, in words: "Last reminder"."""
    return str(WORDS.get(kind, kind.replace("_", " ").capitalize()))


LABELS: dict[str, Promise] = {
    "optout": _("Opt-out"),
    "wrong_number": _("Wrong number"),
    "help": _("Asks for help"),
    "start": _("Wants messages again"),
    "symptom_urgent": _("Urgent symptom"),
    "symptom_review": _("Symptom to look at"),
    "confirm": _("Confirms"),
    "change": _("Wants a change"),
    "answer": _("Answers the check-in"),
    "free_text": _("Other"),
}


@register.filter
def label_word(label: str) -> str:
    """What was read in a reply: "Urgent symptom"."""
    return str(LABELS.get(label, label))


# state → (class, icon, word), as in `clinic.templatetags.ui`.
CONVERSATIONS = {
    "unmatched": ("unknown", "question", _("Unmatched")),
    "new": ("scheduled", "bell", _("New")),
    "waiting": ("submitting", "hourglass", _("Waiting for the patient")),
    "escalated": ("failed", "warning", _("Escalated")),
    "closed": ("delivered", "tick-ring", _("Closed")),
}


@register.simple_tag
def conversation_chip(state: str) -> SafeString:
    """The chip of a conversation's state."""
    name, image, word = CONVERSATIONS[state]
    return format_html('<span class="chip msg {}">{}{}</span>', name, icon(image), word)


MOVES: dict[str, Promise] = {
    Move.BOOK: _("Booked"),
    Move.MOVE: _("Moved"),
    Move.RESIZE: _("Given another length"),
    Move.CONFIRM: _("Confirmed"),
    Move.CHECK_IN: _("Checked in"),
    Move.START: _("Started"),
    Move.COMPLETE: _("Completed"),
    Move.NO_SHOW: _("Marked as no-show"),
    Move.CANCEL: _("Cancelled"),
    Move.LOCK: _("Locked"),
    Move.UNLOCK: _("Unlocked"),
    Move.MIGRATE: _("Given another protocol version"),
    Move.UNDO: _("Taken back"),
    Move.IMPORT: _("Brought over"),
}


@register.filter
def move_word(move: str) -> str:
    """What was done to a visit: "Checked in"."""
    return str(MOVES[move])


@register.filter
def code_sentence(code: str) -> str:
    """What a provider's code means, as a sentence."""
    return gettext(meaning(code).sentence)


@register.filter
def reason_sentence(reason: str) -> str:
    """Why a message is not sent, as a sentence."""
    if reason in REASONS:
        return gettext(REASONS[reason])
    return reason.replace("_", " ").capitalize() + "." if reason else ""
