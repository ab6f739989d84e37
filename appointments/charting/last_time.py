"""What was done the last time that this visit's areas were treated by its protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace

from appointments.charting import copying
from appointments.charting.gist import gist
from appointments.charting.sheets import signed_before, signed_of
from appointments.models import Addendum, Appointment, Photo
from clinic.protocols import loading as protocols

MOST_PHOTOS = 3


@dataclass(frozen=True, slots=True)
class LastTime:
    """`visit` is that of the signed log, None when there is none; `settings` are as corrected
    since by its `addenda`; `photos` are the latest of its areas, the newest first."""

    visit: Appointment | None
    settings: tuple[str, ...]
    photos: tuple[Photo, ...]
    addenda: tuple[Addendum, ...] = ()


def last_time(visit: Appointment) -> LastTime:
    """As it was before `visit`, in two queries and one for the addenda."""
    areas = visit.series.areas
    taken = Photo.objects.standing().filter(
        patient=visit.series.patient_id, area__in=areas, taken_at__lt=visit.starts_at
    )
    photos = tuple(taken[:MOST_PHOTOS])
    logs = signed_before(visit, visit.protocol_version.protocol).filter(treated__overlap=areas)
    record = logs.select_related("appointment__site", "protocol_version").first()
    if record is None:
        return LastTime(None, (), photos)
    log = copying.corrected(signed_of(record))
    zones = {area: values for area, values in log.zones.items() if area in areas}
    settings = gist(protocols.get(record.protocol_version), replace(log, zones=zones))
    return LastTime(record.appointment, settings, photos, tuple(record.addenda.all()))
