"""Writing the draft of a log: one writer at a time, each save upon the version that was seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from appointments.charting import copying, fields
from appointments.charting.log import CODE_LENGTH, CartridgeUsed, Log, document_of
from appointments.charting.refusals import DraftElsewhere, StaleLog
from appointments.charting.sheets import sheet_of
from appointments.lifecycle import UNDER_WAY, State
from appointments.models import Appointment, Cartridge, TreatmentRecord
from appointments.refusals import LogSigned, NotYet
from appointments.visits import closing, history
from clinic import audit
from clinic.access import Capability
from clinic.models import ProtocolVersion, Staff
from clinic.protocols import loading as protocols
from clinic.saying import gettext, language
from clinic.saying_times import format_when
from patients.models import Patient

# A writer who saved nothing for so long sits down anew, and the trail says so again.
SITTING = timedelta(minutes=30)


@transaction.atomic
def save(
    *,
    appointment: Appointment,
    log: Log,
    by: Staff,
    now: datetime,
    expected_version: int,
    copy: bool = False,
) -> TreatmentRecord:
    """Keep `log` as the draft of the visit, whatever it still lacks; with `copy` the settings of
    last time take the place of its own. The trail has one entry for each sitting of a writer.

    `expected_version` is the one that was seen, 0 when nothing was written yet.

    Raises:
        Refused: NotYet before check-in, LogSigned, DraftElsewhere, StaleLog; nothing is kept.
        Forbidden: when `by` may not write logs at the visit's site.
    """
    visit, record = locked(appointment, by=by)
    version = record.protocol_version if record is not None else visit.protocol_version
    protocol = protocols.get(version)
    if record is not None and not copy and _is_kept(record, fields.as_typed(protocol, log), by):
        return record
    _may_write(visit, record, by, expected_version)
    if copy:
        log = copying.copied(protocol, log, sheet_of(visit).was, visit.series.areas)
    log = fields.as_typed(protocol, log)
    before = (record.outcome, record.treated) if record is not None else ("", [])
    sits_down = record is None or now - record.saved_at >= SITTING
    if record is None:
        record = TreatmentRecord(
            appointment=visit, protocol_version=version, version=0, created_at=now
        )
    record.document = document_of(log)
    record.outcome = fields.outcome_of(protocol, log)
    record.treated = list(fields.treated(visit.series.areas, log))
    record.cartridge = _cartridge(visit, version, fields.cartridge_of(protocol, log))
    record.used = fields.used(protocol, log)
    record.version += 1
    record.saved_at, record.drafted_by = now, by
    record.save()
    if sits_down:
        keep(record, "record.draft", by=by, now=now)
    if (record.outcome, record.treated) != before:
        settle(visit, now=now)
    return record


@transaction.atomic
def take_over(*, appointment: Appointment, by: Staff, now: datetime) -> TreatmentRecord:
    """Become the one who writes the draft; what was saved stays, and a later save of the former
    writer is refused.

    Raises Forbidden, LogSigned, and StaleLog when there is no draft.
    """
    _, record = locked(appointment, by=by)
    if record is None:
        raise StaleLog(gettext("Nothing is written yet, so there is nothing to take over."))
    if record.is_signed:
        raise _signed(record)
    if record.drafted_by_id != by.pk:
        before = {"drafted_by": record.drafted_by_id}
        record.drafted_by = by
        record.version += 1
        record.save(update_fields=["drafted_by", "version"])
        keep(record, "record.take_over", by=by, now=now, before=before)
    return record


def locked(appointment: Appointment, *, by: Staff) -> tuple[Appointment, TreatmentRecord | None]:
    """The visit and its record as they are now, locked; the visit comes first, as everywhere.

    Raises Forbidden.
    """
    visit = history.locked(appointment, by=by, capability=Capability.CHART, expected=None)
    rows = TreatmentRecord.objects.select_for_update(of=("self",), no_key=True)
    record = rows.filter(appointment=visit).first()
    if record is not None:
        record.appointment = visit
    return visit, record


def settle(visit: Appointment, *, now: datetime) -> None:
    """After a change of what was treated: whether the series is through, and the patient's plan."""
    if visit.state == State.DONE:
        closing.settle(visit.series_id, now=now)
    Patient.objects.filter(pk=visit.series.patient_id).raise_revision()


def keep(
    record: TreatmentRecord,
    action: str,
    *,
    by: Staff,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    """The audit entry of an act on a record."""
    visit = record.appointment
    audit.record(
        action=action,
        subject=record,
        by=by,
        now=now,
        site=visit.site,
        patient_id=visit.series.patient_id,
        before=before,
        after={"appointment": visit.pk, **(after or {})},
        reason=reason,
    )


def may_sign(
    record: TreatmentRecord | None, by: Staff, expected_version: int | None
) -> TreatmentRecord:
    """The draft that `by` wrote, at the version that was seen. Raises as `save` does."""
    if record is None:
        raise StaleLog(gettext("Nothing is written yet. Write the log, then sign it."))
    _is_own(record, by)
    if expected_version is not None and record.version != expected_version:
        raise _stale(record)
    return record


def _may_write(
    visit: Appointment, record: TreatmentRecord | None, by: Staff, expected_version: int
) -> None:
    if visit.state not in (*UNDER_WAY, State.DONE):
        raise NotYet(gettext("The log is written from check-in on. Check the patient in first."))
    if record is not None:
        _is_own(record, by)
        if record.version != expected_version:
            raise _stale(record)
    elif expected_version != 0:
        raise StaleLog(gettext("There is no such draft of this log. Look at it again."))


def _is_kept(record: TreatmentRecord, log: Log, by: Staff) -> bool:
    """Whether `by` saved just this: a save whose answer was lost is repeated and kept once."""
    is_open = not record.is_signed and record.drafted_by_id == by.pk
    return is_open and record.document == document_of(log)


def _is_own(record: TreatmentRecord, by: Staff) -> None:
    if record.is_signed:
        raise _signed(record)
    if record.drafted_by_id != by.pk:
        raise DraftElsewhere(
            gettext(
                "%(drafted_by)s is writing this log, last saved %(record)s. Look at it, or "
                "take it over."
            )
            % {"drafted_by": record.drafted_by.name, "record": _at(record)}
        )


def _signed(record: TreatmentRecord) -> LogSigned:
    return LogSigned(gettext("This log is signed and never changes. Write an addendum."))


def _stale(record: TreatmentRecord) -> StaleLog:
    return StaleLog(
        gettext(
            "Not saved: this log was saved elsewhere, %(record)s. Where they differ both values "
            "are shown: keep what is right, and save."
        )
        % {"record": _at(record)}
    )


def _at(record: TreatmentRecord) -> str:
    return format_when(record.saved_at, record.appointment.site.zone, language())


def _cartridge(
    visit: Appointment, version: ProtocolVersion, entry: CartridgeUsed | None
) -> Cartridge | None:
    """The row of a cartridge, with what is now said of it."""
    if entry is None:
        return None
    said = {
        "lot": entry.lot[:CODE_LENGTH] or None,
        "expires_on": entry.last_day,
        "life": entry.life if isinstance(entry.life, int) else None,
        "unit": fields.unit_of_life(protocols.get(version)),
    }
    cartridge, _ = Cartridge.objects.update_or_create(
        site=visit.site,
        modality_id=version.modality_id,
        code=entry.code_of_row,
        defaults={name: value for name, value in said.items() if value is not None},
    )
    return cartridge
