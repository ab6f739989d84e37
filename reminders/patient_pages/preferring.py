"""How a patient wants to be written to, in their own words: read, saved, stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from django.db import transaction

from patients import consent, registration
from patients.models import ContactPoint, Patient, Purpose
from patients.models.consent import ConsentSource
from reminders.catalogue import Channel
from reminders.ledger import claiming
from reminders.ledger.opting_out import KIND_OF_CONTACT
from reminders.models import Suppression

SOURCE = ConsentSource.PATIENT_PAGE
# What a patient chooses by channel.
CHOSEN = (Purpose.CARE, Purpose.MARKETING)


@dataclass(frozen=True, slots=True)
class Way:
    """One channel on which the patient can be written to at all. `shown` tells the patient which
    number or address it is, and nobody else; `is_closed` when nothing may be sent there."""

    channel: Channel
    shown: str
    is_closed: bool
    agreed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a patient chose. `agreed` are (purpose, channel)."""

    language: str
    agreed: frozenset[tuple[str, str]]
    quiet_from: time | None
    quiet_until: time | None


def ways(patient: Patient) -> list[Way]:
    """The channels of a patient, as they stand."""
    agreed = consent.standing([patient.pk])[patient.pk]
    found = []
    for channel, kind in KIND_OF_CONTACT.items():
        point = (
            ContactPoint.objects.filter(patient=patient, kind=kind, retired_at=None)
            .order_by("-is_preferred", "id")
            .first()
        )
        if point is not None:
            closed = Suppression.objects.filter(
                channel=channel, address=point.value, lifted_at=None
            ).exists()
            purposes = frozenset(purpose for purpose, by in agreed if by == channel)
            found.append(Way(channel, _masked(point.value), closed, purposes))
    return found


def agrees(patient: Patient) -> bool:
    """Whether the patient agrees to any message that `stop` would end."""
    return any(purpose in CHOSEN for purpose, _ in consent.standing([patient.pk])[patient.pk])


@transaction.atomic
def save(*, patient: Patient, wishes: Wishes, now: datetime) -> None:
    """Give and withdraw the patient's own consents, and store language and quiet hours.

    What is chosen for a channel that the patient has not is left out.

    Raises:
        RegistrationRefused: when the quiet hours leave no time to write in.
    """
    claiming.hold_patients([patient.pk])
    registration.prefer(
        patient=patient,
        language=wishes.language,
        quiet_from=wishes.quiet_from,
        quiet_until=wishes.quiet_until,
        now=now,
    )
    for way in ways(patient):
        for purpose in CHOSEN:
            wanted = (purpose.value, way.channel.value) in wishes.agreed
            act = consent.give if wanted else consent.withdraw
            act(
                patient=patient,
                purpose=purpose,
                channel=way.channel,
                by=None,
                now=now,
                source=SOURCE,
            )


@transaction.atomic
def stop(*, patient: Patient, now: datetime) -> None:
    """End every message to this patient, and to nobody who shares their number or address."""
    claiming.hold_patients([patient.pk])
    for purpose in CHOSEN:
        for channel in Channel:
            consent.withdraw(
                patient=patient, purpose=purpose, channel=channel, by=None, now=now, source=SOURCE
            )


def _masked(address: str) -> str:
    """Enough to know one's own by: "…0123", "e…@patients.example"."""
    name, at, host = address.partition("@")
    return f"{name[0]}…@{host}" if at else f"…{address[-4:]}"
