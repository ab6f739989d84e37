"""Why somebody cannot wait for a place, or cannot have the one on offer."""

from __future__ import annotations

from appointments.refusals import InputRefused, Refused


class AlreadyWaiting(Refused):
    """The patient is on the list for the same already."""

    code = "already_waiting"
    field = "patient"


class NothingToWaitFor(InputRefused):
    """There is no place that the patient could still wait for."""

    code = "nothing_to_wait_for"


class WishesRefused(InputRefused):
    """No place could ever meet these wishes."""

    code = "wishes_refused"


class NotWaiting(Refused):
    """The entry is closed: booked, taken off the list or no longer needed."""

    code = "not_waiting"
    field = "entry"


class NoMatch(Refused):
    """The gap is not for this entry."""

    code = "no_match"
    field = "entries"


class OfferClosed(Refused):
    """The offer was answered, ran out or was taken back; `answer` says which (models.Answer)."""

    code = "offer_closed"
    field = "offer"

    def __init__(self, sentence: str, *, answer: str) -> None:
        super().__init__(sentence)
        self.answer = answer
