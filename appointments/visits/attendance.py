"""The day of a visit: confirmed, checked in, started, completed, or missed.

Owns these acts. Refuses to touch allocations: a missed visit keeps its
place, so that the past stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from appointments import clearance
from appointments.clearance import Act
from appointments.lifecycle import Move, State, after
from appointments.models import Appointment
from appointments.refusals import NotYet
from appointments.visits import closing, history
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext, language
from clinic.saying_times import format_when
from clinic.wall_time import local

REASON_LENGTH = 200


def confirm(
    *,
    appointment: Appointment,
    by: Staff | None,
    now: datetime,
    expected_version: int | None = None,
) -> Appointment:
    """The patient will come; `by` is None when they said so themselves."""
    return _act(appointment, Move.CONFIRM, by, now, expected_version, Capability.BOOK)


def check_in(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    expected_version: int | None = None,
) -> Appointment:
    """The patient is here. Raises NotYet (or too late) on any other local day of the site."""

    def on_the_day(visit: Appointment) -> None:
        zone = visit.site.zone
        if local(visit.starts_at, zone).date() != local(now, zone).date():
            raise NotYet(
                gettext("This visit is on %(starts_at)s. Move it to today to check in.")
                % {"starts_at": format_when(visit.starts_at, zone, language())}
            )

    return _act(
        appointment,
        Move.CHECK_IN,
        by,
        now,
        expected_version,
        Capability.RUN_VISIT,
        on_the_day,
    )


def start(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    expected_version: int | None = None,
    override_reason: str = "",
) -> Appointment:
    """Treatment begins, unless something bars it.

    `override_reason` lets those bars pass that yield to a reason of `by`; the visit keeps it.

    Raises:
        Barred: with every bar that stands today.
    """
    reason = override_reason.strip()[:REASON_LENGTH]
    with transaction.atomic():
        visit = history.locked(
            appointment, by=by, capability=Capability.RUN_VISIT, expected=expected_version
        )
        was = history.before(visit)
        begun = after(State(visit.state), Move.START)
        today = local(now, visit.site.zone).date()
        (passed,) = clearance.require(
            Act.START,
            clearance.treatment_of(visit),
            days=[today],
            by=by,
            now=now,
            reason=reason,
        )
        visit.state = begun
        history.keep(
            visit, Move.START, was, by=by, now=now, override_reason=reason, overrides=passed
        )
        return visit


def complete(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    ended_at: datetime | None = None,
    expected_version: int | None = None,
) -> Appointment:
    """Treatment ended, at `ended_at` (UTC, default: now). The last session ends the series.

    Raises:
        NotYet: when `ended_at` is still to come.
    """

    def ends(visit: Appointment) -> None:
        visit.done_at = ended_at or now
        if visit.done_at > now:
            raise NotYet(gettext("Treatment cannot have ended in the future."))

    with transaction.atomic():
        visit = _act(
            appointment,
            Move.COMPLETE,
            by,
            now,
            expected_version,
            Capability.RUN_VISIT,
            ends,
        )
        visit.series = closing.settle(visit.series_id, now=now)
        return visit


def no_show(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    expected_version: int | None = None,
) -> Appointment:
    """The patient did not come. Raises NotYet before the visit's start."""

    def missed(visit: Appointment) -> None:
        if now < visit.starts_at:
            at = format_when(visit.starts_at, visit.site.zone, language())
            raise NotYet(
                gettext("This visit only starts at %(at)s. Cancel it if the patient will not come.")
                % {"at": at}
            )
        visit.closed_at = now

    return _act(
        appointment,
        Move.NO_SHOW,
        by,
        now,
        expected_version,
        Capability.RUN_VISIT,
        missed,
    )


def _act(
    appointment: Appointment,
    move: Move,
    by: Staff | None,
    now: datetime,
    expected_version: int | None,
    capability: Capability,
    change: Callable[[Appointment], None] = lambda visit: None,
) -> Appointment:
    with transaction.atomic():
        visit = history.locked(appointment, by=by, capability=capability, expected=expected_version)
        was = history.before(visit)
        visit.state = after(State(visit.state), move)
        change(visit)
        history.keep(visit, move, was, by=by, now=now)
        return visit
