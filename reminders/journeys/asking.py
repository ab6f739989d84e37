"""Asking staff for what plans want done: tasks follow the plans, for many patients at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from appointments.models import Task, TaskKind
from clinic import statements
from clinic.saying import noop
from reminders.planning.wish import TaskWish

NO_LONGER_NEEDED = noop("No longer needed: the plan changed.")
_CHANGE = """
UPDATE appointments_task AS task
   SET due_at = wanted.due_at, why = wanted.why, closed_at = NULL, outcome = ''
  FROM json_to_recordset(%s::json) AS wanted (id bigint, due_at timestamptz, why jsonb)
 WHERE task.id = wanted.id AND (task.closed_at IS NULL OR task.outcome = %s)
"""


def ask(wanted: Mapping[int, Sequence[TaskWish]], *, now: datetime) -> None:
    """Open, change and close the tasks that plans made, by patient; work done by staff stays as it
    is, also what they close meanwhile: no task is locked before it is written."""
    stored: defaultdict[int | None, dict[str, Task]] = defaultdict(dict)
    for task in Task.objects.filter(patient__in=wanted, key__startswith="plan."):
        stored[task.patient_id][task.key] = task
    opened, changed, gone = [], [], []
    for patient, wishes in wanted.items():
        known = stored[patient]
        wished = {f"plan.{wish.key}": wish for wish in wishes}
        opened += [
            _task(patient, key, wish, now=now) for key, wish in wished.items() if key not in known
        ]
        changed += [
            {"id": task.pk, "due_at": wished[key].due_at, "why": wished[key].why}
            for key, task in known.items()
            if key in wished and _is_behind(task, wished[key])
        ]
        gone += [task.pk for key, task in known.items() if key not in wished and not task.closed_at]
    statements.add(*opened)
    if changed:
        statements.run(_CHANGE, [statements.document(changed), NO_LONGER_NEEDED])
    dropped = Task.objects.filter(pk__in=gone, closed_at=None)
    dropped.update(closed_at=now, outcome=NO_LONGER_NEEDED)


def _is_behind(task: Task, wish: TaskWish) -> bool:
    """Whether a task is still the plan's and not what that wants."""
    if task.closed_at is not None:
        return task.outcome == NO_LONGER_NEEDED
    return (task.due_at, task.why) != (wish.due_at, list(wish.why))


def _task(patient_id: int, key: str, wish: TaskWish, *, now: datetime) -> Task:
    return Task(
        key=key,
        site_id=wish.site_id,
        patient_id=patient_id,
        appointment_id=wish.visit_id or None,
        kind=TaskKind.CALL,
        title=wish.title,
        detail=wish.detail,
        why=list(wish.why),
        due_at=wish.due_at,
        created_at=now,
    )
