"""What the database sorts out of signatures is what signing judges of each patient."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import pytest

from appointments.models import Appointment, TreatmentSeries
from clinic.models import ConsentForm, ProtocolVersion, Resource, ResourceKind, Site, Staff
from patients.models import Patient, SignedForm
from patients.models.signed_form import Signer, SigningPlace, SigningWay
from reminders.views import forms_to_sign
from reminders.views.forms_to_sign import RUNS_OUT, UNSIGNED
from tests.patients.signing.conftest import publish

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# How long each edition's signatures count, in ISO and about; the second asks everybody anew.
EDITIONS = (("P1Y", 365), ("P6M", 182), ("P1M2W", 44), ("PT240H", 10), ("", 0))
# When a signature ends, counted from now: about this moment, about the month ahead, and far off.
LEFT = [
    timedelta(days=days, hours=5) for days in (-400, -4, -2, -1, 0, 1, 2, 4, 28, 32, 36, 70, 90)
]


def signed(patient: Patient, form: ConsentForm, site: Site, at: datetime) -> SignedForm:
    return SignedForm(
        patient=patient,
        form=form,
        language="en",
        site=site,
        signer=Signer.PATIENT,
        signer_name="Pat",
        way=SigningWay.TYPED,
        place=SigningPlace.LINK,
        signed_at=at,
        sheet=b"",
    )


def under_way(
    site: Site, version: ProtocolVersion, count: int, now: datetime
) -> list[TreatmentSeries]:
    resources = Resource.objects.bulk_create(
        Resource(kind=ResourceKind.PATIENT) for _ in range(count)
    )
    patients = Patient.objects.bulk_create(
        Patient(
            legal_given="Pat",
            legal_family="Ode",
            birth_date=now.date(),
            resource=each,
            created_at=now,
        )
        for each in resources
    )
    return TreatmentSeries.objects.bulk_create(
        TreatmentSeries(
            patient=each,
            site=site,
            protocol_version=version,
            areas=["face"],
            sessions=1,
            booked_at=now,
        )
        for each in patients
    )


def test_all_are_found_whose_signature_is_lacking_or_ends_and_nobody_else(
    site: Site, protocol: ProtocolVersion, clinical_lead: Staff, now: datetime
) -> None:
    forms = [
        publish(clinical_lead, now - 500 * DAY, note=str(n), valid_for=valid, asks_anew=n == 1)
        for n, (valid, _) in enumerate(EDITIONS)
    ]
    cases = list(product(range(len(forms)), LEFT, (False, True), (False, True)))
    series = under_way(site, protocol, len(cases) + 1, now)
    signatures, visits = [], []
    for (n, left, again, is_booked), each in zip(cases, series[1:], strict=True):
        at = now + left - timedelta(days=EDITIONS[n][1])
        signatures.append(signed(each.patient, forms[n], site, at))
        if again:  # and the edition that counts longest before it
            signatures.append(signed(each.patient, forms[-1], site, at - DAY))
        if is_booked:
            starts_at = now + 60 * DAY
            visits.append(
                Appointment(
                    series=each,
                    site=site,
                    protocol_version=protocol,
                    session=1,
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(hours=1),
                    booked_at=now,
                    scheduled_at=now,
                )
            )
    for taken in signatures[::7]:
        taken.withdrawn_at, taken.withdrawn_source = max(now, taken.signed_at), "phone"
    SignedForm.objects.bulk_create(signatures)
    Appointment.objects.bulk_create(visits)

    every = [each.patient_id for each in series]
    for at in (now, now + 8 * DAY, now + 45 * DAY):
        judged = forms_to_sign.flagged_forms(every, now=at)
        assert forms_to_sign.lacking(now=at) == judged[UNSIGNED]
        assert forms_to_sign.ending(now=at) == judged[RUNS_OUT]
        assert judged[RUNS_OUT] and 0 < len(judged[UNSIGNED]) < len(every)
