"""A patient who signed for photos of the record, and a place for the files."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from appointments.models import Photo
from appointments.photos import adding
from clinic.consent_forms import in_force
from clinic.models import ConsentForm, Site, Staff
from patients.models import Patient, SignedForm
from patients.signing import signing
from tests.appointments.photos.pictures import numbered
from tests.audited import audited as audited  # a fixture
from tests.patients.signing.conftest import publish


@pytest.fixture(autouse=True)
def private_root(settings: Any, tmp_path: Path) -> Path:
    settings.PRIVATE_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def record_form(clinical_lead: Staff, now: datetime) -> ConsentForm:
    return publish(clinical_lead, now, in_force.photos()[0])


@pytest.fixture
def agreed(
    patient: Patient, record_form: ConsentForm, site: Site, front_desk: Staff, now: datetime
) -> SignedForm:
    [row] = signing.sign(
        patient=patient,
        forms=[record_form],
        signature=signing.Signature("Elena Sato"),
        language="en",
        site=site,
        handed_by=front_desk,
        ip=None,
        now=now,
    )
    return row


@pytest.fixture
def add(patient: Patient, site: Site, provider: Staff, now: datetime, agreed: SignedForm) -> Any:
    """Adds a photo of the face from the front unless told otherwise; each is another picture."""
    count = itertools.count(1)

    def act(**changed: Any) -> Photo:
        asked = {
            "patient": patient,
            "site": site,
            "area": "face",
            "view": "front",
            "content": numbered(next(count)),
            "by": provider,
            "now": now,
            **changed,
        }
        return adding.add(**asked)

    return act
