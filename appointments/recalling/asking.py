"""Writing down that a patient was asked back, and when to ask again."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from appointments.models import RecallAttempt, RecallOutcome, TreatmentSeries
from appointments.refusals import Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext
from clinic.wall_time import local

# When nobody says another day.
AGAIN_AFTER = {
    RecallOutcome.NO_ANSWER: timedelta(days=3),
    RecallOutcome.LATER: timedelta(days=30),
    RecallOutcome.WRITTEN: timedelta(days=7),
}
LATEST = timedelta(days=2 * 366)


class NotToCome(Refused):
    code = "not_to_come"
    field = "again_on"


def ask(
    *,
    series: TreatmentSeries,
    outcome: RecallOutcome,
    by: Staff,
    now: datetime,
    again_on: date | None = None,
    note: str = "",
) -> RecallAttempt:
    """Store what came of it. `again_on` (local date) is when the patient is on the list again, by
    default as `AGAIN_AFTER` says; who declined stays off it unless a day is given.

    Raises:
        Forbidden: when `by` may not book at the site.
        NotToCome: for a day that is past, or years away.
    """
    access.require(by, Capability.BOOK, series.site)
    today = local(now, series.site.zone).date()
    if again_on is not None and not today < again_on <= today + LATEST:
        raise NotToCome(gettext("Choose a day after today, within two years, to ask again."))
    if again_on is None and outcome in AGAIN_AFTER:
        again_on = today + AGAIN_AFTER[outcome]
    attempt = RecallAttempt.objects.create(
        series=series, at=now, by=by, outcome=outcome, again_on=again_on, note=note.strip()[:200]
    )
    audit.record(
        action="recall.ask",
        subject=attempt,
        by=by,
        now=now,
        site=series.site,
        patient_id=series.patient_id,
        after={"outcome": outcome, "again_on": again_on.isoformat() if again_on else None},
    )
    return attempt
