"""What a reply asks of staff, as one press beside it. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments.lifecycle import Move, State, offered
from appointments.models import Appointment
from appointments.visits import conflicts
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from reminders.inbound.grammar import Label
from reminders.inbound.threads import Line
from reminders.models import Conversation, ConversationState, MessageItem
from reminders.views.book_series import plan_rows

MOVE, BOOK, CONFIRM, MEND = "move", "book", "confirm", "mend"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`act` is move, book, confirm or mend (the number); `choices` are the places to move to."""

    act: str
    choices: Sequence[plan_rows.Choice] = ()


def suggested(
    shown: Conversation,
    lines: Sequence[Line],
    visit: Appointment | None,
    *,
    by: Staff,
    now: datetime,
) -> Suggestion | None:
    """What the latest reply of an open conversation asks for, of what `by` may do. `visit` is the
    next one of its patient."""
    latest = next((line for line in reversed(lines) if not line.is_ours), None)
    if latest is None or shown.patient_id is None or shown.state == ConversationState.CLOSED:
        return None
    if Label.WRONG_NUMBER in latest.labels:
        may_mend = access.can(by, Capability.EDIT_PATIENTS, shown.site)
        return Suggestion(MEND) if may_mend else None
    if Label.CHANGE in latest.labels:
        return _another_time(shown, visit, by, now)
    is_yes = Label.CONFIRM in latest.labels and _is_about(latest, visit)
    return Suggestion(CONFIRM) if is_yes and _may(Move.CONFIRM, visit, by) else None


def _is_about(reply: Line, visit: Appointment | None) -> bool:
    """Whether what the reply answers had asked about the visit, at whatever time it was then."""
    if visit is None or reply.answers is None:
        return False
    return MessageItem.objects.filter(message=reply.answers, anchor=f"visit:{visit.pk}").exists()


def _another_time(
    shown: Conversation, visit: Appointment | None, by: Staff, now: datetime
) -> Suggestion | None:
    if visit is None:
        return Suggestion(BOOK) if access.can(by, Capability.BOOK, shown.site) else None
    if not _may(Move.MOVE, visit, by):
        return None
    return Suggestion(MOVE, plan_rows.choices(conflicts.near(appointment=visit, now=now)))


def _may(move: Move, visit: Appointment | None, by: Staff) -> bool:
    if visit is None or not access.can(by, Capability.BOOK, visit.site):
        return False
    return move in offered(State(visit.state), is_locked=visit.is_locked)
