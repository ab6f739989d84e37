"""Reading a file into rows that wait to be decided, some thousands at a time by COPY.

Then the rows of different people who may be one person are found, by the rule of the front desk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice

from django.db import connection

from appointments.importing import house, rows, tables, uploading
from appointments.importing.rows import Row
from appointments.models import Import, ImportRow, RowOutcome
from appointments.models.importing import SENTENCE_LENGTH
from clinic.retelling import together
from patients.naming import folded

BATCH = 5000
_REMARK_LENGTH = 300
_COLUMNS = (
    "source_id, number, person_key, visit_key, series_key, starts_at, person, visit, decision,"
    " alike, remark, outcome, sentence, waits, held"
)


def read_on(source: Import, *, now: datetime) -> int:
    """Read the next rows of the file; how many. The caller's transaction moves the import on."""
    place = {name: source.columns.index(column) for name, column in source.mapping.items()}
    known = house.of(source, now=source.started_at or now)
    with uploading.opened(source) as stream:
        # Rows read so far are read again and left: parsing them is what takes long.
        records = tables.records(stream, uploading.layout_of(source))
        batch = list(islice(records, source.rows, source.rows + BATCH))
    found = []
    for record in batch:
        if record.problem:
            found.append(Row(record.number, problems=[record.problem]))
        else:
            cells = {name: record.cells[each] for name, each in place.items()}
            found.append(rows.read(record.number, cells, known, source.mapping))
    _store(source, found)
    return len(batch)


def _store(source: Import, found: Iterable[Row]) -> None:
    with connection.cursor() as cursor:
        copying = f"COPY {ImportRow._meta.db_table} ({_COLUMNS}) FROM STDIN"
        with cursor.copy(copying) as copy:
            for row in found:
                copy.write_row(_written(source, row))


def _written(source: Import, row: Row) -> Sequence[object]:
    is_wrong = bool(row.problems)
    return (
        source.pk,
        row.number,
        # What cannot be read is nobody's.
        "" if is_wrong else row.person_key,
        "" if is_wrong else row.visit_key,
        "" if is_wrong else row.series_key,
        row.starts_at.astimezone(UTC) if row.starts_at and not is_wrong else None,
        json.dumps(_named(row) if is_wrong else row.person),
        json.dumps({} if is_wrong else row.visit),
        row.decision,
        "[]",
        together(row.notes, most=_REMARK_LENGTH),
        RowOutcome.ERROR if is_wrong else "",
        together(row.problems, most=SENTENCE_LENGTH),
        False,
        "{}",
    )


def _named(row: Row) -> dict[str, str]:
    """By what somebody finds a row again that cannot be read. It is of no patient, so an erasure
    does not reach it: it goes with the file."""
    return {each: row.person[each] for each in ("given", "family", "outside") if each in row.person}


# The rule of `registration.possible_duplicates` among the people of one file: the same birth date
# with the same family or given name, or the same number with either. Folding is done here, because
# the database has no unaccent.
_ALIKE = """
WITH person AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::text[], %(rows)s::int[], %(given)s::text[], %(family)s::text[],
                         %(born)s::text[], %(phones)s::text[])
           AS person (key, number, given, family, born, phone)
), pair AS (
    SELECT one.key, other.number
      FROM person one JOIN person other ON other.born = one.born AND other.key <> one.key
     WHERE other.given = one.given OR other.family = one.family
     UNION
    SELECT one.key, other.number
      FROM person one JOIN person other ON other.phone = one.phone AND other.key <> one.key
     WHERE one.phone <> '' AND (other.given = one.given OR other.family = one.family)
), alike AS (
    SELECT key, jsonb_agg(number ORDER BY number) AS numbers FROM pair GROUP BY key
)
UPDATE appointments_importrow waiting SET alike = alike.numbers
  FROM alike WHERE waiting.source_id = %(source)s AND waiting.person_key = alike.key
"""
_PEOPLE = """
SELECT DISTINCT ON (person_key) person_key, number, person->>'given', person->>'family',
       person->>'birth_date', coalesce(person->>'phone', '')
  FROM appointments_importrow
 WHERE source_id = %s AND person_key <> '' AND person ? 'birth_date'
 ORDER BY person_key, number
"""


def compare(source: Import) -> None:
    """Find the rows of others who may be the same person."""
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, [source.pk])
        people = cursor.fetchall()
        keys, numbers, given, family, born, phones = (
            zip(*people, strict=True) if people else [()] * 6
        )
        cursor.execute(
            _ALIKE,
            {
                "source": source.pk,
                "keys": list(keys),
                "rows": list(numbers),
                "given": [folded(each or "") for each in given],
                "family": [folded(each or "") for each in family],
                "born": list(born),
                "phones": list(phones),
            },
        )
