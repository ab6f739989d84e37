"""Making two records of one person one, and taking that back: every row goes over, none is lost.

`preview` says what would move, what stands in the way and which values could win; `merge` does it
in one transaction that holds both patients, their times and their unsent messages; `undo` moves
everything back, with what was added to it meanwhile. Of consents the stricter wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import F

from appointments.claiming import allocating, handing_over
from appointments.claiming.allocating import Lost
from appointments.models import Hold, Invitation, WaitlistEntry
from appointments.refusals import Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.protocols import loading as protocols
from clinic.saying import gettext, language
from clinic.saying_days import format_day
from clinic.saying_times import format_when
from clinic.wall_time import local
from patients import registration
from patients.models import Guardian, Patient, RecordMerge, ToldApart
from reminders.ledger import claiming
from reminders.models import Message
from reminders.records import consents, tables, values
from reminders.records.consents import Ruling
from reminders.records.values import Difference

UNDO_WITHIN = timedelta(days=30)
REASON_LENGTH = 200


class MergeRefused(Refused):
    """The records stay two; `sentence` says what to settle first."""

    code = "merge_refused"
    field = "gone"


class UndoRefused(Refused):
    code = "unmerge_refused"
    field = "merge"


@dataclass(frozen=True, slots=True)
class Preview:
    """What merging `gone` into `kept` would do. It can be done when there are no `conflicts`."""

    kept: Patient
    gone: Patient
    counts: Sequence[tuple[str, int]]
    conflicts: Sequence[str]
    differences: Sequence[Difference]
    rulings: Sequence[Ruling]


@dataclass(slots=True)
class _Manifest:
    moved: dict[str, list[int]] = field(default_factory=dict)
    changed: list[values.Changed] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    sites: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def preview(*, kept: Patient, gone: Patient, by: Staff, now: datetime) -> Preview:
    """What would come of it; changes nothing.

    Raises Forbidden unless `by` may merge records at a site of each.
    """
    _require(by, kept, gone)
    counts: Counter[str] = Counter()
    for each in tables.columns():
        if not each.is_sites:
            counts[each.words] += each.standing(gone.pk).count()
    return Preview(
        kept=kept,
        gone=gone,
        counts=[(words, count) for words, count in counts.items() if count],
        conflicts=_conflicts(kept, gone, now=now),
        differences=values.differences(kept, gone),
        rulings=consents.rulings(kept, gone),
    )


def merge(
    *,
    kept: Patient,
    gone: Patient,
    taken_from_gone: Sequence[str] = (),
    reason: str,
    by: Staff,
    now: datetime,
) -> RecordMerge:
    """Make `gone` a part of `kept`; of the fields in `taken_from_gone` its value wins.

    Raises:
        MergeRefused: with what is to be settled first, or when a row moved at this moment.
        Forbidden: unless `by` may merge records at a site of each.
    """
    if not reason.strip():
        raise MergeRefused(gettext("Write why these are records of one person."))
    _require(by, kept, gone)
    try:
        with allocating.guarded():
            return _merge(
                kept.pk, gone.pk, taken_from_gone, reason.strip()[:REASON_LENGTH], by=by, now=now
            )
    except Lost:
        raise MergeRefused(
            gettext("Somebody changed one of these records just now. Look again.")
        ) from None
    except IntegrityError as error:
        table = getattr(getattr(error.__cause__, "diag", None), "table_name", None) or "a table"
        raise MergeRefused(
            gettext("Both records have the same in %(partition)s. Close one of them first.")
            % {"partition": table.partition("_")[2]}
        ) from error


def _merge(
    kept_id: int, gone_id: int, taken: Sequence[str], reason: str, *, by: Staff, now: datetime
) -> RecordMerge:
    kept, gone = _held(kept_id, gone_id)
    if found := _conflicts(kept, gone, now=now):
        raise MergeRefused(found[0])
    for hold in Hold.objects.unreleased().filter(patient=gone):
        allocating.lock(allocating.held_by(hold))
        allocating.let_go(hold, now=now)
    done = RecordMerge.objects.create(
        kept=kept, gone=gone, at=now, by=by, reason=reason, undo_until=now + UNDO_WITHIN
    )
    manifest = _Manifest()
    manifest.ended = consents.enforce(kept, gone, by=by, now=now)
    _make_room(manifest, kept, gone, now=now)
    _say_once(manifest, kept, gone, by=by, now=now)
    for each in tables.columns():
        if not each.is_sites:
            ids = list(each.rows(gone.pk).values_list("pk", flat=True))
            _take_over(each, ids, former=gone.pk, later=kept.pk)
            manifest.moved[f"{each.table}.{each.column}"] = ids
    manifest.given_up = handing_over.hand_over(gone.resource_id, kept.resource_id)
    _join(manifest, kept, gone, taken)
    done.manifest = manifest.as_json()
    done.save(update_fields=["manifest"])
    Patient.objects.filter(pk=gone.pk).update(
        merged_into=kept, revision=F("revision") + 1, planned_revision=F("revision") + 1
    )
    claiming.plan_anew([kept.pk])
    for patient in (kept, gone):
        audit.record(
            action="patient.merge",
            subject=done,
            by=by,
            now=now,
            patient_id=patient.pk,
            before={"records": [kept.pk, gone.pk]},
            after={"record": kept.pk, "rows": sum(map(len, manifest.moved.values()))},
            reason=reason,
        )
    return done


def undo(*, merge: RecordMerge, reason: str, by: Staff, now: datetime) -> Patient:
    """Make two records of one again, as they were, with what was added meanwhile to the rows that
    go back; the record that had gone.

    Raises:
        UndoRefused: when it is too late, or was undone, or somebody is at one of them now.
        Forbidden: unless `by` may merge records at a site of each.
    """
    if not reason.strip():
        raise UndoRefused(gettext("Write why these are two persons after all."))
    _require(by, merge.kept, merge.gone)
    try:
        with allocating.guarded():
            return _undo(merge.pk, reason.strip()[:REASON_LENGTH], by=by, now=now)
    except Lost:
        raise UndoRefused(
            gettext("Somebody changed one of these records just now. Look again.")
        ) from None


def _undo(merge_id: int, reason: str, *, by: Staff, now: datetime) -> Patient:
    known = RecordMerge.objects.get(pk=merge_id)
    kept, gone = _held(known.kept_id, known.gone_id)
    done = RecordMerge.objects.select_for_update().get(pk=merge_id)
    if done.undone_at is not None:
        raise UndoRefused(gettext("This merge was undone already."))
    if now >= done.undo_until:
        raise UndoRefused(gettext("A merge can be undone for 30 days; these are over."))
    if kept.is_closed:
        raise UndoRefused(gettext("The record has been merged further or erased since."))
    manifest = done.manifest
    for each in tables.columns():
        ids = manifest["moved"].get(f"{each.table}.{each.column}", [])
        _take_over(each, ids, former=kept.pk, later=gone.pk)
    _follow(kept, gone)
    handing_over.hand_back(
        gone.resource_id,
        kept.resource_id,
        patient_id=gone.pk,
        given_up=manifest["given_up"],
    )
    values.restore(manifest["changed"])
    staying = kept.series.values("site")
    kept.sites.remove(*kept.sites.filter(pk__in=manifest["sites"]).exclude(pk__in=staying))
    consents.give_again(manifest["ended"], by=by, now=now)
    Patient.objects.filter(pk=gone.pk).update(merged_into=None)
    done.undone_at, done.undone_by = now, by
    done.save(update_fields=["undone_at", "undone_by"])
    claiming.plan_anew([kept.pk, gone.pk])
    for patient in (kept, gone):
        audit.record(
            action="patient.unmerge",
            subject=done,
            by=by,
            now=now,
            patient_id=patient.pk,
            before={"record": kept.pk},
            after={"records": [kept.pk, gone.pk]},
            reason=reason,
        )
    return Patient.objects.get(pk=gone.pk)


def _held(kept_id: int, gone_id: int) -> tuple[Patient, Patient]:
    """Both patients, with their times, their rows and their unsent messages locked.

    Resources come before patients and patients before messages, as everybody locks them.
    """
    rows = Patient.objects.in_bulk([kept_id, gone_id])
    allocating.lock(each.resource_id for each in rows.values())
    claiming.hold_patients(rows)
    unsent = Message.objects.filter(patient__in=rows, wake_at__isnull=False)
    list(unsent.select_for_update(no_key=True).order_by("id").values_list("pk"))
    rows = Patient.objects.in_bulk([kept_id, gone_id])
    return rows[kept_id], rows[gone_id]


def _conflicts(kept: Patient, gone: Patient, *, now: datetime) -> list[str]:
    """What is to be settled before, as sentences."""
    if kept.pk == gone.pk:
        return [gettext("This is one record already.")]
    found = []
    for each in (kept, gone):
        if each.merged_into_id is not None:
            found.append(
                gettext("Record #%(pk)s was merged into #%(merged_into_id)s already.")
                % {"pk": each.pk, "merged_into_id": each.merged_into_id}
            )
        if each.erased_at is not None:
            found.append(gettext("Record #%(pk)s was erased.") % {"pk": each.pk})
    for said in ToldApart.objects.standing().of(kept, gone).select_related("by"):
        day = local(said.at, kept.sites.all()[0].zone).date()
        found.append(
            gettext(
                "%(name)s said on %(day)s that these are two persons. Take that back first, where"
                " the other record is looked for."
            )
            % {"name": said.by.name, "day": format_day(day, language())}
        )
    if (kept.deceased_at is None) != (gone.deceased_at is None):
        found.append(
            gettext(
                "One record says that the patient has died, the other does not. Correct one first."
            )
        )
    for clash in handing_over.clashes(kept.resource_id, gone.resource_id, now=now):
        zone = clash.one.site.zone
        found.append(
            gettext(
                "%(protocol_version)s on %(starts_at)s (#%(pk)s) and %(protocol_version_2)s "
                "on %(starts_at_2)s (#%(pk_2)s) are at one time. Move or cancel one of them "
                "first."
            )
            % {
                "protocol_version": protocols.called(clash.one.protocol_version),
                "starts_at": format_when(clash.one.starts_at, zone, language()),
                "pk": kept.pk,
                "protocol_version_2": protocols.called(clash.other.protocol_version),
                "starts_at_2": format_when(clash.other.starts_at, zone, language()),
                "pk_2": gone.pk,
            }
        )
    offers = Invitation.objects.open_at(now).filter(entry__patient__in=(kept, gone))
    if offers.exists():
        found.append(
            gettext("A place is on offer to one of them. Wait for the answer, or take it back.")
        )
    found += _waiting_twice(kept, gone)
    return found


def _waiting_twice(kept: Patient, gone: Patient) -> list[str]:
    waiting = WaitlistEntry.objects.waiting().filter(appointment=None)
    wants = set(waiting.filter(patient=kept).values_list("site", "protocol_version"))
    return [
        gettext("Both wait for %(protocol_version)s. Take one entry off the wait-list first.")
        % {"protocol_version": protocols.called(each.protocol_version)}
        for each in waiting.filter(patient=gone).select_related("protocol_version")
        if (each.site_id, each.protocol_version_id) in wants
    ]


def _make_room(manifest: _Manifest, kept: Patient, gone: Patient, *, now: datetime) -> None:
    """Retire the numbers and addresses that both have, and let those of `kept` be preferred; of
    two guardians who are written to that of `kept` stays it."""
    standing = {
        (each.kind, each.value)
        for each in kept.contact_points.filter(retired_at=None, guardian=None)
    }
    preferred = {
        each.kind
        for each in kept.contact_points.filter(retired_at=None, guardian=None, is_preferred=True)
    }
    for point in gone.contact_points.filter(retired_at=None, guardian=None):
        if (point.kind, point.value) in standing:
            _change(manifest, point, is_preferred=False, retired_at=now)
        elif point.kind in preferred:
            _change(manifest, point, is_preferred=False)
    written_to = Guardian.objects.filter(ended_at=None, gets_messages=True)
    if written_to.filter(patient=kept).exists():
        for guardian in written_to.filter(patient=gone):
            _change(manifest, guardian, gets_messages=False)


def _say_once(
    manifest: _Manifest, kept: Patient, gone: Patient, *, by: Staff, now: datetime
) -> None:
    """Of whom both were told apart, `kept` is."""
    said = ToldApart.objects.standing()
    others = {each.than(kept).pk for each in said.of(kept).select_related("one", "other")}
    for each in said.of(gone).select_related("one", "other"):
        if each.than(gone).pk in others:
            _change(manifest, each, taken_back_at=now, taken_back_by=by.pk)


def _join(manifest: _Manifest, kept: Patient, gone: Patient, taken: Sequence[str]) -> None:
    """Give `kept` the values that win, and the sites of both."""
    for won in values.winning(kept, gone, taken):
        _change(manifest, kept, **won)
    _change(manifest, kept, search_key=registration.search_key(values.names_of(kept)))
    Patient.objects.filter(pk=kept.pk).update(version=F("version") + 1)
    manifest.sites = [site.pk for site in gone.sites.exclude(pk__in=kept.sites.values("pk"))]
    kept.sites.add(*manifest.sites)


def _change(manifest: _Manifest, row: values.Changeable, **changed: Any) -> None:
    manifest.changed.append(values.change(row, changed))


def _take_over(each: tables.Column, ids: Sequence[int], *, former: int, later: int) -> None:
    if not ids or each.is_sites:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT afterglow_take_over(%s, %s, %s, %s, %s)",
            [each.table, each.column, list(ids), former, later],
        )


def _follow(kept: Patient, gone: Patient) -> None:
    """What was added since to a row that went back goes with it: the messages of a series."""
    ways: Mapping[Any, str] = tables.paths()
    for each in tables.columns():
        for foreign in each.model._meta.concrete_fields:
            way = ways.get(foreign.related_model) if foreign.is_relation else None
            if way is None or foreign.name == each.name:
                continue
            rows = each.rows(kept.pk).filter(**{f"{foreign.name}__{way}": gone.pk})
            ids = list(rows.values_list("pk", flat=True))
            _take_over(each, ids, former=kept.pk, later=gone.pk)


def _require(by: Staff, *patients: Patient) -> None:
    for patient in patients:
        access.require_at_any(by, Capability.MERGE_RECORDS, patient.sites.all())
