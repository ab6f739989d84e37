"""Locking a visit to its time, and letting it go again.

A locked visit is never moved, neither alone nor with its series; it may be cancelled.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from appointments.lifecycle import Move, State, after
from appointments.models import Appointment
from appointments.refusals import LockedAlready, NotLocked
from appointments.visits import history
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext


def lock(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    reason: str = "",
    expected_version: int | None = None,
) -> Appointment:
    """Keep a visit at its time. Raises LockedAlready, MoveRefused, StaleVersion, Forbidden."""
    return _set(appointment, Move.LOCK, by, now, reason, expected_version)


def unlock(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    reason: str = "",
    expected_version: int | None = None,
) -> Appointment:
    """Let a visit be moved again. Raises NotLocked, MoveRefused, StaleVersion, Forbidden."""
    return _set(appointment, Move.UNLOCK, by, now, reason, expected_version)


def _set(
    appointment: Appointment,
    move: Move,
    by: Staff,
    now: datetime,
    reason: str,
    expected: int | None,
) -> Appointment:
    with transaction.atomic():
        visit = history.locked(appointment, by=by, capability=Capability.BOOK, expected=expected)
        was = history.before(visit)
        visit.state = after(State(visit.state), move)
        if visit.is_locked and move is Move.LOCK:
            raise LockedAlready(gettext("This visit is locked already."))
        if not visit.is_locked and move is Move.UNLOCK:
            raise NotLocked(gettext("This visit is not locked. It can be moved."))
        visit.is_locked = move is Move.LOCK
        history.keep(visit, move, was, by=by, now=now, reason=reason)
        return visit
