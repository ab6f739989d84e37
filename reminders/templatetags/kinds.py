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
from reminders.catalogue import KIND_WORDS, REASONS
from reminders.ledger.provider_codes import meaning

register = template.Library()

# The kinds of tasks, where they stand beside messages.
TASKS: dict[str, Promise] = {
    "call": _("Call by staff"),
    "prepare": _("Task: prepare"),
    "check": _("Task: check"),
}


@register.filter
def kind_word(kind: str) -> str:
    """What a message or a task is, in words: "Last reminder"."""
    if kind in KIND_WORDS:
        return gettext(KIND_WORDS[kind])
    return str(TASKS.get(kind, kind.replace("_", " ").capitalize()))


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
