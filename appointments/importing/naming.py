"""Saying what the columns of a file are, and remembering it for the next one like it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from appointments.importing import columns, dates, tables, uploading
from appointments.importing.columns import DATES
from appointments.importing.dates import Evidence, Order
from appointments.models import ColumnNaming, Import, ImportState
from appointments.models.importing import WORKING
from appointments.refusals import Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext


class NamingRefused(Refused):
    """The columns cannot be taken like that; `problems` are sentences by field."""

    code = "import_columns"
    field = "mapping"

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


class OrderUnknown(Refused):
    """Nothing in the file tells whether its dates begin with the day or the month."""

    code = "import_date_order"
    field = "date_order"

    def __init__(self, evidence: Evidence) -> None:
        if evidence.mixed:
            said = gettext(
                "Some dates begin with the day and some with the month: %(example)s. Say "
                "which is right; the others will be listed as errors."
            ) % {"example": evidence.example}
        else:
            said = gettext(
                "“%(example)s” can be two dates, and so can every other one in this file. "
                "Say whether the day or the month comes first."
            ) % {"example": evidence.example}
        super().__init__(said)
        self.example = evidence.example


class ImportBusy(Refused):
    """The import is being worked on, or its file is gone."""

    code = "import_state"
    field = "state"


@dataclass(frozen=True, slots=True)
class Offered:
    """How a file's columns are offered: `remembered` from an earlier one, or guessed."""

    mapping: Mapping[str, str]
    date_order: str
    remembered: bool


def offered(source: Import) -> Offered:
    """What the columns of a file most likely are."""
    if source.mapping:
        return Offered(source.mapping, source.date_order, remembered=False)
    known = ColumnNaming.objects.filter(site=source.site, signature=source.signature).first()
    if known is not None:
        mapping = columns.fitting(known.mapping, source.columns)
        if tables.DECISION in source.columns:
            mapping.setdefault("decision", tables.DECISION)
        return Offered(mapping, known.date_order, remembered=True)
    return Offered(columns.guessed(source.columns), "", remembered=False)


def name(
    *, source: Import, mapping: Mapping[str, str], date_order: str = "", by: Staff, now: datetime
) -> Import:
    """Take the columns for these fields, and remember it for the site's files with this header.

    Raises:
        NamingRefused: when a patient or a visit could not be told by these columns.
        OrderUnknown: when `date_order` is not given and the dates do not tell it.
        ImportBusy: while the import is under way, and once its file is gone.
        Forbidden: when `by` may not import there.
    """
    access.require(by, Capability.IMPORT, source.site)
    mapping = {field: column for field, column in mapping.items() if column}
    if problems := columns.problems(mapping, source.columns):
        raise NamingRefused(problems)
    if not source.file:
        raise ImportBusy(gettext("The file of this import was deleted. Upload it again."))
    order = date_order or _order_of(source, mapping)
    with transaction.atomic():
        fresh = Import.objects.select_for_update(no_key=True).get(pk=source.pk)
        if fresh.state in WORKING:
            raise ImportBusy(gettext("This import is under way. Stop it first."))
        fresh.mapping, fresh.date_order, fresh.state = mapping, order, ImportState.UPLOADED
        fresh.save(update_fields=["mapping", "date_order", "state"])
        ColumnNaming.objects.update_or_create(
            site=fresh.site,
            signature=fresh.signature,
            defaults={"mapping": mapping, "date_order": date_order, "named_at": now},
        )
        audit.record(
            action="import.name_columns",
            subject=fresh,
            by=by,
            now=now,
            site=fresh.site,
            after={"mapping": mapping, "date_order": order},
        )
    return fresh


def _order_of(source: Import, mapping: Mapping[str, str]) -> str:
    evidence = dates.order_of(_dates(source, mapping))
    if evidence.order is None and evidence.example:
        raise OrderUnknown(evidence)
    return str(evidence.order or Order.MONTH_FIRST)


def _dates(source: Import, mapping: Mapping[str, str]) -> Iterator[str]:
    places = [source.columns.index(mapping[field]) for field in DATES if field in mapping]
    with uploading.opened(source) as stream:
        for row in tables.records(stream, uploading.layout_of(source)):
            if not row.problem:
                yield from (row.cells[place] for place in places)
