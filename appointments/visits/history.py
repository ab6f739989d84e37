"""What every act on a visit has in common: the fresh row under a lock, and its trace.

One act writes the visit, one StatusChange, one audit entry, and marks the patient's messages
for planning. Refuses to decide whether an act is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from appointments.lifecycle import Move
from appointments.models import Appointment, StatusChange
from appointments.refusals import StaleVersion
from clinic import access, audit, statements
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class Before:
    """A visit as it was before the act."""

    state: str
    starts_at: datetime
    ends_at: datetime
    resources: Sequence[int] = field(default=())


def before(appointment: Appointment, resources: Sequence[int] = ()) -> Before:
    return Before(appointment.state, appointment.starts_at, appointment.ends_at, resources)


def begin(appointments: Sequence[Appointment], *, by: Staff | None, now: datetime) -> None:
    """The first entry of visits that were just booked: what their rows say."""
    statements.run(
        """
        INSERT INTO appointments_statuschange
               (appointment_id, at, by_id, move, state_before, state_after, starts_after,
                resources_before, reason, override_reason, overrides)
        SELECT id, %s, %s, %s, '', state, starts_at, '[]', '', override_reason, overrides
        FROM appointments_appointment WHERE id = ANY(%s::bigint[]) ORDER BY id
        """,
        [
            now,
            by.pk if by else None,
            Move.BOOK,
            statements.array(visit.pk for visit in appointments),
        ],
    )


def locked(
    appointment: Appointment,
    *,
    by: Staff | None,
    capability: Capability,
    expected: int | None,
) -> Appointment:
    """The visit as it is now, locked until the end of the transaction.

    `by` is None for acts of the patient.

    Raises:
        Forbidden: when `by` has no such capability at the visit's site.
        StaleVersion: when it is no longer at the `expected` version.
    """
    # First the bare row: after a wait PostgreSQL reads only the locked row again, so what is
    # joined to it would be as it was before the wait, or missing.
    Appointment.objects.select_for_update(no_key=True).only("pk").get(pk=appointment.pk)
    fresh = Appointment.objects.select_related(
        "series__patient",
        "series__protocol_version",
        "series__site",
        "protocol_version",
        "site",
    ).get(pk=appointment.pk)
    if by is not None:
        access.require(by, capability, fresh.site)
    if expected is not None and fresh.version != expected:
        raise changed_since()
    return fresh


def changed_since() -> StaleVersion:
    """What whoever acts upon another version than they saw hears."""
    return StaleVersion(
        gettext("Somebody changed this visit since you opened it. Look at it again, then repeat.")
    )


def keep(
    appointment: Appointment,
    move: Move,
    was: Before,
    *,
    by: Staff | None,
    now: datetime,
    reason: str = "",
    override_reason: str = "",
    overrides: Sequence[str] = (),
    undoes: StatusChange | None = None,
    is_untold: bool = False,
) -> StatusChange:
    """Save the changed visit as its next version, with its trace.

    `overrides` are the codes of what this act let pass for `override_reason`; the visit keeps
    them beside those of earlier acts. `is_untold` when the patient is not told of it.
    """
    appointment.version += 1
    if overrides:
        appointment.override_reason = override_reason
        appointment.overrides = list(dict.fromkeys([*appointment.overrides, *overrides]))
    appointment.save()
    patient_id = appointment.series.patient_id
    more: dict[str, Any] = {"overrides": list(overrides)} if overrides else {}
    if is_untold:
        more["patient_told"] = False
    change = StatusChange.objects.create(
        appointment=appointment,
        at=now,
        by=by,
        move=move,
        state_before=was.state,
        state_after=appointment.state,
        starts_before=was.starts_at,
        ends_before=was.ends_at,
        starts_after=appointment.starts_at,
        resources_before=list(was.resources),
        reason=reason,
        override_reason=override_reason if overrides else "",
        overrides=list(overrides),
        undoes=undoes,
        is_untold=is_untold,
    )
    audit.record(
        action=f"appointment.{move}",
        subject=appointment,
        by=by,
        now=now,
        site=appointment.site,
        patient_id=patient_id,
        before=_facts(was.state, was.starts_at, was.ends_at),
        after=_facts(appointment.state, appointment.starts_at, appointment.ends_at) | more,
        reason=reason or (override_reason if overrides else ""),
    )
    Patient.objects.filter(pk=patient_id).raise_revision()
    return change


def _facts(state: str, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    times = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    return {"state": str(state), **times}
