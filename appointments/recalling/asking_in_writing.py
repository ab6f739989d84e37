"""Asking patients back in writing, several at once, and taking that back.

That they are asked is a fact which planning reads; what is sent, when and whether is not decided
here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from appointments.models import RecallAttempt, RecallOutcome, TreatmentSeries
from appointments.recalling import listing
from appointments.recalling.asking import AGAIN_AFTER
from appointments.recalling.listing import Due
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.wall_time import local
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class ToWrite:
    """Who is due, and the channel to write on: "sms" or "email"."""

    due: Due
    channel: str


def write(
    *, site: Site, wanted: Sequence[ToWrite], by: Staff, now: datetime
) -> list[RecallAttempt]:
    """Store that these patients are asked back; they are on the list again after a week.

    Who was asked since the list was read, or has an open adverse event, is left out. Raises
    Forbidden unless `by` may book and manage messages at the site.
    """
    _require(by, site)
    again_on = local(now, site.zone).date() + AGAIN_AFTER[RecallOutcome.WRITTEN]
    with transaction.atomic():
        ids = [each.due.series.pk for each in wanted]
        rows = TreatmentSeries.objects.select_for_update(no_key=True).filter(pk__in=ids, site=site)
        locked = set(rows.order_by("pk").values_list("pk", flat=True))
        # Somebody else may have asked them since the list was read.
        due = listing.due_at(site, by, now=now)
        still = {each.series.pk for each in due if not each.has_open_event}
        made = RecallAttempt.objects.bulk_create(
            RecallAttempt(
                series=each.due.series,
                at=now,
                by=by,
                outcome=RecallOutcome.WRITTEN,
                again_on=again_on,
                cause=each.due.cause,
                session=each.due.session,
                channel=each.channel,
            )
            for each in wanted
            if each.due.series.pk in locked & still
        )
        for attempt in made:
            _record("recall.write", attempt, site, by=by, now=now)
        _plan_anew(made)
        return made


def take_back(*, attempts: Collection[int], by: Staff, now: datetime) -> list[RecallAttempt]:
    """Let these (ids) not have been written to: who was not told yet never is. Twice is once.

    Raises Forbidden, as `write`.
    """
    with transaction.atomic():
        rows = list(
            RecallAttempt.objects.select_for_update(of=("self",))
            .select_related("series__site")
            .filter(pk__in=attempts, taken_back_at=None, outcome=RecallOutcome.WRITTEN)
            .order_by("pk")
        )
        for row in rows:
            _require(by, row.series.site)
            row.taken_back_at = now
            row.save(update_fields=["taken_back_at"])
            _record("recall.take_back", row, row.series.site, by=by, now=now)
        _plan_anew(rows)
        return rows


def _require(by: Staff, site: Site) -> None:
    access.require(by, Capability.BOOK, site)
    access.require(by, Capability.MANAGE_MESSAGES, site)


def _plan_anew(attempts: Iterable[RecallAttempt]) -> None:
    patients = {attempt.series.patient_id for attempt in attempts}
    Patient.objects.filter(pk__in=patients).raise_revision()


def _record(action: str, attempt: RecallAttempt, site: Site, *, by: Staff, now: datetime) -> None:
    audit.record(
        action=action,
        subject=attempt,
        by=by,
        now=now,
        site=site,
        patient_id=attempt.series.patient_id,
        after={"cause": attempt.cause, "channel": attempt.channel},
    )
