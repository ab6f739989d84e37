"""What the demo's patients signed, and photos of a few of them: gradients, for nobody is shown."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from PIL import Image, ImageFilter

from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.photos import adding, standard_views
from clinic.consent_forms import loading, publishing
from clinic.models import ConsentForm, ConsentPurpose, Staff
from config.demo_data.house import House
from patients.models import Patient
from patients.signing import asking, signing

# A wave with a flourish: enough of a signature for a demo.
_DRAWN = (
    "M40 120L55 60L70 130L90 70L105 125L125 80L140 120L170 95L200 110L235 88L270 112L310 90"
    "M60 150L330 140"
)
SIGNERS, PHOTOGRAPHED = 14, 3
_SIZE = (720, 960)


def publish_forms(*, lead: Staff, since: datetime) -> None:
    """The forms that come with the product, before patients since the house opened. The one of
    IPL is still a draft, so that a lead has something to read and publish."""
    loading.load_library(now=since)
    for draft in ConsentForm.objects.exclude(protocol="ipl"):
        publishing.publish(draft=draft, seen=draft.digest, asks_anew=True, by=lead, now=since)


def sign(house: House, patients: Mapping[int, Patient], *, now: datetime) -> None:
    """A few patients signed before their first visit and agree to photos; some have some taken."""
    visits = Appointment.objects.filter(
        series__patient__in=[patient.pk for patient in patients.values()],
        protocol_version__kind="series",
        starts_at__lt=now,
        state=State.DONE,
    ).exclude(protocol_version__protocol__in=("ipl", "consultation"))
    seen: dict[int, list[Appointment]] = {}
    for visit in visits.select_related("series__patient", "site", "protocol_version").order_by(
        "starts_at", "pk"
    ):
        seen.setdefault(visit.series.patient_id, []).append(visit)
    adults = [each for each in seen.values() if each[0].series.patient.age_on(now.date()) >= 18]
    for number, past in enumerate(adults[:SIGNERS]):
        _signs(house, past[0], with_photos=number < PHOTOGRAPHED)
    photographed = sorted(adults[:SIGNERS][:PHOTOGRAPHED], key=len)
    for number, past in enumerate(photographed):
        _are_taken(house, past, number)


def _signs(house: House, visit: Appointment, *, with_photos: bool) -> None:
    patient, at = visit.series.patient, visit.starts_at - timedelta(minutes=20)
    asked = asking.of_patient(patient, [visit.protocol_version.protocol], now=at)
    wanted = {ConsentPurpose.TREATMENT, *([ConsentPurpose.PHOTOS_RECORD] if with_photos else [])}
    signing.sign(
        patient=patient,
        forms=[each.form for each in asked if each.form.purpose in wanted],
        signature=signing.Signature(
            f"{patient.legal_given} {patient.legal_family}", path=_DRAWN if with_photos else ""
        ),
        language=patient.language,
        site=visit.site,
        handed_by=house.front_desk(visit.site.slug),
        ip="203.0.113.20",
        now=at,
    )


def _are_taken(house: House, past: Sequence[Appointment], number: int) -> None:
    """The first two views of the area at each of the last visits."""
    by = house.front_desk(past[0].site.slug)
    for count, visit in enumerate(past[-2:]):
        area = visit.series.areas[0]
        for view in standard_views.of(area)[:2]:
            adding.add(
                patient=visit.series.patient,
                site=visit.site,
                area=area,
                view=view.id,
                content=_gradient(number, count, view.id),
                by=by,
                now=visit.starts_at,
                appointment=visit,
            )


def _gradient(patient: int, visit: int, view: str) -> bytes:
    """Soft colours of a skin that becomes more even from visit to visit."""
    base = Image.linear_gradient("L").resize(_SIZE)
    if view in ("left", "oblique_left"):
        base = base.transpose(Image.Transpose.ROTATE_90).resize(_SIZE)
    tone = 150 + 25 * patient
    spots = Image.effect_noise(_SIZE, 40 - 15 * visit).filter(ImageFilter.GaussianBlur(6))
    picture = Image.merge(
        "RGB",
        (
            base.point([min(255, tone + each // 4) for each in range(256)]),
            Image.blend(base.point([tone - 40 + each // 5 for each in range(256)]), spots, 0.15),
            base.point([tone - 60 + each // 5 for each in range(256)]),
        ),
    )
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=80)
    return kept.getvalue()
