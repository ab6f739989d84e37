"""Taking and closing tasks: who does it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from appointments.models import Task
from appointments.refusals import Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext

OUTCOME_LENGTH = 200


class TaskRefused(Refused):
    """The task is not to be taken or closed like that; `sentence` says why."""

    code = "task_refused"

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@transaction.atomic
def take(*, task: Task, by: Staff, now: datetime, over: bool = False) -> Task:
    """Make `by` the owner; `over` takes it from somebody who has it.

    Raises Forbidden, and TaskRefused when it is closed or somebody else's.
    """
    stored = _open(task, by)
    if stored.owner_id not in (None, by.pk) and not over:
        raise TaskRefused(
            gettext("%(owner)s has taken this task already.") % {"owner": stored.owner}
        )
    if stored.owner_id != by.pk:
        before = {"owner": stored.owner_id}
        stored.owner = by
        stored.save(update_fields=["owner"])
        _record("task.take", stored, by=by, now=now, before=before, after={"owner": by.pk})
    return stored


@transaction.atomic
def close(*, task: Task, by: Staff, now: datetime, outcome: str) -> Task:
    """Close it with what came of it, in one line.

    Raises Forbidden, and TaskRefused without an outcome or when it is closed already.
    """
    outcome = " ".join(outcome.replace("\x00", " ").split())
    if not outcome:
        raise TaskRefused(gettext("Write in a few words what came of it."), field="outcome")
    if len(outcome) > OUTCOME_LENGTH:
        raise TaskRefused(
            gettext("Write at most %(outcome_length)s characters.")
            % {"outcome_length": OUTCOME_LENGTH},
            field="outcome",
        )
    stored = _open(task, by)
    stored.closed_at, stored.closed_by, stored.outcome = now, by, outcome
    stored.save(update_fields=["closed_at", "closed_by", "outcome"])
    _record("task.close", stored, by=by, now=now, before={}, after={"outcome": outcome})
    return stored


def _open(task: Task, by: Staff) -> Task:
    access.require(by, Capability.RUN_VISIT, task.site)
    stored = Task.objects.select_for_update(of=("self",)).select_related("site").get(pk=task.pk)
    if stored.closed_at is not None:
        raise TaskRefused(gettext("This task is closed already."))
    return stored


def _record(
    action: str,
    task: Task,
    *,
    by: Staff,
    now: datetime,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    audit.record(
        action=action,
        subject=task,
        by=by,
        now=now,
        site=task.site,
        patient_id=task.patient_id,
        before=before,
        after=after,
    )
