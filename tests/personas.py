"""The people and the house that every test may ask for.

One open site in New York (`site`) and one in Los Angeles (`other_site`), each with staff; the
`outsider` works at the other site only and must be refused everything of the first.
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from clinic.models import (
    Credential,
    Modality,
    OpeningHours,
    ProtocolVersion,
    ProviderHours,
    Resource,
    ResourceKind,
    Role,
    Site,
    SiteRole,
    Staff,
)
from clinic.protocols import loading, reading
from clinic.protocols.schema import Protocol
from patients import consent, registration
from patients.models import ConsentChannel, ContactConsent, Patient, Purpose
from patients.models.consent import ConsentSource

# A Monday morning in New York, four weeks before the clocks go forward.
NOW = datetime(2027, 2, 15, 14, 0, tzinfo=UTC)
PASSWORD = "a-password-of-the-tests"
NINE, SIX_PM = 9 * 60, 18 * 60


@pytest.fixture
def now() -> datetime:
    return NOW


def open_site(slug: str, name: str, zone: str, number: str) -> Site:
    """A live site, open Monday to Saturday from nine to six."""
    site = Site.objects.create(
        spread_minutes=0,
        slug=slug,
        name=name,
        zone=zone,
        address="1 Harbour Street",
        phone=number,
        sms_name="Harbour Skin",
        sms_number=number,
        email_address=f"{slug}@clinic.example",
        reply_to=f"desk-{slug}@clinic.example",
        live_from=datetime(2026, 1, 1, tzinfo=UTC),
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(site=site, weekday=day, opens=NINE, closes=SIX_PM) for day in range(6)
    )
    return site


@pytest.fixture
def site(db: None) -> Site:
    return open_site("harbour", "Harbour Skin Clinic", "America/New_York", "+12125550100")


@pytest.fixture
def other_site(db: None) -> Site:
    return open_site("sunset", "Sunset Skin Clinic", "America/Los_Angeles", "+13105550100")


def staff_at(site: Site, role: Role, name: str) -> Staff:
    """Someone who works at `site` in `role`; the e-mail address follows from the name."""
    email = f"{name.lower().replace(' ', '.')}@clinic.example"
    member = Staff.objects.create_user(email, PASSWORD, name=name)
    SiteRole.objects.create(staff=member, site=site, role=role)
    return member


@pytest.fixture
def front_desk(site: Site) -> Staff:
    return staff_at(site, Role.FRONT_DESK, "Ana Front")


@pytest.fixture
def provider(site: Site) -> Staff:
    return staff_at(site, Role.PROVIDER, "Sam Okafor")


@pytest.fixture
def manager(site: Site) -> Staff:
    return staff_at(site, Role.MANAGER, "Mia Manager")


@pytest.fixture
def clinical_lead(site: Site) -> Staff:
    return staff_at(site, Role.CLINICAL_LEAD, "Dr Novak")


@pytest.fixture
def outsider(other_site: Site) -> Staff:
    """Front desk, manager and lead of the other site: everything, but not here."""
    member = staff_at(other_site, Role.FRONT_DESK, "Olga Other")
    SiteRole.objects.create(staff=member, site=other_site, role=Role.MANAGER)
    SiteRole.objects.create(staff=member, site=other_site, role=Role.CLINICAL_LEAD)
    return member


@pytest.fixture
def modality(db: None) -> Modality:
    return Modality.objects.get_or_create(
        slug="rf_microneedling", defaults={"name": "RF microneedling", "code": "RM"}
    )[0]


@pytest.fixture
def treatment_provider(site: Site, provider: Staff, modality: Modality) -> Resource:
    """The provider as a resource: works nine to six from Monday to Saturday, credentialed."""
    return provider_resource(site, provider, modality)


def provider_resource(site: Site, staff: Staff, modality: Modality) -> Resource:
    resource = Resource.objects.create(
        kind=ResourceKind.PROVIDER, name=staff.name, site=site, staff=staff
    )
    ProviderHours.objects.bulk_create(
        ProviderHours(provider=resource, site=site, weekday=day, starts=NINE, ends=SIX_PM)
        for day in range(6)
    )
    Credential.objects.create(provider=resource, modality=modality, valid_from=date(2025, 1, 1))
    return resource


@pytest.fixture
def room(site: Site) -> Resource:
    return Resource.objects.create(
        kind=ResourceKind.ROOM, name="Room 1", site=site, room_kind="treatment"
    )


@pytest.fixture
def needling_device(site: Site, modality: Modality) -> Resource:
    return Resource.objects.create(
        kind=ResourceKind.DEVICE,
        name="Needle 1",
        site=site,
        modality=modality,
        serial="RM-1",
    )


@pytest.fixture(scope="session")
def microneedling() -> Protocol:
    file = loading.LIBRARY / "rf_microneedling.toml"
    return reading.read(file.read_text(encoding="utf-8"), filename=file.name)


@pytest.fixture(scope="session")
def microneedling_row(microneedling: Protocol) -> dict[str, Any]:
    """What the loader stores of it; computed once, for most tests need an approved protocol."""
    return {
        "protocol": microneedling.id,
        "version": microneedling.version,
        "kind": microneedling.kind,
        "name": microneedling.name.en,
        "document": reading.to_document(microneedling),
        "digest": reading.digest(microneedling),
    }


@pytest.fixture
def protocol(
    microneedling_row: dict[str, Any], clinical_lead: Staff, modality: Modality, now: datetime
) -> ProtocolVersion:
    """RF microneedling, approved."""
    return ProtocolVersion.objects.create(
        **microneedling_row,
        modality=modality,
        created_at=now,
        status=ProtocolVersion.Status.APPROVED,
        approved_at=now,
        approved_by=clinical_lead,
        approved_digest=microneedling_row["digest"],
    )


@pytest.fixture
def draft_protocol(
    microneedling_row: dict[str, Any], modality: Modality, now: datetime
) -> ProtocolVersion:
    """A later version of RF microneedling that nobody has approved."""
    row = microneedling_row | {"version": "99.0.0", "digest": "0" * 64}
    return ProtocolVersion.objects.create(**row, modality=modality, created_at=now)


def a_patient(
    site: Site,
    by: Staff,
    now: datetime,
    *,
    given: str = "Elena",
    family: str = "Sato",
    phone: str = "+12125550123",
    email: str = "elena@patients.example",
    birth_date: date = date(1988, 5, 4),
    language: str = "en",
) -> Patient:
    """A patient with a phone and an e-mail address who agreed to care messages on both."""
    patient = registration.register(
        legal_given=given,
        legal_family=family,
        birth_date=birth_date,
        phone=phone,
        email=email,
        language=language,
        site=site,
        by=by,
        now=now,
    )
    # As `consent.give` does it. Most tests need them, few how they came about.
    ContactConsent.objects.bulk_create(
        ContactConsent(
            patient=patient,
            purpose=Purpose.CARE,
            channel=channel,
            wording=consent.WORDINGS[Purpose.CARE],
            opened_at=now,
            opened_by=by,
            opened_source=ConsentSource.FRONT_DESK,
        )
        for channel in (ConsentChannel.SMS, ConsentChannel.EMAIL)
    )
    return patient


@pytest.fixture
def patient(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now)


@pytest.fixture
def house(
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
    protocol: ProtocolVersion,
) -> ProtocolVersion:
    """Everything that a session of RF microneedling needs; returns its approved protocol."""
    return protocol
