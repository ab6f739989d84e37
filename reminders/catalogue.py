"""The catalogue of message kinds: purpose, priority and life of each, and the states of one.

One table, no decisions. Times come from the protocol where it gives them; the rest from the
catalogue of the design (messaging rules, part b). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from clinic.saying import noop


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"


class Purpose(StrEnum):
    CARE = "care"
    MARKETING = "marketing"
    SYSTEM = "system"


class MessageState(StrEnum):
    """The states of a message, and no others."""

    SCHEDULED = "scheduled"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    SKIPPED = "skipped"


class Tray(StrEnum):
    """Where a message is listed: what it goes through within one touches no index."""

    TO_COME = "to_come"
    TOLD = "told"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"


TRAY_OF: Mapping[MessageState, Tray] = {
    MessageState.SCHEDULED: Tray.TO_COME,
    MessageState.SUBMITTING: Tray.TO_COME,
    MessageState.UNKNOWN: Tray.UNKNOWN,
    MessageState.ACCEPTED: Tray.TOLD,
    MessageState.SENT: Tray.TOLD,
    MessageState.DELIVERED: Tray.TOLD,
    MessageState.UNDELIVERED: Tray.FAILED,
    MessageState.FAILED: Tray.FAILED,
    MessageState.WITHDRAWN: Tray.WITHDRAWN,
    MessageState.SKIPPED: Tray.SKIPPED,
}


class Kind(StrEnum):
    """What a message is for, in the words of the catalogue."""

    BOOKING_CONFIRMED = "booking_confirmed"
    PRECARE_STEP = "precare_step"
    FILL_IN = "fill_in"
    REMINDER_7D = "reminder_7d"
    REMINDER_CONFIRM = "reminder_confirm"
    REMINDER_FINAL = "reminder_final"
    NUDGE = "nudge"
    APPT_MOVED = "appt_moved"
    CANCELLED = "cancelled"
    NO_SHOW_FOLLOWUP = "no_show_followup"
    POSTCARE_0 = "postcare_0"
    POSTCARE_STEP = "postcare_step"
    CHECKIN = "checkin"
    PROGRESS_MILESTONE = "progress_milestone"
    TOUCHUP_PROMPT = "touchup_prompt"
    REVIEW_REQUEST = "review_request"
    BIRTHDAY = "birthday"
    SESSION_DUE = "session_due"
    WAITLIST_OFFER = "waitlist_offer"
    WAITLIST_GONE = "waitlist_gone"
    OPTOUT_ACK = "optout_ack"
    START_ACK = "start_ack"
    HELP_REPLY = "help_reply"
    SAFETY_TEXT = "safety_text"
    AWAY_REPLY = "away_reply"
    STAFF_REPLY = "staff_reply"
    NEW_LINK = "new_link"
    ON_CALL = "on_call"
    CANARY = "canary"


# What a message of each kind is, as staff read it.
KIND_WORDS: Mapping[str, str] = {
    Kind.BOOKING_CONFIRMED: noop("Booking confirmation"),
    Kind.PRECARE_STEP: noop("Preparation"),
    Kind.FILL_IN: noop("To fill in before the visit"),
    Kind.REMINDER_7D: noop("Reminder a week before"),
    Kind.REMINDER_CONFIRM: noop("Reminder, asks to confirm"),
    Kind.REMINDER_FINAL: noop("Last reminder"),
    Kind.NUDGE: noop("Reminder on the day"),
    Kind.APPT_MOVED: noop("Visit moved"),
    Kind.CANCELLED: noop("Visit cancelled"),
    Kind.NO_SHOW_FOLLOWUP: noop("After a missed visit"),
    Kind.POSTCARE_0: noop("Care after the visit"),
    Kind.POSTCARE_STEP: noop("Care at home"),
    Kind.CHECKIN: noop("Check-in"),
    Kind.PROGRESS_MILESTONE: noop("Progress"),
    Kind.TOUCHUP_PROMPT: noop("Touch-up prompt"),
    Kind.REVIEW_REQUEST: noop("Request for a review"),
    Kind.BIRTHDAY: noop("Birthday greeting"),
    Kind.SESSION_DUE: noop("Next session is due"),
    Kind.WAITLIST_OFFER: noop("Place on offer"),
    Kind.WAITLIST_GONE: noop("Place on offer is gone"),
    Kind.OPTOUT_ACK: noop("Answer to STOP"),
    Kind.START_ACK: noop("Answer to START"),
    Kind.HELP_REPLY: noop("Answer to HELP"),
    Kind.SAFETY_TEXT: noop("Safety text"),
    Kind.AWAY_REPLY: noop("Answer out of hours"),
    Kind.STAFF_REPLY: noop("Reply by staff"),
    Kind.NEW_LINK: noop("New link"),
    Kind.ON_CALL: noop("Page to on-call staff"),
    Kind.CANARY: noop("Test message"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """How messages of one kind behave.

    `priority` 0 goes first and is not bound by quiet hours; nor is the purpose `system`, of what
    answers somebody or is said to staff. `life` is how long after its due
    time a message is still worth sending; None means until the visit starts, or until the offer
    runs out. `sparable` kinds give way when a person has had enough messages (`caps`); `every_days`
    is how many days lie between two of the kind at least.
    """

    purpose: Purpose
    priority: int
    life: timedelta | None
    tells_start: bool = False
    sparable: bool = False
    every_days: int = 0


CATALOGUE: Mapping[Kind, Entry] = {
    Kind.BOOKING_CONFIRMED: Entry(Purpose.CARE, 0, None, tells_start=True),
    Kind.APPT_MOVED: Entry(Purpose.CARE, 0, None, tells_start=True),
    Kind.CANCELLED: Entry(Purpose.CARE, 0, None),
    Kind.POSTCARE_0: Entry(Purpose.CARE, 0, timedelta(hours=12)),
    Kind.WAITLIST_OFFER: Entry(Purpose.CARE, 1, None, tells_start=True),
    Kind.WAITLIST_GONE: Entry(Purpose.CARE, 1, timedelta(hours=12)),
    Kind.REMINDER_FINAL: Entry(Purpose.CARE, 1, None, tells_start=True),
    Kind.REMINDER_CONFIRM: Entry(Purpose.CARE, 1, None, tells_start=True),
    Kind.NUDGE: Entry(Purpose.CARE, 1, None, tells_start=True),
    Kind.FILL_IN: Entry(Purpose.CARE, 1, None, tells_start=True),
    Kind.CHECKIN: Entry(Purpose.CARE, 1, timedelta(hours=48)),
    Kind.PRECARE_STEP: Entry(Purpose.CARE, 2, None, sparable=True),
    Kind.REMINDER_7D: Entry(Purpose.CARE, 2, None, tells_start=True),
    Kind.POSTCARE_STEP: Entry(Purpose.CARE, 2, timedelta(hours=48), sparable=True),
    Kind.NO_SHOW_FOLLOWUP: Entry(Purpose.CARE, 2, timedelta(days=3), sparable=True),
    Kind.PROGRESS_MILESTONE: Entry(Purpose.CARE, 3, timedelta(days=7), sparable=True),
    Kind.TOUCHUP_PROMPT: Entry(
        Purpose.MARKETING, 4, timedelta(days=14), sparable=True, every_days=30
    ),
    Kind.REVIEW_REQUEST: Entry(
        Purpose.MARKETING, 4, timedelta(days=14), sparable=True, every_days=90
    ),
    Kind.BIRTHDAY: Entry(Purpose.MARKETING, 4, timedelta(days=3), sparable=True, every_days=90),
    Kind.SESSION_DUE: Entry(Purpose.CARE, 2, timedelta(days=5), sparable=True, every_days=5),
    Kind.OPTOUT_ACK: Entry(Purpose.SYSTEM, 0, timedelta(minutes=5)),
    Kind.START_ACK: Entry(Purpose.SYSTEM, 0, timedelta(minutes=5)),
    Kind.SAFETY_TEXT: Entry(Purpose.SYSTEM, 0, timedelta(minutes=30)),
    Kind.ON_CALL: Entry(Purpose.SYSTEM, 0, timedelta(hours=2)),
    Kind.HELP_REPLY: Entry(Purpose.SYSTEM, 0, timedelta(minutes=15)),
    Kind.STAFF_REPLY: Entry(Purpose.SYSTEM, 0, timedelta(hours=24)),
    Kind.NEW_LINK: Entry(Purpose.SYSTEM, 0, timedelta(minutes=30)),
    Kind.AWAY_REPLY: Entry(Purpose.SYSTEM, 1, timedelta(minutes=15)),
    Kind.CANARY: Entry(Purpose.SYSTEM, 3, timedelta(minutes=15)),
}

# About a place on offer: each is a message of its own, and staff take the offer back instead of
# skipping it.
OFFERS = frozenset({Kind.WAITLIST_OFFER, Kind.WAITLIST_GONE})
# What shares a message with nothing else.
ALONE = OFFERS | {Kind.REVIEW_REQUEST, Kind.BIRTHDAY}
# Said the moment that something asks for it (`ledger/saying_now.py`): no plan wants them, none
# withdraws them.
SAID_NOW = frozenset(kind for kind, entry in CATALOGUE.items() if entry.purpose is Purpose.SYSTEM)
NOTICES = frozenset({Kind.BOOKING_CONFIRMED, Kind.APPT_MOVED, Kind.CANCELLED})
TELLING_KINDS = frozenset(kind for kind, entry in CATALOGUE.items() if entry.tells_start)

REASONS: Mapping[str, str] = {
    "booked_too_late": noop("The visit was booked too shortly before it for this message to help."),
    "confirmed": noop("The patient has confirmed, so it is not needed."),
    "skipped_by_staff": noop("Staff chose not to send it."),
    "untold": noop("The front desk chose not to tell the patient."),
    "late": noop("Its moment had passed when the visit was booked or moved."),
    "before_import": noop(
        "It fell due before the visit was brought over; the former system said it."
    ),
    "condition_unknown": noop("It depends on an answer that is not on record."),
    "condition_not_met": noop("By the answers on record it is not for this patient."),
    "treatment_held": noop("An answer holds the treatment back, so nothing is prepared for it."),
    "visit_barred": noop(
        "An answer bars the treatment on that day, so the patient is not reminded of it: staff call"
        " them, and cancel or move the visit."
    ),
    "nothing_to_fill_in": noop("Everything is answered and signed."),
    "superseded": noop("A newer treatment of the same kind has taken its place."),
    "said_for_longer": noop("Another treatment asks for the same, for longer; that is said."),
    "later_start_wins": noop(
        "After another treatment this may only begin later; that is said then."
    ),
    "clashing_advice": noop("Two treatments ask for opposite things; staff decide."),
    "adverse_event": noop("It waits until a clinician has closed an adverse event of this area."),
    "plan_changed": noop("The plan changed: the visit was moved, cancelled or regrouped."),
    "deceased": noop("The patient has died; nothing is sent."),
    "do_not_contact": noop("The patient must not be contacted; nothing is sent."),
    "expired": noop("It could not be sent in time to be of use."),
    "no_consent": noop("The patient has not agreed to this kind of message on this channel."),
    "no_address": noop("There is no number or address for this channel."),
    "suppressed": noop("The number or address must not be written to."),
    "not_live": noop("The site does not send messages yet."),
    "in_conversation": noop("It waits while staff are in touch with the patient about a symptom."),
    "quiet_hours": noop("It waits for the hours in which messages may be sent."),
    "cap": noop("The person has had as many messages as they should get; this one can be spared."),
    "said_by_email": noop(
        "The person has had as many texts as they should get; the e-mail says it."
    ),
    "too_often": noop("Such a prompt went out not long ago."),
    "no_common_hour": noop(
        "The hours allowed where the patient may be have no moment in common: record their time"
        " zone or change their quiet hours."
    ),
    "refused": noop("The provider refused it."),
    "attempts_spent": noop("The provider could not be reached in several tries."),
    "provider_away": noop("The provider could not be reached; it is tried again."),
    "never_taken": noop("Its provider never took it; it goes out again."),
    "second_try": noop("It could not be delivered at first; it is tried again."),
    "not_delivered": noop("The provider took it and could not deliver it."),
    "ends_its_writer": noop(
        "Again and again the process ended that wrote it; it is given up until that is mended."
    ),
    "cannot_be_stored": noop("The database did not take its mark; it is tried again."),
    "machine_trouble": noop(
        "The machine was short of something while it was written, such as memory or open files; it"
        " is tried again."
    ),
    "machine_failed": noop(
        "Whenever it was written the machine was short of something, such as memory or open files;"
        " it is given up, and staff were told."
    ),
    "cannot_be_written": noop("Its words could not be put together; staff were told."),
}
# Of what failed before a provider was called: staff have a task for each, and nothing else follows.
UNWRITTEN = ("cannot_be_written", "machine_failed")
