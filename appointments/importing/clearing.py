"""What stands between a patient and a visit to come that a file brings: said, and kept as work.

The former system has booked it, so it is placed all the same; who starts it is asked anew. What
is merely lacking (an answer, a signature) is shown on the visit as ever, and not said here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appointments import clearance
from appointments.clearance import Bar, Treatment
from appointments.importing.people import Act
from appointments.models import Appointment, ImportRow, Task, TaskKind
from clinic.models import ProtocolVersion
from clinic.retelling import kept, together
from clinic.saying import noop
from clinic.wall_time import local
from patients.models import Patient


def barred(act: Act, rows: Sequence[ImportRow]) -> dict[int, tuple[str, ...]]:
    """By row, the sentences of what bars its visit on its day, of patients who are known here."""
    patients = Patient.objects.in_bulk([row.patient_id for row in rows if row.patient_id])
    known = [row for row in rows if row.patient_id in patients]
    versions = ProtocolVersion.objects.in_bulk({row.visit["version"] for row in known})
    treatments = [
        Treatment(
            patient=patients[row.patient_id or 0],
            site=act.source.site,
            version=versions[row.visit["version"]],
            areas=row.visit["areas"],
            # A check has written no series yet.
            visit=Appointment(series_id=row.series or 0),
        )
        for row in known
    ]
    found = zip(known, clearance.standing(treatments, now=act.now), strict=True)
    said = {row.number: _said(act, row, bars) for row, bars in found}
    return {number: sentences for number, sentences in said.items() if sentences}


def _said(act: Act, row: ImportRow, bars: Sequence[Bar]) -> tuple[str, ...]:
    assert row.starts_at is not None
    day = local(row.starts_at, act.source.site.zone).date()
    standing = [
        bar.stored
        for bar in bars
        if not bar.passes_with and any(bar.bars(each, day) for each in bar.acts)
    ]
    return tuple(dict.fromkeys(standing))


def keep_as_work(act: Act, rows: Sequence[ImportRow], said: Mapping[int, Sequence[str]]) -> None:
    """A task for each visit that was placed and is barred; once, however often the file comes."""
    site = act.source.site
    Task.objects.bulk_create(
        [
            Task(
                key=f"import.barred.{site.pk}.{row.visit_key}",
                site=site,
                patient_id=row.patient_id,
                appointment_id=row.appointment,
                kind=TaskKind.CHECK,
                title=kept(
                    "Session %(session)s was booked in the former system, and is barred",
                    session=row.session or 0,
                ),
                detail=together(said[row.number]),
                why=[noop("It was brought over as it was booked; it cannot be started like this.")],
                due_at=act.now,
                created_at=act.now,
            )
            for row in rows
            if row.number in said
        ],
        ignore_conflicts=True,
    )
