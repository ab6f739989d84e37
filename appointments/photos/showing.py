"""What the pages show of photos: by area and view, with what each may be used for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from appointments.models import AdverseEvent, Appointment, Photo, TreatmentSeries
from appointments.photos import comparing, standard_views
from appointments.photos.comparing import Pair
from clinic.consent_forms import in_force
from clinic.models import ConsentPurpose, ProtocolVersion
from clinic.protocols import loading as protocols
from clinic.saying import gettext, language, noop
from patients.models import Patient
from patients.signing import asking

DEFAULT_AREA = "face"
_USES = {
    ConsentPurpose.PHOTOS_RECORD: noop("Record"),
    ConsentPurpose.PHOTOS_EDUCATION: noop("Teaching"),
    ConsentPurpose.PHOTOS_MARKETING: noop("Advertising"),
}


@dataclass(frozen=True, slots=True)
class Use:
    """One use of photos, and whether the patient agrees to it now."""

    name: str
    is_agreed: bool


@dataclass(frozen=True, slots=True)
class Side:
    """One view of an area with its photos, the newest first; `pair` when two can be compared."""

    id: str
    name: str
    photos: list[Photo]
    pair: Pair | None


@dataclass(frozen=True, slots=True)
class Area:
    id: str
    name: str
    sides: list[Side]


def uses(patient: Patient, *, now: datetime) -> list[Use]:
    """What the patient agrees to, each use apart: the badge of every photo."""
    asked = asking.of({patient.pk: in_force.photos()}, now=now)[patient.pk]
    return uses_among(asked.values())


def uses_among(asked: Iterable[asking.Asked]) -> list[Use]:
    """The same of forms that were looked up already; others may be among them."""
    agreed = {each.form.purpose for each in asked if not each.is_due}
    return [Use(gettext(name), purpose in agreed) for purpose, name in _USES.items()]


def areas_of(patient: Patient) -> dict[str, str]:
    """The areas that are treated or were, by id, with their names."""
    series = TreatmentSeries.objects.filter(patient=patient).select_related("protocol_version")
    names: dict[str, str] = {}
    for each in series:
        known = protocols.get(each.protocol_version).applicability.areas
        names |= {area: known[area].name.get(language()) for area in each.areas if area in known}
    names.pop("visit", None)
    return names or {DEFAULT_AREA: gettext("Face")}


def name_of(area: str, known: Mapping[str, str]) -> str:
    """An area in words: as the patient's series name it (`areas_of`), else as the latest protocol
    that has it does, for a photo may be older than these; else made of its id."""
    if not area or area in known:
        return known.get(area, "")
    having = ProtocolVersion.objects.filter(document__applicability__areas__has_key=area)
    if (version := having.order_by("-created_at", "-pk").first()) is not None:
        return protocols.get(version).applicability.areas[area].name.get(language())
    return area.replace("_", " ").capitalize()


def by_area(patient: Patient, photos: Iterable[Photo]) -> list[Area]:
    """Every area with its standard views, also those without a photo yet."""
    names = areas_of(patient)
    kept: dict[tuple[str, str], list[Photo]] = {}
    for photo in photos:
        kept.setdefault((photo.area, photo.view), []).append(photo)
        if photo.area not in names:
            names[photo.area] = name_of(photo.area, names)
    return [Area(area, name, _sides(area, kept)) for area, name in names.items() if area]


def last_of(patient: Patient, area: str, view: str) -> Photo | None:
    """The photo to hold the next one against."""
    return Photo.objects.standing().filter(patient=patient, area=area, view=view).first()


def of_event(event: AdverseEvent) -> list[Photo]:
    """Those that somebody said show it, the earliest first."""
    return list(event.photos.standing().order_by("taken_at", "pk"))


def to_attach(event: AdverseEvent) -> list[Photo]:
    """What was photographed of its areas since the treatment that it came of, and is said of no
    event yet, the newest first; what nobody has looked at yet is among it."""
    since = event.appointment.starts_at if event.appointment else event.noticed_at
    photos = Photo.objects.standing().filter(
        patient=event.patient_id, taken_at__gte=since, event=None
    )
    return list(photos.filter(area__in=[*event.areas, ""]) if event.areas else photos)


def event_of(patient: Patient, event_id: int) -> AdverseEvent | None:
    return AdverseEvent.objects.filter(pk=event_id, patient=patient).first()


def visit_of(patient: Patient, visit_id: int) -> Appointment | None:
    return Appointment.objects.filter(pk=visit_id, series__patient=patient).first()


def _sides(area: str, kept: dict[tuple[str, str], list[Photo]]) -> list[Side]:
    found = []
    for view in standard_views.of(area):
        photos = kept.get((area, view.id), [])
        found.append(Side(view.id, view.name(language()), photos, comparing.first_and_last(photos)))
    return found
