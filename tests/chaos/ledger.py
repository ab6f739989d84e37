"""Many patients with one due message each, and what became of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.models import Q

from appointments.models import Allocation
from clinic.models import Modality, ProtocolVersion, Resource, Role
from clinic.protocols import loading, reading
from patients.models import Patient
from reminders.catalogue import Kind, MessageState
from reminders.journeys import replanning
from reminders.models import Message
from tests.personas import a_patient, open_site, staff_at
from tests.reminders.ledger import a_visit


def furnish(messages: int, *, starts: datetime, seconds: float) -> None:
    """A site whose patients are told of one visit each, by text and by e-mail: so many messages,
    due one after the other from `starts` on."""
    site = open_site("harbour", "Harbour Skin Clinic", "America/New_York", "+12125550100")
    desk = staff_at(site, Role.FRONT_DESK, "Ana Front")
    protocol = _protocol(staff_at(site, Role.CLINICAL_LEAD, "Dr Novak").pk, starts)
    patients = messages // 2
    for number in range(patients):
        due_at = starts + timedelta(seconds=seconds * number / patients)
        booked_at = due_at - timedelta(seconds=site.notice_hold_seconds)
        patient = a_patient(
            site,
            desk,
            starts - timedelta(days=1),
            phone=f"+1212{5560000 + number}",
            email=f"p{number}@patients.example",
        )
        visit = a_visit(patient, site, protocol, now=booked_at)
        provider = Resource.objects.create(kind="provider", name=f"Provider {number}", site=site)
        Allocation.objects.bulk_create(
            Allocation(
                appointment=visit,
                resource=resource,
                starts_at=visit.starts_at,
                ends_at=visit.ends_at,
            )
            for resource in (patient.resource, provider)
        )
    Patient.objects.all().raise_revision()
    while replanning.sync_stale(now=starts):
        pass


def _protocol(lead: int, now: datetime) -> ProtocolVersion:
    file = loading.LIBRARY / "rf_microneedling.toml"
    protocol = reading.read(file.read_text(encoding="utf-8"), filename=file.name)
    digest = reading.digest(protocol)
    return ProtocolVersion.objects.create(
        protocol=protocol.id,
        version=protocol.version,
        kind=protocol.kind,
        name=protocol.name.en,
        document=reading.to_document(protocol),
        digest=digest,
        modality=Modality.objects.get_or_create(
            slug="rf_microneedling", defaults={"name": "RF microneedling", "code": "RM"}
        )[0],
        created_at=now,
        status=ProtocolVersion.Status.APPROVED,
        approved_at=now,
        approved_by_id=lead,
        approved_digest=digest,
    )


def is_at_rest() -> bool:
    """Whether nothing is due, in hand or still being asked for."""
    busy = Q(state=MessageState.SUBMITTING) | Q(
        state__in=(MessageState.SCHEDULED, MessageState.UNKNOWN), wake_at__isnull=False
    )
    try:
        return not Message.objects.filter(busy, kind=Kind.BOOKING_CONFIRMED).exists()
    except Error:
        connection.close()
        return False


def states() -> dict[str, str]:
    """The state of every message by its reference."""
    rows = Message.objects.filter(kind=Kind.BOOKING_CONFIRMED)
    return {str(reference): state for reference, state in rows.values_list("reference", "state")}
