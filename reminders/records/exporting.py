"""Handing out the whole record: one ZIP that is written while it is taken.

Nothing of it is stored, and it takes the memory of some rows, however large it is. Which tables
belong to it is found by their keys (`tables`), so none is forgotten. `docs/record-export.md` says
what is in it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import BinaryField, F, Field, FileField, ForeignKey, Model
from django.utils import translation

from appointments.models import Appointment, Photo
from appointments.photos import keeping
from appointments.refusals import Refused
from clinic import access, audit, csv_cells, printing, retelling
from clinic.access import Capability
from clinic.models import AuditEntry, Staff
from clinic.saying import gettext
from clinic.saying_times import format_when
from patients.models import Patient
from patients.trail import rows as trail_rows
from patients.trail import searching
from reminders.models import Message, RecordExport
from reminders.records import tables

SCHEMA = 1
LIFE = timedelta(hours=1)
REASON_LENGTH = 200
_AT_ONCE = 500
# Keys of ours, which say nothing of the patient.
_OMITTED = frozenset({"token_digest", "claim_token"})
# Columns of sentences of ours. Whatever else is handed out as it was written.
_SENTENCES = frozenset(
    {
        *("why", "gate_why", "title", "detail", "outcome", "reasons", "sentence", "remark"),
        *("did", "reason", "closed_reason", "do_not_contact_why"),
    }
)

Part = Callable[[], Iterator[bytes]]


class ExportRefused(Refused):
    code = "export_refused"
    field = "reason"


@transaction.atomic
def ask(*, patient: Patient, reason: str, by: Staff, now: datetime) -> RecordExport:
    """Leave for `by` to take the record out, for an hour.

    Raises ExportRefused without a reason, Forbidden unless `by` may export records there.
    """
    _require(by, patient)
    if not reason.strip():
        raise ExportRefused(gettext("Write for whom it is and why."))
    asked = RecordExport.objects.create(
        patient=patient,
        asked_by=by,
        asked_at=now,
        reason=reason.strip()[:REASON_LENGTH],
        expires_at=now + LIFE,
    )
    audit.record(
        action="record.export",
        subject=asked,
        by=by,
        now=now,
        patient_id=patient.pk,
        reason=asked.reason,
    )
    return asked


def take(*, asked: RecordExport, by: Staff, now: datetime) -> Iterator[bytes]:
    """The ZIP, piece by piece.

    Raises ExportRefused when the hour is over or somebody else asked, Forbidden as `ask` does.
    """
    _require(by, asked.patient)
    if asked.asked_by_id != by.pk:
        raise ExportRefused(gettext("Somebody else asked for this. Ask for the record yourself."))
    if now >= asked.expires_at:
        raise ExportRefused(gettext("This link has run out. Ask for the record again."))
    RecordExport.objects.filter(pk=asked.pk).update(taken=F("taken") + 1)
    audit.record(
        action="record.take",
        subject=asked,
        by=by,
        now=now,
        patient_id=asked.patient_id,
        reason=asked.reason,
    )
    return _zipped(_Record(asked.patient, by, now).parts(), now=now)


class _Pipe(io.RawIOBase):
    """Where the archive writes to; `drained` gives what was written since."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def drained(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _zipped(parts: Iterator[tuple[str, Part]], *, now: datetime) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts:
            info = zipfile.ZipInfo(name, date_time=now.astimezone(UTC).timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as file:
                for piece in part():
                    file.write(piece)
                    if ready := pipe.drained():
                        yield ready
            yield pipe.drained()
    yield pipe.drained()


class _Record:
    """The parts of one record in their order. `files` are the large values that rows name by their
    place in the archive: PDFs, photos."""

    def __init__(self, patient: Patient, by: Staff, now: datetime) -> None:
        self.patient, self.by, self.now = patient, by, now
        self.ids = tables.ids_of(patient)
        self.files: list[tuple[str, Part]] = []
        self.staff: set[int] = set()

    def parts(self) -> Iterator[tuple[str, Part]]:
        yield "README.txt", lambda: iter([_README.encode()])
        yield "schema.json", lambda: iter([json.dumps(schema(), indent=1).encode()])
        yield "record.json", self._json
        yield "visits.csv", self._visits
        yield "messages.csv", self._messages
        yield "audit.csv", self._trail
        yield "summary.pdf", lambda: iter([self._summary()])
        # Named by the rows of record.json, which are written by now.
        yield from self.files

    def _json(self) -> Iterator[bytes]:
        yield _line("{", f'"schema": {SCHEMA},', f'"exported_at": {_dump(self.now)},')
        yield _line('"patients": [')
        yield from self._rows(Patient, Patient.objects.filter(pk__in=self.ids).order_by("pk"))
        yield _line("],", '"sites": ' + _dump(self._sites()) + ",", '"tables": {')
        for number, model in enumerate(sorted(tables.paths(), key=lambda each: each._meta.label)):
            yield _line(f'{"," if number else ""}"{model._meta.label_lower}": [')
            yield from self._rows(model, tables.rows_of(model, self.ids))
            yield _line("]")
        yield _line("},", '"audit": [')
        yield from self._rows(AuditEntry, AuditEntry.objects.filter(patient_id__in=self.ids))
        names = Staff.objects.filter(pk__in=self.staff).values_list("pk", "name")
        yield _line("],", '"staff": ' + _dump({str(pk): name for pk, name in names}), "}")

    def _rows(self, model: type[Model], rows: Any) -> Iterator[bytes]:
        fields = [field for field in model._meta.concrete_fields if field.name not in _OMITTED]
        for number, row in enumerate(rows.iterator(chunk_size=_AT_ONCE)):
            values = {field.attname: self._value(model, row, field) for field in fields}
            yield _line(("," if number else "") + _dump(values))

    def _value(self, model: type[Model], row: Any, field: Field[Any, Any]) -> Any:
        value = getattr(row, field.attname)
        if isinstance(field, ForeignKey) and field.related_model is Staff and value:
            self.staff.add(value)
        if isinstance(row, Photo) and field.name == "key":
            return self._file(model, row, field, "jpg", lambda: _picture(row))
        if isinstance(field, FileField) and value:
            return self._file(model, row, field, value.name.rpartition(".")[2], value.chunks)
        if isinstance(field, BinaryField) and value:
            content = bytes(value)
            kind = "pdf" if content.startswith(b"%PDF") else "bin"
            manager, name = model._default_manager, field.attname

            def again() -> Iterator[bytes]:
                stored = manager.values_list(name, flat=True).get(pk=row.pk)
                return iter([bytes(stored)])

            return self._file(model, row, field, kind, again)
        return _told(field.attname, value)

    def _file(
        self, model: type[Model], row: Any, field: Field[Any, Any], kind: str, part: Part
    ) -> str:
        name = f"files/{model._meta.label_lower}/{row.pk}-{field.name}.{kind}"
        self.files.append((name, part))
        return name

    def _sites(self) -> list[dict[str, Any]]:
        sites = self.patient.sites.order_by("pk").values("id", "name", "zone")
        return [dict(each) for each in sites]

    def _visits(self) -> Iterator[bytes]:
        rows = tables.rows_of(Appointment, self.ids).select_related("site", "protocol_version")
        yield from _csv(
            ("id", "series", "session", "treatment", "site", "starts_at", "ends_at", "state"),
            (
                (visit.pk, visit.series_id, visit.session, visit.protocol_version.name,
                 visit.site.name, _utc(visit.starts_at), _utc(visit.ends_at), visit.state)
                for visit in rows.order_by("starts_at", "pk").iterator(chunk_size=_AT_ONCE)
            ),
        )  # fmt: skip

    def _messages(self) -> Iterator[bytes]:
        rows = tables.rows_of(Message, self.ids).select_related("content")
        yield from _csv(
            ("id", "kind", "channel", "state", "reason", "due_at", "accepted_at", "to", "text"),
            (
                (message.pk, message.kind, message.channel, message.state, message.reason,
                 _utc(message.due_at), _utc(message.accepted_at),
                 *((content.address, content.text) if content else ("", "")))
                for message in rows.order_by("due_at", "pk").iterator(chunk_size=_AT_ONCE)
                for content in [getattr(message, "content", None)]
            ),
        )  # fmt: skip

    def _trail(self) -> Iterator[bytes]:
        found = AuditEntry.objects.none()
        for each in self.ids:
            found = found | AuditEntry.objects.filter(searching.about(each))
        parts = searching.everything(found.order_by("-at", "-id"))
        for line in csv_cells.lines(trail_rows.file_rows(parts, self.by)):
            yield line.encode()

    def _summary(self) -> bytes:
        """Who and when, in the patient's language."""
        with translation.override(self.patient.language):
            return self._summed_up(self.patient)

    def _summed_up(self, patient: Patient) -> bytes:
        visits = tables.rows_of(Appointment, self.ids).select_related("site", "protocol_version")
        rows = tuple(
            (
                format_when(visit.starts_at, visit.site.zone, patient.language, year=True),
                gettext("%(protocol)s, session %(session)s")
                % {"protocol": visit.protocol_version.name, "session": visit.session},
                visit.get_state_display(),
            )
            for visit in visits.order_by("starts_at", "pk")
        )
        points = patient.contact_points.filter(retired_at=None)
        return printing.pdf(
            title=gettext("Record #%(number)s") % {"number": patient.pk},
            blocks=(
                printing.Facts(
                    (
                        (gettext("Name"), f"{patient.legal_given} {patient.legal_family}"),
                        (gettext("Born"), patient.birth_date.isoformat()),
                        *((point.get_kind_display(), point.value) for point in points),
                    )
                ),
                printing.Heading(gettext("Visits")),
                printing.Table((gettext("When"), gettext("What"), gettext("State")), rows)
                if rows
                else printing.Paragraph(gettext("None.")),
                printing.Paragraph(
                    gettext("The whole record is in record.json beside this sheet.")
                ),
            ),
            footer=gettext("Record #%(number)s, exported %(at)s UTC")
            % {"number": patient.pk, "at": f"{self.now.astimezone(UTC):%Y-%m-%d %H:%M}"},
            at=self.now,
            language=patient.language,
        )


def _told(name: str, value: Any) -> Any:
    """The value of a column, with the sentences of ours told in the language of who asks."""
    if name in _SENTENCES:
        return retelling.anew(value)
    # What left the ledger is one value, with the columns of the message in it.
    if name in {"whole", "message"} and isinstance(value, dict):
        return {key: _told(key, each) for key, each in value.items()}
    return value


def _picture(photo: Photo) -> Iterator[bytes]:
    """A photo as large as it is kept. One that the disk lost must not cost the rest."""
    try:
        yield keeping.read(photo.key, "full")
    except FileNotFoundError:
        yield b"This picture is missing on the disk."


def schema() -> dict[str, Any]:
    """What stands in record.json: each table with the kinds of its fields and the way to the
    patient."""
    described = {
        model._meta.label_lower: {
            "of": str(model._meta.verbose_name_plural),
            "path": path,
            "fields": _fields(model),
        }
        for model, path in tables.paths().items()
    }
    return {
        "schema": SCHEMA,
        "patients": _fields(Patient),
        "audit": _fields(AuditEntry),
        "tables": dict(sorted(described.items())),
    }


def _fields(model: type[Model]) -> dict[str, dict[str, str]]:
    return {
        field.attname: {
            "kind": "id" if field.is_relation else field.get_internal_type(),
            "of": field.related_model._meta.label_lower if field.related_model else "",
            "means": str(getattr(field, "help_text", "")),
        }
        for field in model._meta.concrete_fields
        if field.name not in _OMITTED
    }


def _csv(head: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[bytes]:
    def lines() -> Iterator[Sequence[Any]]:
        yield head
        yield from rows

    for line in csv_cells.lines(lines()):
        yield line.encode()


def _line(*pieces: str) -> bytes:
    return "".join(f"{piece}\n" for piece in pieces).encode()


def _dump(value: Any) -> str:
    return json.dumps(value, cls=_Encoder, ensure_ascii=False)


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, datetime):
            return o.astimezone(UTC).isoformat()
        if hasattr(o, "lower") and hasattr(o, "upper") and hasattr(o, "bounds"):
            return [o.lower, o.upper]
        return super().default(o)


def _utc(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _require(by: Staff, patient: Patient) -> None:
    access.require_at_any(by, Capability.EXPORT_RECORD, patient.sites.all())


_README = """This archive is the whole record of one patient.

record.json   every row of every table that holds something of the patient; instants are UTC
schema.json   what each table and field means, and the way from it to the patient
visits.csv    the visits, for a spreadsheet
messages.csv  what was sent and said, for a spreadsheet
audit.csv     who saw and did what in this record
summary.pdf   who and when, to be read
files/        signed sheets and pictures, named by the rows of record.json

Records that were merged into this one are in it. Staff are named in record.json under "staff".
"""
