"""Doing the work of imports, batch by batch: check, run, stop, go on after whatever happened.

A batch and how far it came are one transaction, and the locked row of the import is the leave to
work on it: who dies leaves everything as it was, and the next one goes on from there.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, transaction

from appointments.claiming import allocating
from appointments.claiming.allocating import Lost
from appointments.importing import people_phase, places_phase, staging, uploading
from appointments.importing.decoding import Unreadable
from appointments.importing.naming import ImportBusy
from appointments.importing.people import Act
from appointments.models import Import, ImportPhase, ImportRow, ImportState
from appointments.models.importing import WORKING
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext, noop

log = logging.getLogger(__name__)

SECONDS = 30.0


def check(*, source: Import, by: Staff, now: datetime) -> Import:
    """Begin to look what would become of each row; nothing else is written.

    Raises ImportBusy, and Forbidden when `by` may not import there.
    """
    access.require(by, Capability.IMPORT, source.site)
    with transaction.atomic():
        fresh = _locked(source)
        if fresh.state in WORKING:
            raise ImportBusy(gettext("This import is under way. Stop it first."))
        if not fresh.mapping:
            raise ImportBusy(gettext("Say first what the columns are."))
        if not fresh.file:
            raise ImportBusy(gettext("The file of this import was deleted. Upload it again."))
        ImportRow.objects.filter(source=fresh).delete()
        fresh.rows = 0
        fresh.run_by = by
        _begin(fresh, ImportState.CHECKING, ImportPhase.READING, now)
        _record("import.check", fresh, by=by, now=now)
    return fresh


def run(*, source: Import, by: Staff, now: datetime) -> Import:
    """Begin to write what the check showed; where it was stopped it goes on. What came meanwhile
    is seen as each batch is written.

    Raises ImportBusy unless it was checked, and Forbidden when `by` may not import there.
    """
    access.require(by, Capability.IMPORT, source.site)
    with transaction.atomic():
        fresh = _locked(source)
        if fresh.state != ImportState.CHECKED:
            raise ImportBusy(gettext("Only what was checked can be run. Check the file first."))
        fresh.run_by = by
        _begin(fresh, ImportState.RUNNING, ImportPhase.PEOPLE, now)
        _record("import.run", fresh, by=by, now=now)
    return fresh


def stop(*, source: Import, by: Staff, now: datetime) -> Import:
    """Stop after the batch that is being written; what was written stays. Twice is once.

    Raises Forbidden when `by` may not import there.
    """
    access.require(by, Capability.IMPORT, source.site)
    with transaction.atomic():
        fresh = _locked(source)
        if fresh.state in WORKING:
            fresh.state, fresh.phase, fresh.finished_at = ImportState.CANCELLED, "", now
            fresh.save()
            _record("import.stop", fresh, by=by, now=now)
    return fresh


def work(
    *,
    clock: Callable[[], datetime],
    seconds: float = SECONDS,
    only: Import | None = None,
    told: Callable[[Import], None] = lambda source: None,
) -> int:
    """Work on imports until nothing is to be done or the time is up; how many batches were done.

    `told` hears of every batch.
    """
    ends = time.monotonic() + seconds
    done = 0
    while (source := _step(clock(), only)) is not None:
        done += 1
        told(source)
        if time.monotonic() >= ends:
            break
    return done


def _step(now: datetime, only: Import | None) -> Import | None:
    """One batch of the oldest import that nobody else is at; None when there is none."""
    pk = None
    try:
        with allocating.guarded():
            rows = Import.objects.filter(state__in=WORKING).order_by("started_at", "pk")
            if only is not None:
                rows = rows.filter(pk=only.pk)
            free = rows.select_for_update(skip_locked=True, no_key=True).values_list(
                "pk", flat=True
            )
            pk = free.first()
            if pk is None:
                return None
            source = Import.objects.select_related("site", "run_by", "made_by").get(pk=pk)
            _PHASES[ImportPhase(source.phase)](source, now)
            source.save()
            return source
    except Lost:
        # Somebody booked beside it; the batch is done again.
        return only if only is not None or pk is None else Import.objects.get(pk=pk)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise
    except Exception as fault:
        if pk is None:
            raise
        return _failed(pk, fault, now)


def _failed(pk: int, fault: Exception, now: datetime) -> Import:
    if isinstance(fault, Unreadable):
        problem = fault.sentence
    else:
        # The text of an error may hold what the file says.
        log.error("import %s failed: %s", pk, type(fault).__name__)
        problem = noop(
            "Something unforeseen happened, and the batch was not written. Check the file again;"
            " if it fails again, tell whoever runs the installation."
        )
    with transaction.atomic():
        source = Import.objects.select_for_update(no_key=True).get(pk=pk)
        source.state, source.phase, source.problem = ImportState.FAILED, "", problem
        source.finished_at = now
        source.save()
    return source


# --- Phases ---------------------------------------------------------------------------------------


def _read(source: Import, now: datetime) -> None:
    read = staging.read_on(source, now=now)
    source.rows += read
    source.done = source.rows
    if read < staging.BATCH:
        _next(source, ImportPhase.COMPARING, 0)


def _compare(source: Import, now: datetime) -> None:
    staging.compare(source)
    _next(source, ImportPhase.PEOPLE, people_phase.count(source))


def _people(source: Import, now: datetime) -> None:
    batch = people_phase.step(_act(source, now), dry=_is_dry(source))
    if batch.people:
        source.cursor = batch.last
        source.done += batch.people
        _add(source, batch.counts)
    if batch.people < people_phase.BATCH:
        _next(source, ImportPhase.PLACES, places_phase.count(source))


def _places(source: Import, now: datetime) -> None:
    batch = places_phase.step(_act(source, now), dry=_is_dry(source))
    if batch.visits:
        source.cursor = batch.last
        source.done += batch.visits
        _add(source, batch.counts)
    if batch.visits < places_phase.BATCH:
        _finish(source, now)


_PHASES: dict[ImportPhase, Callable[[Import, datetime], None]] = {
    ImportPhase.READING: _read,
    ImportPhase.COMPARING: _compare,
    ImportPhase.PEOPLE: _people,
    ImportPhase.PLACES: _places,
}


def _finish(source: Import, now: datetime) -> None:
    is_dry = _is_dry(source)
    source.state = ImportState.CHECKED if is_dry else ImportState.DONE
    source.phase, source.cursor, source.finished_at = "", "", now
    if not is_dry:
        _record("import.finish", source, by=source.run_by or source.made_by, now=now)


def _begin(source: Import, state: ImportState, phase: ImportPhase, now: datetime) -> None:
    source.state, source.problem = state, ""
    source.started_at, source.finished_at = now, None
    source.counts = {}
    _next(source, phase, people_phase.count(source) if phase == ImportPhase.PEOPLE else 0)
    source.save()


def _next(source: Import, phase: ImportPhase, total: int) -> None:
    source.phase, source.cursor, source.done, source.total = phase, "", 0, total


def _add(source: Import, counts: Counter[str]) -> None:
    source.counts = dict(Counter(source.counts) + counts)


def _act(source: Import, now: datetime) -> Act:
    return Act(source, source.run_by or source.made_by, now)


def _is_dry(source: Import) -> bool:
    return source.state == ImportState.CHECKING


def _locked(source: Import) -> Import:
    Import.objects.select_for_update(no_key=True).only("pk").get(pk=source.pk)
    return Import.objects.select_related("site", "run_by", "made_by").get(pk=source.pk)


def _record(action: str, source: Import, *, by: Staff, now: datetime) -> None:
    audit.record(
        action=action,
        subject=source,
        by=by,
        now=now,
        site=source.site,
        after={"rows": source.rows, **source.counts},
    )


def tidy(*, now: datetime) -> int:
    """Delete files that were kept long enough; how many."""
    return uploading.delete_old(now=now)
