"""A patient cancels their visit; staff find another time for the session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from appointments import links
from appointments.by_link import times
from appointments.lifecycle import TO_COME
from appointments.models import Appointment, PatientLink, SchedulingSettings, Task, TaskKind
from appointments.visits import cancelling
from appointments.visits.attendance import REASON_LENGTH
from clinic.retelling import kept, together
from clinic.saying import noop

CALL_WITHIN = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Terms:
    """What cancelling comes to. `is_late` when it is within the notice of the site, `words` what
    the site says of that in a language; `others` are the other visits of the series to come."""

    is_late: bool
    notice_hours: int
    words: str
    others: tuple[Appointment, ...]


def terms(visit: Appointment, *, language: str, now: datetime) -> Terms:
    """Raises NotByLink for a visit that is cancelled, has begun or is over."""
    times.require_to_come(visit, now=now)
    settings = SchedulingSettings.of(visit.site)
    said = {"en": settings.late_terms_en, "es": settings.late_terms_es}
    coming = visit.series.appointments.filter(state__in=TO_COME, ends_at__gt=now)
    others = coming.exclude(pk=visit.pk).select_related("site").order_by("starts_at", "id")
    return Terms(
        is_late=visit.starts_at < now + timedelta(hours=settings.notice_hours),
        notice_hours=settings.notice_hours,
        words=said.get(language) or settings.late_terms_en,
        others=tuple(others),
    )


def cancel(*, link: PatientLink, visit: Appointment, reason: str, now: datetime) -> None:
    """Cancel the visit, with a reason if they give one, and ask staff to find another time.

    Raises:
        NotByLink: when it is cancelled already, has begun or is over.
        Refused: StaleVersion when it changed at this moment.
    """
    said = terms(visit, language="en", now=now)
    with transaction.atomic():
        cancelled = cancelling.cancel(
            appointment=visit,
            by=None,
            now=now,
            reason=" ".join(reason.replace("\x00", " ").split())[:REASON_LENGTH],
            by_patient=True,
            expected_version=visit.version,
        )
        links.acted(link, visit)
        which = kept(
            "Session %(session)s of %(sessions)s.",
            session=visit.session,
            sessions=visit.series.sessions,
        )
        late = kept("It was less than %(hours)s hours before it.", hours=said.notice_hours)
        Task.objects.get_or_create(
            key=task_key(cancelled),
            defaults={
                "site": visit.site,
                "patient": visit.series.patient,
                "appointment": visit,
                "kind": TaskKind.CALL,
                "title": noop("Cancelled by the patient: find a new time"),
                "detail": together([which, late if said.is_late else ""]),
                "why": [noop("The patient cancelled the visit on their page.")],
                "due_at": now + CALL_WITHIN,
                "created_at": now,
            },
        )


def task_key(cancelled: Appointment) -> str:
    """The key of the task that a cancellation leaves."""
    return f"cancelled:{cancelled.pk}.{cancelled.schedule_version}"
