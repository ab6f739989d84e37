"""A busy clinic to measure on: twenty providers, twelve rooms, ten devices, a year of bookings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from clinic.durations import from_minutes
from clinic.models import (
    Credential,
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
from clinic.protocols.schema import Sessions, SetUp
from patients import consent, registration
from patients.models import ContactConsent, ContactKind, ContactPoint, Patient

PROVIDERS, ROOMS, DEVICES = 20, 12, 10
OPENS, CLOSES = 8 * 60, 20 * 60
# Two shifts with their breaks, in minutes of the wall clock.
SHIFTS = (
    ((8 * 60, 12 * 60), (12 * 60 + 30, 16 * 60 + 30)),
    ((11 * 60 + 30, 15 * 60), (15 * 60 + 30, 20 * 60)),
)
# A Monday; the year around it is booked.
NOW = datetime(2027, 2, 15, 14, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class House:
    site: Site
    desk: Staff
    version: ProtocolVersion


def build() -> House:
    """The clinic, its people and its approved protocol; nobody is booked yet."""
    site = Site.objects.create(
        slug="bench",
        name="Bench Clinic",
        zone="America/New_York",
        address="1 Bench Street",
        phone="+12125550100",
        sms_name="Bench",
        sms_number="+12125550100",
        email_address="bench@clinic.example",
        reply_to="desk@clinic.example",
        live_from=NOW - timedelta(days=365),
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(site=site, weekday=day, opens=OPENS, closes=CLOSES) for day in range(6)
    )
    desk = Staff.objects.create_user("desk@clinic.example", None, name="Desk")
    for role in Role:
        SiteRole.objects.create(staff=desk, site=site, role=role)
    loading.load_library(now=NOW)
    version = loading.approve(
        version=ProtocolVersion.objects.get(protocol="rf_microneedling"), by=desk, now=NOW
    )
    _resources(site, version)
    return House(site, desk, version)


def version_of(house: House, minutes: int, buffer: int) -> ProtocolVersion:
    """The protocol with up to twelve sessions of `minutes` in the chair, and `buffer` minutes
    before and after for provider, room and device."""
    protocol = loading.get(house.version)
    held = SetUp(from_minutes(buffer), from_minutes(buffer))
    areas = {
        slug: replace(area, chair=from_minutes(minutes), numbing=None, sessions=None)
        for slug, area in protocol.applicability.areas.items()
    }
    changed = replace(
        protocol,
        version=f"{protocol.version}+{minutes}",
        series=replace(protocol.series, sessions=Sessions(1, 6, 12)),
        resources=replace(protocol.resources, provider=held, room=held, device=held),
        applicability=replace(protocol.applicability, areas=areas),
    )
    draft = ProtocolVersion.objects.create(
        protocol=changed.id,
        version=changed.version,
        kind=changed.kind.value,
        name=changed.name.en,
        modality=house.version.modality,
        document=reading.to_document(changed),
        digest=reading.digest(changed),
        created_at=NOW,
    )
    return loading.approve(version=draft, by=house.desk, now=NOW)


def _resources(site: Site, version: ProtocolVersion) -> None:
    room_kind = loading.get(version).resources.room_kind
    for number in range(PROVIDERS):
        provider = Resource.objects.create(
            kind=ResourceKind.PROVIDER, name=f"Provider {number}", site=site
        )
        Credential.objects.create(
            provider=provider, modality=version.modality, valid_from=date(2025, 1, 1)
        )
        # Each has a day off beside Sunday: twelve weekly patterns in all.
        ProviderHours.objects.bulk_create(
            ProviderHours(provider=provider, site=site, weekday=day, starts=starts, ends=ends)
            for day in range(6)
            if day != number % 6
            for starts, ends in SHIFTS[number % 2]
        )
    for number in range(ROOMS):
        Resource.objects.create(
            kind=ResourceKind.ROOM, name=f"Room {number}", site=site, room_kind=room_kind
        )
    for number in range(DEVICES):
        Resource.objects.create(
            kind=ResourceKind.DEVICE, name=f"Device {number}", site=site, modality=version.modality
        )


def patients(house: House, count: int) -> list[Patient]:
    """Patients with a phone, an address and consent to care messages on both."""
    made = []
    for number in range(count):
        patient = registration.register(
            legal_given="Pat",
            legal_family=f"Bench{number}",
            birth_date=date(1980, 1, 1),
            phone=f"+1212555{1000 + number:04}",
            email=f"patient{number}@patients.example",
            site=house.site,
            by=house.desk,
            now=NOW,
        )
        for channel in ("sms", "email"):
            consent.give(patient=patient, purpose="care", channel=channel, by=house.desk, now=NOW)
        made.append(patient)
    return made


def crowd(house: House, count: int, *, first: int = 0) -> list[Patient]:
    """Many more of them, stored at once and planned: nobody is told anything. `first` counts on
    the numbers and addresses of those who were stored before."""
    resources = Resource.objects.bulk_create(
        Resource(kind=ResourceKind.PATIENT) for _ in range(count)
    )
    made = Patient.objects.bulk_create(
        Patient(
            legal_given="Pat",
            legal_family="Crowd",
            birth_date=date(1980, 1, 1),
            resource=resource,
            search_key="pat crowd",
            created_at=NOW,
            planned_revision=1,
        )
        for resource in resources
    )
    through = Patient.sites.through.objects
    through.bulk_create(Patient.sites.through(patient=each, site=house.site) for each in made)
    for channel, kind, value in (
        ("sms", ContactKind.PHONE, "+1646{:07}"),
        ("email", ContactKind.EMAIL, "crowd{}@patients.example"),
    ):
        ContactPoint.objects.bulk_create(
            ContactPoint(
                patient=each,
                kind=kind,
                value=value.format(2_000_000 + number),
                is_preferred=True,
                created_at=NOW,
            )
            for number, each in enumerate(made, first)
        )
        ContactConsent.objects.bulk_create(
            ContactConsent(
                patient=each,
                purpose="care",
                channel=channel,
                wording=consent.WORDINGS["care"],
                opened_at=NOW,
                opened_source="import",
            )
            for each in made
        )
    return made
