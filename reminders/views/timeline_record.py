"""What the record adds to the journey of a patient: the logs of visits, and photos by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from appointments.charting import copying
from appointments.charting.gist import gist
from appointments.charting.sheets import signed_of
from appointments.models import Appointment, Photo, TreatmentRecord
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.protocols import loading as protocols
from clinic.wall_time import local
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class LogLine:
    """A log in a few words: the settings that tell it, as corrected since, for who treats."""

    record: TreatmentRecord
    settings: tuple[str, ...]
    addenda: int


def logs_of(visits: Sequence[Appointment], staff: Staff) -> dict[int, LogLine]:
    """The logs of these visits by the id of the visit."""
    rows = TreatmentRecord.objects.filter(appointment__in=visits).prefetch_related("addenda")
    at = {visit.pk: visit for visit in visits}
    lines = {}
    for record in rows.select_related("protocol_version"):
        visit = at[record.appointment_id]
        log = copying.corrected(signed_of(record))
        may_see = access.can(staff, Capability.CHART, visit.site)
        lines[visit.pk] = LogLine(
            record,
            gist(protocols.get(record.protocol_version), log) if may_see else (),
            len(record.addenda.all()),
        )
    return lines


def photos_by_day(patient: Patient) -> list[tuple[Photo, ...]]:
    """The photos that stand, the latest first, those of one local day together."""
    taken = Photo.objects.standing().filter(patient=patient).select_related("site")
    days = groupby(
        taken.order_by("-taken_at", "-id"),
        key=lambda each: (local(each.taken_at, each.site.zone).date(), each.site_id),
    )
    return [tuple(photos) for _, photos in days]
