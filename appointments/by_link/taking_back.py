"""A patient takes back what they did by their link, until messages about it go out."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from appointments import links
from appointments.by_link import cancelling
from appointments.by_link.refusals import NotByLink, Why
from appointments.lifecycle import Move
from appointments.models import PatientLink, Task
from appointments.visits import cancelling as visit_cancelling
from appointments.visits import undoing
from clinic.saying import noop

_TAKEN_BACK = noop("The patient took it back.")
UNDOABLE = (Move.MOVE, Move.CANCEL, Move.BOOK)


def until(link: PatientLink) -> datetime | None:
    """Until when the last act by the link can be taken back; None when nothing can."""
    act = link.acted
    if act is None or act.move not in UNDOABLE or is_taken_back(link):
        return None
    latest = act.appointment.history.latest("id")
    if latest.pk != act.pk:
        return None
    return act.at + timedelta(seconds=act.appointment.site.notice_hold_seconds)


def is_taken_back(link: PatientLink) -> bool:
    """Whether the last act by the link took something back; of a booking that is cancelling it."""
    act, touch_up = link.acted, PatientLink.Purpose.TOUCH_UP
    if act is None:
        return False
    return act.move == Move.UNDO or (act.move == Move.CANCEL and link.purpose == touch_up)


def take_back(*, link: PatientLink, now: datetime) -> None:
    """Take it back: visits have their former times again, and a booking is gone. Twice is once.

    Raises:
        NotByLink: when it is too late, or somebody changed the visit since.
        Refused: SlotTaken when the former place is gone, or another cause; nothing is written.
    """
    if is_taken_back(link):
        return
    act = link.acted
    ends = until(link)
    if act is None or ends is None or now >= ends:
        raise NotByLink(Why.TAKEN_BACK_TOO_LATE)
    visit = act.appointment
    with transaction.atomic():
        if act.move == Move.BOOK:
            visit_cancelling.cancel(
                appointment=visit,
                by=None,
                now=now,
                by_patient=True,
                expected_version=visit.version,
            )
        else:
            together = [visit, *undoing.moved_along(visit)]
            visits = [(each, each.version) for each in together]
            undoing.undo_together(visits=visits, by=None, now=now)
        if act.move == Move.CANCEL:
            tasks = Task.objects.open().filter(key=cancelling.task_key(visit))
            tasks.update(closed_at=now, outcome=_TAKEN_BACK)
        links.acted(link, visit)
