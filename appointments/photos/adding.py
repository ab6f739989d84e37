"""Adding photos: by staff, with the area and the view that they show, or by the patient."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from appointments.models import AdverseEvent, Appointment, Photo
from appointments.models.photo import PhotoSource
from appointments.photos import keeping, preparing, standard_views
from appointments.photos.preparing import Picture
from appointments.refusals import Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import ConsentPurpose, Site, Staff
from clinic.saying import gettext
from clinic.wall_time import WallTimeMissing, resolve
from patients.models import Patient
from patients.signing import asking

# As many photos a patient may have waiting to be looked at.
MOST_WAITING = 30


class NoPhotoConsent(Refused):
    code = "no_photo_consent"
    field = "patient"

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "The patient has not agreed to photos for the record. Hand the tablet over to sign."
            )
        )


class UnknownView(Refused):
    code = "unknown_view"
    field = "view"


class OtherPatientsEvent(Refused):
    code = "other_patients_event"
    field = "event"


class PhotoKnown(Refused):
    """The same file was added before."""

    code = "photo_known"
    field = "file"

    def __init__(self) -> None:
        super().__init__(gettext("This very photo is in the record already."))


class TooManyWaiting(Refused):
    code = "too_many_waiting"
    field = "file"

    def __init__(self) -> None:
        super().__init__(
            gettext("Many photos wait to be looked at. Send more once the clinic has done so.")
        )


def add(
    *,
    patient: Patient,
    site: Site,
    area: str,
    view: str,
    content: bytes,
    by: Staff,
    now: datetime,
    appointment: Appointment | None = None,
    event: AdverseEvent | None = None,
    is_from_camera: bool = False,
) -> Photo:
    """Keep a photo that staff took or were given. `appointment` is the visit at which it was taken,
    `event` the adverse event that it shows.

    Raises Forbidden, NoPhotoConsent, UnknownView, OtherPatientsEvent, PictureRefused, PhotoKnown.
    """
    access.require(by, Capability.RUN_VISIT, site)
    require_view(area, view)
    require_event_of(patient.pk, event)
    return _kept(
        Photo(
            patient=patient,
            site=site,
            appointment=appointment,
            event=event,
            area=area,
            view=view,
            source=PhotoSource.CAMERA if is_from_camera else PhotoSource.UPLOAD,
            added_by=by,
        ),
        content,
        now,
    )


def receive(
    *,
    patient: Patient,
    site: Site,
    content: bytes,
    now: datetime,
    appointment: Appointment | None = None,
) -> Photo:
    """Keep a photo that the patient sent by their link. It waits until staff say what it shows.

    Raises NoPhotoConsent, PictureRefused, PhotoKnown and TooManyWaiting.
    """
    if Photo.objects.to_review().filter(patient=patient).count() >= MOST_WAITING:
        raise TooManyWaiting
    return _kept(
        Photo(patient=patient, site=site, appointment=appointment, source=PhotoSource.PATIENT),
        content,
        now,
    )


def require_view(area: str, view: str) -> None:
    if not area or not standard_views.is_view_of(view, area):
        raise UnknownView(gettext("Choose from which side the area is shown."))


def require_event_of(patient_id: int, event: AdverseEvent | None) -> None:
    if event is not None and event.patient_id != patient_id:
        raise OtherPatientsEvent(gettext("This adverse event is another patient's."))


def _kept(photo: Photo, content: bytes, now: datetime) -> Photo:
    if not asking.agrees(photo.patient.pk, ConsentPurpose.PHOTOS_RECORD, now=now):
        raise NoPhotoConsent
    picture = preparing.prepare(content)
    photo.key, photo.digest = uuid4(), picture.digest
    photo.width, photo.height = picture.width, picture.height
    photo.added_at = now
    photo.taken_at, photo.is_dated = _taken_at(picture, photo.site.zone, now)
    keeping.keep(photo.key, picture.renditions)
    try:
        with transaction.atomic():
            _store(photo, now)
    except BaseException:
        keeping.discard(photo.key)
        raise
    return photo


def _store(photo: Photo, now: datetime) -> None:
    """One writer at a time for a patient: a file is not added twice, and a consent that is being
    withdrawn is heard."""
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=photo.patient.pk)
    if Photo.objects.standing().filter(patient=photo.patient, digest=photo.digest).exists():
        raise PhotoKnown
    if not asking.agrees(photo.patient.pk, ConsentPurpose.PHOTOS_RECORD, now=now):
        raise NoPhotoConsent
    photo.save(force_insert=True)
    audit.record(
        action="photo.add",
        subject=photo,
        by=photo.added_by,
        now=now,
        site=photo.site,
        patient_id=photo.patient.pk,
        after={"area": photo.area, "view": photo.view, "source": photo.source},
    )


def _taken_at(picture: Picture, zone: str, now: datetime) -> tuple[datetime, bool]:
    """When it was taken, and whether the picture told so. A wall time without a zone is the site's;
    what a camera with a wrong clock says of the future, or of long ago, is not believed."""
    taken = picture.taken
    if taken is None:
        return now, False
    if taken.tzinfo is None:
        try:
            taken = resolve(taken, zone, fold=0)
        except WallTimeMissing as missing:
            taken = missing.next
    if not now - timedelta(days=20 * 365) <= taken <= now:
        return now, False
    return taken, True
