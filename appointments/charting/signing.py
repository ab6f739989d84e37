"""Signing a log: from then on it never changes, and its digest says what it said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from appointments.charting import crediting, drafting
from appointments.charting.checking import Finding
from appointments.charting.log import Log, canonical, digest, document_of
from appointments.charting.refusals import LogIncomplete
from appointments.charting.sheets import Sheet, sheet_of
from appointments.lifecycle import State
from appointments.models import Appointment, TreatmentRecord
from appointments.refusals import NotYet, Refused
from appointments.visits import attendance
from clinic.models import Staff
from clinic.saying import gettext


@dataclass(frozen=True, slots=True)
class SignedTogether:
    """What was signed, and what was left with the sentence that says why."""

    signed: tuple[TreatmentRecord, ...]
    left: tuple[tuple[Appointment, str], ...]


@transaction.atomic
def sign(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    expected_version: int | None = None,
    complete: bool = False,
) -> TreatmentRecord:
    """Sign and lock the draft that `by` wrote; with `complete` a visit in treatment ends with it.

    A session that was partial or aborted becomes work: staff decide whether it counts.

    Raises:
        Refused: LogIncomplete with everything that is to be mended, NotYet while the visit is not
            done, StaleLog, DraftElsewhere, LogSigned; nothing is signed.
        Forbidden: when `by` may not write logs at the visit's site.
    """
    visit, stored = drafting.locked(appointment, by=by)
    record = drafting.may_sign(stored, by, expected_version)
    sheet = sheet_of(visit)
    found = sheet.findings()
    if found:
        raise LogIncomplete(_missing(found), findings=found)
    if complete and visit.state == State.IN_TREATMENT:
        visit = attendance.complete(appointment=visit, by=by, now=now)
    if visit.state != State.DONE:
        raise NotYet(gettext("The visit is not done yet. Complete it, then sign its log."))
    record.statement = canonical(statement(sheet, record, by=by, now=now))
    record.digest = digest(record.statement)
    record.signed_at, record.signed_by = now, by
    record.document = document_of(sheet.log)
    record.save()
    record.appointment = visit
    drafting.keep(
        record,
        "record.sign",
        by=by,
        now=now,
        after={"digest": record.digest, "outcome": record.outcome},
    )
    crediting.ask(record, now=now)
    drafting.settle(visit, now=now)
    return record


def save_and_sign(
    *, appointment: Appointment, log: Log, by: Staff, now: datetime, expected_version: int
) -> TreatmentRecord:
    """Keep `log` as the draft and sign it; a visit in treatment is done with it.

    The draft is kept, even when it cannot be signed yet. Raises as `drafting.save` and `sign`.
    """
    saved = drafting.save(
        appointment=appointment, log=log, by=by, now=now, expected_version=expected_version
    )
    return sign(
        appointment=appointment, by=by, now=now, expected_version=saved.version, complete=True
    )


def sign_all(*, appointments: Iterable[Appointment], by: Staff, now: datetime) -> SignedTogether:
    """Sign every one of these logs that is complete and that `by` wrote; the others stay."""
    signed, left = [], []
    for appointment in appointments:
        try:
            signed.append(sign(appointment=appointment, by=by, now=now))
        except Refused as refused:
            left.append((appointment, refused.sentence))
    return SignedTogether(tuple(signed), tuple(left))


def statement(sheet: Sheet, record: TreatmentRecord, *, by: Staff, now: datetime) -> dict[str, Any]:
    """Everything that is signed: the log, of whom, by which protocol, with what, and by whom."""
    visit, series = sheet.visit, sheet.visit.series
    held = visit.allocations.filter(active=True).select_related("resource")
    return {
        "record": record.pk,
        "visit": visit.pk,
        "series": series.pk,
        "session": visit.session,
        "sessions": series.sessions,
        "patient": series.patient_id,
        "site": visit.site_id,
        "areas": list(series.areas),
        "protocol": {
            "id": sheet.version.protocol,
            "version": sheet.version.version,
            "digest": sheet.version.digest,
        },
        "held": {
            row.resource.kind: {"id": row.resource_id, "name": row.resource.name}
            for row in held
            if row.resource.kind != "patient"
        },
        "starts_at": visit.starts_at.isoformat(),
        "done_at": visit.done_at.isoformat() if visit.done_at else "",
        "log": document_of(sheet.log),
        "signed_by": {"id": by.pk, "name": by.name},
        "signed_at": now.isoformat(),
    }


def _missing(found: Sequence[Finding]) -> str:
    first = found[0].sentence
    if len(found) == 1:
        return gettext("Before signing: %(first)s") % {"first": first}
    return gettext("%(count)s things are to be mended before signing. The first: %(first)s") % {
        "count": len(found),
        "first": first,
    }
