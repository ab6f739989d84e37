"""Entries of the audit trail as a page and a file show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from clinic.models import AuditEntry, Staff
from clinic.models.audit import LISTED
from clinic.origin import Via
from clinic.retelling import retold
from clinic.saying import gettext
from patients.models import Patient
from patients.trail import words

COLUMNS = (
    *("at", "who", "what", "about", "patients", "before", "after", "reason", "site"),
    *("via", "ip", "device", "request"),
)
MOST_NAMED = 5
# The fields that hold the id of one of the staff.
STAFF_FIELDS = ("owner", "staff", "taken_by")
# What nobody else does, whatever the way in.
BY_PATIENTS = frozenset({"form.sign"})


@dataclass(frozen=True, slots=True)
class Row:
    """One entry. `patients` are those of its patients whom the reader may see, some of them by
    name; `others` is how many more there are; `zone` is that of who reads it, `names` those of
    the staff whom it names by id."""

    entry: AuditEntry
    patients: Sequence[Patient]
    others: int
    zone: str
    names: Mapping[int, str]

    @property
    def what(self) -> str:
        return words.said(self.entry.action)

    @property
    def about(self) -> str:
        about = words.named(self.entry.subject_type, self.entry.subject_id)
        patient = words.named("patients.patient", str(self.entry.patient_id))
        return "" if about == patient else about

    @property
    def subject(self) -> str:
        """As `Asked.subject`; empty for a list."""
        entry = self.entry
        return f"{entry.subject_type}:{entry.subject_id}" if entry.action != LISTED else ""

    @property
    def who(self) -> str:
        if self.entry.by is not None:
            return self.entry.by.name
        is_patient = self.entry.via == Via.PATIENT_PAGE or self.entry.action in BY_PATIENTS
        return gettext("The patient") if is_patient else gettext("The system")

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """All that was written down, as it was."""
        return words.changes(self.entry.before, self._after)

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """What differs, for who reads it on the clock of the entry's site."""
        zone = self.entry.site.zone if self.entry.site else self.zone
        return words.shown(self._by_name(self.entry.before), self._by_name(self._after), zone)

    def _by_name(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        held = ((field, fields.get(field)) for field in STAFF_FIELDS)
        ids = {field: pk for field, pk in held if isinstance(pk, int)}
        return {**fields, **{field: self.names.get(pk, pk) for field, pk in ids.items()}}

    @property
    def _after(self) -> dict[str, Any]:
        return {} if self.entry.action == LISTED else self.entry.after


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, or looks of one person from one device in a row, the latest first."""

    rows: Sequence[Row]

    @property
    def row(self) -> Row:
        return self.rows[0]

    @property
    def first(self) -> Row:
        """The one with which the looks began."""
        return self.rows[-1]

    @property
    def is_run(self) -> bool:
        return len(self.rows) > 1


def lines_of(
    lines: Sequence[Sequence[AuditEntry]], staff: Staff, *, zone: str = "UTC"
) -> list[Line]:
    """A line for each of these, in a constant number of queries."""
    rows = iter(rows_of([entry for line in lines for entry in line], staff, zone=zone))
    return [Line([next(rows) for _ in line]) for line in lines]


def rows_of(entries: Sequence[AuditEntry], staff: Staff, *, zone: str = "UTC") -> list[Row]:
    """A row for each entry, in a constant number of queries."""
    about = {entry.pk: _patients(entry) for entry in entries}
    wanted = {each for ids in about.values() for each in ids}
    seen = {each.pk: each for each in Patient.objects.seen_by(staff).filter(pk__in=wanted)}
    names = _names(entries)
    rows = []
    for entry in entries:
        named = [seen[each] for each in about[entry.pk] if each in seen][:MOST_NAMED]
        rows.append(Row(entry, named, len(about[entry.pk]) - len(named), zone, names))
    return rows


def _names(entries: Sequence[AuditEntry]) -> dict[int, str]:
    written = (
        fields.get(field)
        for each in entries
        for fields in (each.before, each.after)
        for field in STAFF_FIELDS
    )
    ids = {pk for pk in written if isinstance(pk, int)}
    return dict(Staff.objects.filter(pk__in=ids).values_list("pk", "name"))


def file_rows(parts: Iterable[Sequence[AuditEntry]], staff: Staff) -> Iterator[Sequence[str]]:
    """The rows of the file, its head first. Patients stand in it by number, not by name."""
    yield COLUMNS
    for entries in parts:
        for row in rows_of(entries, staff):
            entry = row.entry
            yield (
                entry.at.astimezone(UTC).isoformat(),
                row.who,
                entry.action,
                row.about,
                " ".join(str(each) for each in _patients(entry)),
                "; ".join(f"{field}: {value}" for field, value, _ in row.changes if value),
                "; ".join(f"{field}: {value}" for field, _, value in row.changes if value),
                retold(entry.reason),
                entry.site.slug if entry.site else "",
                entry.via,
                entry.ip or "",
                entry.agent,
                entry.request,
            )


def _patients(entry: AuditEntry) -> list[int]:
    if entry.action == LISTED:
        return list(entry.after.get("patients", ()))
    return [] if entry.patient_id is None else [entry.patient_id]
