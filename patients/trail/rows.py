"""Entries of the audit trail as a page and a file show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from clinic.models import AuditEntry, Resource, Site, Staff
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
# The fields that hold the id of one of the staff, of somebody or something held, of a site, and
# the ids of patients.
STAFF_FIELDS = ("owner", "staff", "taken_by")
RESOURCE_FIELDS = ("provider",)
SITE_FIELDS = ("other",)
PATIENT_FIELDS = ("patient", "record", "records")
# What nobody else does, whatever the way in.
BY_PATIENTS = frozenset({"form.sign"})


@dataclass(frozen=True, slots=True)
class Row:
    """One entry. `patients` are those of its patients whom the reader may see, some of them by
    name; `others` is how many more there are; `zone` is that of who reads it, `names` those of
    whom and what its fields name by id, by field. `told` are the patients among these."""

    entry: AuditEntry
    patients: Sequence[Patient]
    others: int
    zone: str
    names: Mapping[str, Mapping[int, str]]
    told: Sequence[Patient] = ()

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
        told = dict(fields)
        for field, names in self.names.items():
            value = fields.get(field)
            unknown = "#{}" if field in PATIENT_FIELDS else "{}"
            said = [names.get(pk, unknown.format(pk)) for pk in _ids(value)]
            if said:
                told[field] = said if isinstance(value, list) else said[0]
        return told

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
    held = {entry.pk: _held(entry, PATIENT_FIELDS) for entry in entries}
    wanted = {each for ids in (*about.values(), *held.values()) for each in ids}
    seen = {each.pk: each for each in Patient.objects.seen_by(staff).filter(pk__in=wanted)}
    patients = {pk: f"{each.display_name} #{pk}" for pk, each in seen.items()}
    names = {**_names(entries), **dict.fromkeys(PATIENT_FIELDS, patients)}
    rows = []
    for entry in entries:
        named = [seen[each] for each in about[entry.pk] if each in seen][:MOST_NAMED]
        told = [seen[each] for each in held[entry.pk] if each in seen]
        rows.append(Row(entry, named, len(about[entry.pk]) - len(named), zone, names, told))
    return rows


def _names(entries: Sequence[AuditEntry]) -> dict[str, dict[int, str]]:
    """By field the names of whom and what these entries name by id, patients left out."""
    found: dict[str, dict[int, str]] = {}
    for model, fields in (
        (Staff, STAFF_FIELDS),
        (Resource, RESOURCE_FIELDS),
        (Site, SITE_FIELDS),
    ):
        ids = {pk for each in entries for pk in _held(each, fields)}
        rows = model._default_manager.filter(pk__in=ids).values_list("pk", "name")
        found |= dict.fromkeys(fields, dict(rows) if ids else {})
    return found


def _held(entry: AuditEntry, fields: Sequence[str]) -> list[int]:
    """The ids that these fields hold, before and after."""
    if entry.action == LISTED:
        return []
    held = (each.get(field) for field in fields for each in (entry.before, entry.after))
    return list(dict.fromkeys(pk for value in held for pk in _ids(value)))


def _ids(value: Any) -> list[int]:
    values = value if isinstance(value, list) else [value]
    whole = [each for each in values if isinstance(each, int) and not isinstance(each, bool)]
    return whole if len(whole) == len(values) else []


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
