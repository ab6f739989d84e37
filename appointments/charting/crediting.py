"""Whether a session that was done in part, or not at all, counts: staff decide, and only once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from appointments.charting import drafting
from appointments.charting.refusals import CreditDecided, NotSigned
from appointments.models import (
    Appointment,
    SessionCredit,
    Task,
    TaskKind,
    TreatmentRecord,
    TreatmentSeries,
)
from appointments.models.record import NOT_WHOLE, SessionOutcome
from appointments.models.series import MOST_SESSIONS, SeriesState
from appointments.refusals import ReasonMissing, SessionTaken
from clinic import audit
from clinic.models import Staff
from clinic.retelling import Fact, kept, word
from clinic.saying import gettext, noop

_SAID = {SessionOutcome.PARTIAL: noop("partial"), SessionOutcome.ABORTED: noop("aborted")}


def ask(record: TreatmentRecord, *, now: datetime) -> None:
    """Open the task that asks for the decision, when the signed log calls for one."""
    if record.outcome not in NOT_WHOLE:
        return
    visit = record.appointment
    facts: dict[str, Fact | int] = {
        "session": visit.session,
        "outcome": word(_SAID[SessionOutcome(record.outcome)]),
    }
    Task.objects.get_or_create(
        key=_key(visit),
        defaults={
            "site": visit.site,
            "patient": visit.series.patient,
            "appointment": visit,
            "kind": TaskKind.CHECK,
            "title": kept("Session %(session)s was %(outcome)s: decide whether it counts", **facts),
            "detail": noop(
                "Open the log of the visit and decide. The series stays open until then."
            ),
            "why": [kept("The signed log says that session %(session)s was %(outcome)s.", **facts)],
            "due_at": now,
            "created_at": now,
        },
    )


@transaction.atomic
def decide(
    *, appointment: Appointment, counts: bool, reason: str, by: Staff, now: datetime
) -> SessionCredit:
    """Decide whether the session counts. When it does not, one more session is agreed.

    Raises:
        Refused: NotSigned, CreditDecided, ReasonMissing, SessionTaken when the series is full.
        Forbidden: when `by` may not write logs at the visit's site.
    """
    visit, record = drafting.locked(appointment, by=by)
    reason = " ".join(reason.split())[:200]
    if record is None or not record.is_signed:
        raise NotSigned(
            gettext("Sign the log of the session first, then decide whether it counts.")
        )
    if SessionCredit.objects.filter(appointment=visit).exists():
        raise CreditDecided(gettext("Somebody has decided this already."))
    if not reason:
        raise ReasonMissing(gettext("Write in a few words why."))
    credit = SessionCredit.objects.create(
        appointment=visit, counts=counts, reason=reason, by=by, at=now
    )
    series = TreatmentSeries.objects.select_for_update(no_key=True).get(pk=visit.series_id)
    if not counts and series.state != SeriesState.ENDED:
        if series.sessions >= MOST_SESSIONS:
            raise SessionTaken(
                gettext("A series has at most %(most_sessions)s sessions. End it and book anew.")
                % {"most_sessions": MOST_SESSIONS}
            )
        TreatmentSeries.objects.filter(pk=series.pk).update(sessions=F("sessions") + 1)
    said = (
        noop("The session counts.")
        if counts
        else noop("The session does not count; one more is agreed.")
    )
    Task.objects.filter(key=_key(visit), closed_at=None).update(
        closed_at=now, closed_by=by, outcome=said
    )
    audit.record(
        action="session.credit",
        subject=visit,
        by=by,
        now=now,
        site=visit.site,
        patient_id=series.patient_id,
        after={"counts": counts},
        reason=reason,
    )
    drafting.settle(visit, now=now)
    return credit


def _key(visit: Appointment) -> str:
    return f"credit.visit:{visit.pk}"
