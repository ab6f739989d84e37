"""Why a patient cannot do something by themselves and is asked to call."""

from __future__ import annotations

from enum import StrEnum

from appointments.refusals import Refused


class Why(StrEnum):
    NOTICE = "notice"  # too short before the visit
    TOO_SOON = "too_soon"  # the time chosen is too near
    LOCKED = "locked"
    UNDER_WAY = "under_way"
    OVER = "over"
    CANCELLED = "cancelled"
    NO_DATE = "no_date"  # the treatment allows none
    NOT_ALLOWED = "not_allowed"  # the treatment does not allow this one
    NOT_DUE = "not_due"  # no touch-up now
    BOOKED = "booked"  # the touch-up is booked already
    TAKEN_BACK_TOO_LATE = "taken_back_too_late"


_SENTENCES = {
    Why.NOTICE: "It is too short before the visit to change it by oneself.",
    Why.TOO_SOON: "This time is too near to take it by oneself.",
    Why.LOCKED: "This visit is locked, so it keeps its time.",
    Why.UNDER_WAY: "This visit has begun.",
    Why.OVER: "This visit is over.",
    Why.CANCELLED: "This visit was cancelled.",
    Why.NO_DATE: "The treatment allows no date that is still to come.",
    Why.NOT_ALLOWED: "The treatment does not allow this date.",
    Why.NOT_DUE: "No touch-up is due now.",
    Why.BOOKED: "The next visit is booked already.",
    Why.TAKEN_BACK_TOO_LATE: "The time to take it back is over.",
}


class NotByLink(Refused):
    """The patient has to call; `why` says what for."""

    code = "not_by_link"

    def __init__(self, why: Why) -> None:
        super().__init__(_SENTENCES[why])
        self.why = why
