"""What became of the rows of a file: counted, listed, and those to be mended as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from django.db.models import Count

from appointments.importing import tables, uploading
from appointments.importing.tables import DECISION, PROBLEM
from appointments.models import Import, ImportRow, RowOutcome
from clinic.retelling import retold

# What somebody has to mend or decide before it can come over.
OPEN = (RowOutcome.ERROR, RowOutcome.CONFLICT)


def counts(source: Import) -> Mapping[str, int]:
    """How many rows have each outcome, those with none left out, in the order of outcomes."""
    rows = ImportRow.objects.filter(source=source).exclude(outcome="")
    found = dict(rows.values_list("outcome").annotate(Count("pk")).order_by())
    return {value: found[value] for value in RowOutcome.values if value in found}


def to_be_mended(source: Import) -> Iterator[str]:
    """The rows with an error or to be decided as CSV, line by line: as they were, with the problem
    and, for possible duplicates, a column for the decision. What is mended can be uploaded again.

    Raises Unreadable when the file was deleted.
    """
    columns = list(source.columns)
    shown = [*(each for each in columns if each not in (PROBLEM, DECISION)), PROBLEM, DECISION]
    open_rows = ImportRow.objects.filter(source=source, outcome__in=OPEN).order_by("number")
    told = open_rows.values_list("number", "sentence").iterator(chunk_size=2000)

    def lines() -> Iterator[list[str]]:
        with uploading.opened(source) as stream:
            yield shown
            number, sentence = next(told, (0, ""))
            for record in tables.records(stream, uploading.layout_of(source)):
                if record.number != number:
                    continue
                cells = dict(zip(columns, record.cells, strict=False)) | {PROBLEM: retold(sentence)}
                yield [cells.get(column, "") for column in shown]
                number, sentence = next(told, (0, ""))
                if not number:
                    return

    # Begun at once, so that a file that is gone is told of before anything is sent, and one that
    # nobody reads on is closed.
    written = tables.write(lines(), source.delimiter)
    return chain([next(written)], written)
