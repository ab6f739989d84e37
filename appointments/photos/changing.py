"""Saying what a photo shows, and taking it out of the record."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from appointments.models import AdverseEvent, Appointment, Photo
from appointments.photos.adding import require_event_of, require_view
from appointments.refusals import ReasonMissing, Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext


class PhotoRemoved(Refused):
    """Somebody took the photo out meanwhile."""

    code = "photo_removed"
    field = "photo"

    def __init__(self) -> None:
        super().__init__(gettext("This photo was taken out of the record."))


@transaction.atomic
def review(
    *,
    photo: Photo,
    area: str,
    view: str,
    by: Staff,
    now: datetime,
    appointment: Appointment | None = None,
) -> Photo:
    """Say which area and view a photo shows, and at which visit, if any.

    Raises Forbidden, UnknownView and PhotoRemoved.
    """
    access.require(by, Capability.RUN_VISIT, photo.site)
    require_view(area, view)
    row = _locked(photo)
    before = {"area": row.area, "view": row.view}
    row.area, row.view, row.appointment = area, view, appointment or row.appointment
    row.reviewed_at, row.reviewed_by = now, by
    row.save(update_fields=["area", "view", "appointment", "reviewed_at", "reviewed_by"])
    audit.record(
        action="photo.review",
        subject=row,
        by=by,
        now=now,
        site=row.site,
        patient_id=row.patient_id,
        before=before,
        after={"area": area, "view": view},
    )
    return row


@transaction.atomic
def attach(*, photo: Photo, event: AdverseEvent | None, by: Staff, now: datetime) -> Photo:
    """Say that a photo shows an adverse event of its patient, or none.

    Raises Forbidden, OtherPatientsEvent and PhotoRemoved.
    """
    access.require(by, Capability.RUN_VISIT, photo.site)
    require_event_of(photo.patient_id, event)
    row = _locked(photo)
    before = row.event_id
    row.event = event
    row.save(update_fields=["event"])
    audit.record(
        action="photo.attach",
        subject=row,
        by=by,
        now=now,
        site=row.site,
        patient_id=row.patient_id,
        before={"event": before},
        after={"event": row.event_id},
    )
    return row


@transaction.atomic
def remove(*, photo: Photo, reason: str, by: Staff, now: datetime) -> None:
    """Take a photo out of the record. Its row stays with who and why, its files with it; nobody is
    shown it any more.

    Raises Forbidden, ReasonMissing and PhotoRemoved.
    """
    access.require(by, Capability.CHART, photo.site)
    why = reason.strip()[:500]
    if not why:
        raise ReasonMissing(gettext("Write why the photo is taken out; it is kept."))
    row = _locked(photo)
    row.removed_at, row.removed_by, row.removed_reason = now, by, why
    row.save(update_fields=["removed_at", "removed_by", "removed_reason"])
    audit.record(
        action="photo.remove",
        subject=row,
        by=by,
        now=now,
        site=row.site,
        patient_id=row.patient_id,
        before={"area": row.area, "view": row.view},
        reason=why,
    )


def _locked(photo: Photo) -> Photo:
    rows = Photo.objects.standing().select_for_update(of=("self",), no_key=True)
    row = rows.select_related("site").filter(pk=photo.pk).first()
    if row is None:
        raise PhotoRemoved
    return row
