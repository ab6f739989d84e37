"""The phase of people: some hundred at a time are decided and, unless it is a check, written with
their series and the visits that are over.

People come in the order of their keys, whatever the order of the rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import connection

from appointments.importing import deciding, history, known, people, visiting
from appointments.importing.deciding import NOTHING_CHANGED, Decision, Outcome
from appointments.importing.people import Act
from appointments.importing.visiting import KnownVisit, Told, VisitDecision
from appointments.lifecycle import TO_COME
from appointments.models import Appointment, BroughtOver, Import, ImportRow
from appointments.models.importing import SENTENCE_LENGTH
from clinic.retelling import kept, together
from patients.models import Patient

BATCH = 500


@dataclass(slots=True)
class Batch:
    """What became of a batch: `last` is its last key, empty when there was none; `counts` by kind
    of what was written, or would be."""

    last: str = ""
    people: int = 0
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Line:
    """What will be stored of a row."""

    outcome: str
    sentences: list[str]
    patient: int | None = None
    series: int | None = None
    appointment: int | None = None
    session: int | None = None
    waits: bool = False


def count(source: Import) -> int:
    """How many people there are in the file."""
    rows = ImportRow.objects.filter(source=source).exclude(person_key="")
    return rows.values("person_key").distinct().count()


def step(act: Act, *, dry: bool) -> Batch:
    """Decide the next people after the import's cursor, and write them unless it is a check.

    The caller's transaction moves the cursor.
    """
    keys = _next_keys(act.source)
    if not keys:
        return Batch()
    rows = _rows(act.source, keys)
    everybody = [
        deciding.gathered(
            key,
            [(row.number, row.person, row.decision) for row in rows[key]],
            {number for row in rows[key] for number in row.alike},
        )
        for key in keys
    ]
    facts = known.facts_of(act.source, everybody, by=act.by)
    decided = [
        (each, facts[each.key], deciding.decide(each, facts[each.key])) for each in everybody
    ]
    batch = Batch(last=keys[-1], people=len(keys))
    if dry:
        ids = {person.key: decision.patient or 0 for person, _, decision in decided}
    else:
        ids = people.write(act, decided)
    for _, _, decision in decided:
        batch.counts[f"people_{decision.outcome}"] += 1
    lines = _person_lines(decided, rows, ids)
    told = _visits(act, decided, rows)
    _decide_visits(act, told, ids, lines, batch, dry=dry)
    _store(act.source, lines)
    return batch


def _next_keys(source: Import) -> list[str]:
    rows = ImportRow.objects.filter(source=source, person_key__gt=source.cursor)
    keys = rows.order_by("person_key").values_list("person_key", flat=True).distinct()
    return list(keys[:BATCH])


def _rows(source: Import, keys: Sequence[str]) -> Mapping[str, list[ImportRow]]:
    found = defaultdict(list)
    for row in ImportRow.objects.filter(source=source, person_key__in=keys).order_by("number"):
        found[row.person_key].append(row)
    return found


def _person_lines(
    decided: Sequence[people.Decided],
    rows: Mapping[str, Sequence[ImportRow]],
    ids: Mapping[str, int],
) -> dict[int, _Line]:
    """The lines of all rows, as far as their people go."""
    lines = {}
    for person, _, decision in decided:
        first, *others = rows[person.key]
        patient = ids.get(person.key) or None
        for row in rows[person.key]:
            remark = [row.remark] if row.remark else []
            lines[row.number] = _Line(decision.outcome, remark, patient)
        lines[first.number].sentences.append(decision.sentence)
        for row in others:
            if _goes_on(decision):
                lines[row.number].outcome = Outcome.SKIP
                if not row.visit_key:
                    said = kept("The same patient as in row %(row)s.", row=first.number)
                    lines[row.number].sentences.append(said)
            else:
                lines[row.number].sentences.append(decision.sentence)
    return lines


def _goes_on(decision: Decision) -> bool:
    """Whether the visits of this person can be taken."""
    return decision.outcome is Outcome.CREATE or decision.patient is not None


# --- Their visits ---------------------------------------------------------------------------------


def _visits(
    act: Act, decided: Sequence[people.Decided], rows: Mapping[str, Sequence[ImportRow]]
) -> dict[str, list[Told]]:
    """The visits of everybody whose visits can be taken, by key of the person."""
    found = {}
    for person, _, decision in decided:
        if _goes_on(decision):
            told = [_told(row, act.now) for row in rows[person.key] if row.visit_key]
            if told:
                found[person.key] = told
    return found


def _told(row: ImportRow, now: datetime) -> Told:
    assert row.starts_at is not None
    values = row.visit
    if values["state"] == "booked" and row.starts_at <= now:
        # Its time came between the check and the run.
        values = {**values, "state": "done"}
    return Told(row.number, row.visit_key, row.series_key, row.starts_at.astimezone(UTC), values)


def _decide_visits(
    act: Act,
    told: Mapping[str, Sequence[Told]],
    ids: Mapping[str, int],
    lines: dict[int, _Line],
    batch: Batch,
    *,
    dry: bool,
) -> None:
    before = _known_visits(
        act.source, [visit.key for several in told.values() for visit in several]
    )
    dead = _deceased([ids[key] for key in told])
    decisions: dict[int, VisitDecision] = {}
    wanted: list[tuple[Told, int]] = []
    for key, several in told.items():
        found = visiting.decide(several, before, is_deceased=ids[key] in dead)
        decisions |= found
        wanted += [(visit, ids[key]) for visit in several if found[visit.number].writes]
    by_patient: dict[str, list[history.Course]] = {
        key: history.courses([each for each in several if decisions[each.number].writes], ids[key])
        for key, several in told.items()
    }
    courses = [course for several in by_patient.values() for course in several]
    arranged, series = history.arrange(act, courses, before, dry=dry)
    over = [
        (visit, patient)
        for visit, patient in wanted
        if visit.number in arranged.places and not visit.is_to_come
    ]
    written = {} if dry else history.write(act, over, arranged.places)
    batch.counts["series"] += series
    batch.counts["history"] += len(over)
    for number, decision in decisions.items():
        line = lines[number]
        line.outcome = decision.outcome
        if decision.writes:
            line.sentences = [each for each in line.sentences if each != NOTHING_CHANGED]
        line.sentences.append(decision.sentence)
        if number in arranged.refused and decision.writes:
            line.outcome = Outcome.ERROR
            line.sentences.append(arranged.refused[number])
        elif number in arranged.places:
            line.series, line.session = arranged.places[number]
            line.appointment = written.get(number) or decision.appointment
    for visit, _ in wanted:
        lines[visit.number].waits = visit.is_to_come and visit.number in arranged.places
    if not dry and wanted:
        gained = {patient for visit, patient in wanted if visit.number in arranged.places}
        Patient.objects.filter(pk__in=gained).raise_revision()


def _known_visits(source: Import, keys: Sequence[str]) -> dict[str, KnownVisit]:
    records = list(
        BroughtOver.objects.filter(
            site=source.site, kind=BroughtOver.Kind.VISIT, key__in=keys
        ).values_list("key", "said", "subject")
    )
    rows = Appointment.objects.in_bulk([subject for *_, subject in records if subject])
    found = {}
    for key, said, subject in records:
        row = rows.get(subject or 0)
        found[key] = KnownVisit(
            said.get("visit", ""),
            subject,
            is_untouched=row is not None and row.version == 1 and row.state in TO_COME,
            is_history=row is not None and row.is_history,
        )
    return found


def _deceased(patients: Sequence[int]) -> set[int]:
    dead = Patient.objects.filter(pk__in=patients, deceased_at__isnull=False)
    return set(dead.values_list("pk", flat=True))


# --- The rows -------------------------------------------------------------------------------------

_STORE = """
UPDATE appointments_importrow stored
   SET outcome = line.outcome, sentence = line.sentence, patient_id = line.patient,
       series = line.series, appointment = line.appointment, session = line.session,
       waits = line.waits, held = '{}'
  FROM unnest(%s::int[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
              %s::int[], %s::boolean[])
       AS line (number, outcome, sentence, patient, series, appointment, session, waits)
 WHERE stored.source_id = %s AND stored.number = line.number
"""


def _store(source: Import, lines: Mapping[int, _Line]) -> None:
    each = lines.values()
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE,
            [
                list(lines),
                [str(line.outcome) for line in each],
                [together(dict.fromkeys(line.sentences), most=SENTENCE_LENGTH) for line in each],
                [line.patient for line in each],
                [line.series for line in each],
                [line.appointment for line in each],
                [line.session for line in each],
                [line.waits for line in each],
                source.pk,
            ],
        )
