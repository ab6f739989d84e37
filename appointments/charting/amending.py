"""Addenda: what a signed log ought to have said. The original stays, and both are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from appointments.charting import copying, drafting, fields
from appointments.charting.checking import value_finding
from appointments.charting.copying import Signed
from appointments.charting.fields import OUTCOME
from appointments.charting.log import NOTE_LENGTH, Value, canonical, digest, plain
from appointments.charting.refusals import CorrectionRefused, NotSigned
from appointments.charting.sheets import signed_of, used_now
from appointments.models import Addendum, Appointment, TreatmentRecord
from appointments.refusals import ReasonMissing
from clinic.models import Staff
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from clinic.saying import gettext


@transaction.atomic
def amend(
    *,
    appointment: Appointment,
    reason: str,
    text: str,
    by: Staff,
    now: datetime,
    corrections: Mapping[str, Any] | None = None,
) -> Addendum:
    """Put an addendum to the signed log; `corrections` are values by path, as they ought to be.

    Raises:
        Refused: NotSigned, ReasonMissing, CorrectionRefused; nothing is kept.
        Forbidden: when `by` may not write logs at the visit's site.
    """
    _, record = drafting.locked(appointment, by=by)
    if record is None or not record.is_signed:
        raise NotSigned(gettext("This log is not signed yet. Change the draft instead."))
    reason, text = " ".join(reason.split())[:200], text.replace("\x00", " ").strip()[:NOTE_LENGTH]
    if not reason:
        raise ReasonMissing(gettext("Write why the log is corrected; it stands above it."))
    protocol = protocols.get(record.protocol_version)
    signed = signed_of(record)
    corrected = _corrections(protocol, record, corrections or {})
    if not text and not corrected:
        raise CorrectionRefused(
            gettext("Write what is to be added, or correct a value."), field="text"
        )
    addenda = list(record.addenda.order_by("number"))
    counted = used_now(record) or 0
    used = fields.used(
        protocol, copying.corrected(Signed(signed.log, (*signed.corrections, corrected)))
    )
    addendum = Addendum(
        record=record,
        number=len(addenda) + 1,
        at=now,
        by=by,
        reason=reason,
        text=text,
        corrections=corrected,
        # What cannot be told of one transducer any more stays counted as it was.
        used_change=0 if used is None else used - counted,
    )
    addendum.statement = canonical(
        {
            "record": record.pk,
            "upon": addenda[-1].digest if addenda else record.digest,
            "number": addendum.number,
            "reason": reason,
            "text": text,
            "corrections": corrected,
            "by": {"id": by.pk, "name": by.name},
            "at": now.isoformat(),
        }
    )
    addendum.digest = digest(addendum.statement)
    addendum.save()
    drafting.keep(
        record,
        "record.amend",
        by=by,
        now=now,
        after={"addendum": addendum.number, "digest": addendum.digest},
        reason=reason,
    )
    return addendum


def _corrections(
    protocol: Protocol, record: TreatmentRecord, given: Mapping[str, Any]
) -> dict[str, Value]:
    """The corrected values, typed. A value out of range passes: the addendum gives its reason."""
    known = dict(fields.places(protocol, record.treated))
    read: dict[str, Value] = {}
    for path, raw in given.items():
        value = plain(raw)
        if value is None:
            continue
        if path == f"session.{OUTCOME}":
            raise CorrectionRefused(
                gettext(
                    "The outcome of a signed log stays. Write in the text what is true, and "
                    "decide whether the session counts."
                ),
                field=path,
            )
        if path not in known:
            raise CorrectionRefused(
                gettext("The log has no value “%(path)s”.") % {"path": path[:80]}, field=path[:120]
            )
        value = fields.typed(known[path], value)
        finding = value_finding(known[path], value, path)
        if finding is not None and finding.code != "range":
            raise CorrectionRefused(finding.sentence, field=path)
        read[path] = value
    return read
