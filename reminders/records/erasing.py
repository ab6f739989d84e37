"""Erasing a record: what goes at once, what the law keeps and until when, and nothing comes back.

Who was treated has a treatment record that the clinic must keep: visits, signed logs and forms,
answers to screening, photos, with the name and birth date that say whose they are. Everything else
goes now: how the patient was reached, every word written to and by them, notes and wishes. When
the time is over, the rest goes too (`ending`), and the rows that remain belong to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from appointments.claiming import allocating
from appointments.claiming.allocating import Lost
from appointments.importing import uploading
from appointments.lifecycle import OPEN
from appointments.models import (
    Appointment,
    BroughtOver,
    EntryEnd,
    Hold,
    ImportRow,
    PatientLink,
    RecallAttempt,
    RowOutcome,
    Task,
    WaitlistEntry,
)
from appointments.refusals import Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext, language, ngettext, noop
from clinic.saying_days import format_day
from clinic.wall_time import begun_everywhere, local
from patients.models import ContactPoint, Guardian, Patient, RecordMerge, ToldApart
from reminders.ledger import addresses, claiming
from reminders.models import (
    Conversation,
    ConversationState,
    DraftText,
    InboundMessage,
    Message,
    RecordExport,
    SentContent,
    Suppression,
)
from reminders.records import ending, lasting, stopping, tables
from reminders.records.ending import ERASED

REASON_LENGTH = 200

REMAINDER = (
    (
        noop("The treatment record"),
        noop("signed logs, addenda, screening answers, adverse events, scores"),
    ),
    (
        noop("Signed consent forms and photos"),
        noop("they prove what was agreed to and what was done"),
    ),
    (noop("Name and birth date"), noop("they say whose treatment record it is")),
)
ALWAYS = (
    (noop("That there were visits"), noop("their time and treatment, for the clinic’s own books")),
    (noop("The audit trail"), noop("who saw and did what; it can be changed by nobody")),
    (
        noop("That messages were sent"),
        noop("their kind, time and digest, without address and words"),
    ),
    (
        noop("Suppressed numbers"),
        noop("as a digest, so that STOP still holds if the number comes back"),
    ),
)


class EraseRefused(Refused):
    """Nothing was erased; `sentence` says what to settle or to type."""

    code = "erase_refused"
    field = "typed"


@dataclass(frozen=True, slots=True)
class Statement:
    """What erasing would do, or did. `kept_until` is None when nothing has to be kept."""

    erased: Sequence[tuple[str, int]]
    kept: Sequence[tuple[str, str]]
    kept_until: date | None
    conflicts: Sequence[str]
    typed: str


def statement(*, patient: Patient, by: Staff, now: datetime) -> Statement:
    """What would go, what would stay and why, and what stands in the way.

    Raises Forbidden unless `by` may erase records at a site of the patient.
    """
    _require(by, patient)
    ids = tables.ids_of(patient)
    until = patient.kept_until if patient.erased_at else lasting.until(ids, now=now)
    counts = (
        (
            gettext("numbers and addresses"),
            ContactPoint.objects.filter(patient__in=ids).exclude(value=""),
        ),
        (
            gettext("messages’ words"),
            SentContent.objects.filter(message__patient__in=ids, emptied_at=None),
        ),
        (gettext("replies"), _replies(ids).filter(forgotten_at=None)),
        (gettext("guardians"), Guardian.objects.filter(patient__in=ids).exclude(name=ERASED)),
        (gettext("tasks’ words"), Task.objects.filter(patient__in=ids).exclude(detail="", wish="")),
        (
            gettext("wait-list notes"),
            WaitlistEntry.objects.filter(patient__in=ids).exclude(note=""),
        ),
        (gettext("links"), PatientLink.objects.filter(patient__in=ids, revoked_at=None)),
    )
    return Statement(
        erased=[(words, rows.count()) for words, rows in counts],
        kept=[
            *(
                (gettext(what), gettext(why))
                for what, why in (*(REMAINDER if until else ()), *ALWAYS)
            ),
            *_files(ids),
        ],
        kept_until=until,
        conflicts=_conflicts(patient, ids, now=now),
        typed=typed_for(patient),
    )


def typed_for(patient: Patient) -> str:
    """What must be typed, so that nothing is erased by a slip."""
    return gettext("erase %(pk)s") % {"pk": patient.pk}


def erase(*, patient: Patient, typed: str, reason: str, by: Staff, now: datetime) -> Statement:
    """Erase what may be erased now, for good.

    Raises:
        EraseRefused: for other words than `typed_for`, no reason, or with what is to be settled.
        Forbidden: unless `by` may erase records at a site of the patient.
    """
    _require(by, patient)
    if typed.strip().lower() != typed_for(patient):
        raise EraseRefused(
            gettext("Type “%(words)s” to erase this record for good.")
            % {"words": typed_for(patient)}
        )
    if not reason.strip():
        raise EraseRefused(gettext("Write who asked for it, and how."))
    try:
        with allocating.guarded():
            _erase(patient.pk, reason.strip()[:REASON_LENGTH], by=by, now=now)
    except Lost:
        raise EraseRefused(gettext("Somebody changed this record just now. Look again.")) from None
    ending.finish(now=now, among=tables.ids_of(patient))
    return statement(patient=Patient.objects.get(pk=patient.pk), by=by, now=now)


def _erase(patient_id: int, reason: str, *, by: Staff, now: datetime) -> None:
    patient = Patient.objects.get(pk=patient_id)
    allocating.lock([patient.resource_id])
    ids = tables.ids_of(patient)
    claiming.hold_patients(ids)
    patient.refresh_from_db()
    if found := _conflicts(patient, ids, now=now):
        raise EraseRefused(found[0])
    for hold in Hold.objects.unreleased().filter(patient__in=ids):
        allocating.lock(allocating.held_by(hold))
        allocating.let_go(hold, now=now)
    _words(ids, now=now)
    _ways(ids, now=now)
    _work(ids, by=by, now=now)
    until = lasting.until(ids, now=now)
    Patient.objects.filter(pk__in=ids).update(
        erased_at=now,
        # Where nothing is to be kept, it ends as soon as this is stored.
        kept_until=until or begun_everywhere(now),
        preferred_name="",
        notes="",
        zone="",
        quiet_from=None,
        quiet_until=None,
        search_key=" ",
        do_not_contact_at=now,
        do_not_contact_why=noop("The record was erased."),
    )
    claiming.plan_anew([patient.pk])
    audit.record(
        action="patient.erase",
        subject=patient,
        by=by,
        now=now,
        patient_id=patient.pk,
        after={"kept_until": until.isoformat() if until else ""},
        reason=reason,
    )


def _words(ids: Sequence[int], *, now: datetime) -> None:
    """Every word written to and by the patient."""
    SentContent.objects.filter(message__patient__in=ids, emptied_at=None).update(
        address="", subject="", text="", html="", calendar="", emptied_at=now
    )
    DraftText.objects.filter(message__patient__in=ids).update(text="")
    Message.objects.filter(patient__in=ids).update(to_address="")
    _replies(ids).filter(forgotten_at=None).update(text="", did=[], forgotten_at=now)


def _ways(ids: Sequence[int], *, now: datetime) -> None:
    """How the patient was reached: addresses, links, and the numbers in conversations."""
    points = ContactPoint.objects.filter(patient__in=ids).exclude(value="")
    own = {(point.kind, point.value) for point in points}
    for kind, value in own:
        others = ContactPoint.objects.filter(kind=kind, value=value).exclude(patient__in=ids)
        if not others.exists():
            Suppression.objects.filter(address=value).update(address=addresses.digest(value))
    ContactPoint.objects.filter(patient__in=ids).update(
        value="", is_preferred=False, retired_at=now
    )
    Guardian.objects.filter(patient__in=ids).update(name=ERASED, ended_at=now)
    for conversation in Conversation.objects.filter(patient__in=ids):
        conversation.address = f"erased-{conversation.pk}"
        conversation.save(update_fields=["address"])
    PatientLink.objects.filter(patient__in=ids, revoked_at=None).update(revoked_at=now)


def _work(ids: Sequence[int], *, by: Staff, now: datetime) -> None:
    """What was written about the patient beside the treatment record, rows of a former system,
    from whom they were told apart and the values that a merge could have put back included."""
    WaitlistEntry.objects.waiting().filter(patient__in=ids).update(
        closed_at=now, closed_as=EntryEnd.WITHDRAWN
    )
    WaitlistEntry.objects.filter(patient__in=ids).update(note="")
    tasks = Task.objects.filter(patient__in=ids)
    tasks.open().update(closed_at=now, closed_by=by, outcome=ERASED)
    tasks.update(detail="", wish="", why=[], outcome=ERASED)
    RecallAttempt.objects.filter(series__patient__in=ids).update(note="")
    # Nobody's any more, so that a run that goes on leaves them out.
    ImportRow.objects.filter(patient__in=ids).update(
        person={},
        visit={},
        person_key="",
        visit_key="",
        series_key="",
        remark="",
        waits=False,
        outcome=RowOutcome.ERROR,
        sentence=noop("This patient’s record was erased here."),
    )
    ToldApart.objects.filter(Q(one__in=ids) | Q(other__in=ids)).delete()
    RecordMerge.objects.filter(Q(kept__in=ids) | Q(gone__in=ids)).update(manifest={}, reason=ERASED)
    RecordExport.objects.filter(patient__in=ids).update(reason=ERASED)


def _conflicts(patient: Patient, ids: Sequence[int], *, now: datetime) -> list[str]:
    found = []
    if patient.erased_at is not None:
        site = patient.sites.order_by("name").first()
        erased = local(patient.erased_at, site.zone if site else "UTC").date()
        found.append(
            gettext("This record was erased on %(day)s.") % {"day": format_day(erased, language())}
        )
    if patient.merged_into_id is not None:
        found.append(
            gettext("This record was merged into #%(merged_into_id)s. Erase that one.")
            % {"merged_into_id": patient.merged_into_id}
        )
    visits = stopping.visits_to_come(patient, now=now)
    under_way = Appointment.objects.filter(
        Q(state__in=OPEN) & ~Q(pk__in=[visit.pk for visit in visits]), series__patient=patient
    )
    if count := len(visits) + under_way.count():
        said = ngettext(
            "%(count)s visit is open. Cancel or complete first.",
            "%(count)s visits are open. Cancel or complete first.",
            count,
        )
        found.append(said % {"count": count})
    talks = Conversation.objects.filter(patient__in=ids).exclude(state=ConversationState.CLOSED)
    if talks.exists():
        found.append(gettext("A conversation is open. Close it first."))
    merges = patient.merges.filter(undone_at=None, undo_until__gt=now)
    if merges.exists():
        found.append(gettext("A merge into this record can still be undone. Undo it or wait."))
    return found


def _files(ids: Sequence[int]) -> list[tuple[str, str]]:
    """The files of imports that still lie here and brought these patients over."""
    brought = BroughtOver.objects.filter(patient__in=ids).exclude(source__file="")
    if (last := brought.order_by("source__made_at").select_related("source__site").last()) is None:
        return []
    source = last.source
    gone = format_day(local(source.made_at + uploading.KEPT, source.site.zone).date(), language())
    return [
        (
            gettext("The file of the former system"),
            gettext("deleted by %(gone)s, or at once under Imports") % {"gone": gone},
        )
    ]


def _replies(ids: Sequence[int]) -> QuerySet[InboundMessage]:
    return InboundMessage.objects.filter(conversation__patient__in=ids)


def _require(by: Staff, patient: Patient) -> None:
    access.require_at_any(by, Capability.ERASE_RECORD, patient.sites.all())
