"""What the gate must know of the recipients of many messages, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from clinic.models import Site
from patients import consent
from patients.dialling import zones_of
from patients.models import ContactKind, ContactPoint, Patient
from reminders.catalogue import Channel, Purpose
from reminders.gate import Recipient
from reminders.ledger.claiming import Due
from reminders.models import Conversation, Message, Suppression

KIND_OF_CONTACT = {Channel.SMS: ContactKind.PHONE, Channel.EMAIL: ContactKind.EMAIL}


def at_site(patient: Patient, site: Site) -> dict[Channel, Recipient]:
    """By channel the recipient that a patient would be for a message of a site now."""
    drafts = [
        Message(pk=number, patient=patient, site=site, channel=channel)
        for number, channel in enumerate(Channel)
    ]
    return {
        Channel(draft.channel): found
        for draft, found in zip(drafts, of(drafts).values(), strict=True)
    }


def of(messages: Sequence[Message | Due]) -> dict[int, Recipient]:
    """The recipient of each message, by message id. Patient and site must be loaded with it."""
    patients = {message.patient_id for message in messages if message.patient_id is not None}
    consents = consent.standing(patients)
    own = _addresses(patients)
    addresses = {
        message.pk: message.to_address or own.get((message.patient_id, message.channel), "")
        for message in messages
    }
    suppressed = _suppressed([*addresses.values(), *own.values()])
    conversing = _conversing(patients)
    recipients = {}
    for message in messages:
        patient, address = message.patient, addresses[message.pk]
        phone = own.get((message.patient_id, Channel.SMS), "")
        recipients[message.pk] = Recipient(
            consents=consents[patient.pk] if patient else frozenset(),
            address=address,
            suppressed=suppressed.get((message.channel, address), ""),
            zones=_zones(patient, message.site, phone or address),
            live_from=message.site.live_from,
            deceased=patient is not None and patient.deceased_at is not None,
            quiet=_quiet(patient),
            in_conversation=message.patient_id in conversing,
            reads_email=_is_open(own.get((message.patient_id, Channel.EMAIL), ""), suppressed)
            and patient is not None
            and (Purpose.CARE, Channel.EMAIL) in consents[patient.pk],
        )
    return recipients


def _zones(patient: Patient | None, site: Site, phone: str) -> tuple[str, ...]:
    """Where the recipient may be: the zone on record, else the site's and those of the number."""
    if patient is not None and patient.zone:
        return (patient.zone,)
    return tuple(dict.fromkeys((site.zone, *zones_of(phone))))


def _is_open(address: str, suppressed: Mapping[tuple[str, str], str]) -> bool:
    return bool(address) and (Channel.EMAIL, address) not in suppressed


def _quiet(patient: Patient | None) -> tuple[int, int] | None:
    if patient is None or patient.quiet_from is None or patient.quiet_until is None:
        return None
    ends = (patient.quiet_from, patient.quiet_until)
    return ends[0].hour * 60 + ends[0].minute, ends[1].hour * 60 + ends[1].minute


def _addresses(patients: Collection[int]) -> dict[tuple[int | None, str], str]:
    """By patient and channel the preferred address, else the first that the patient gave."""
    channels = {kind.value: channel.value for channel, kind in KIND_OF_CONTACT.items()}
    points = (
        ContactPoint.objects.filter(patient__in=patients, retired_at=None)
        .order_by("-is_preferred", "id")
        .values_list("patient_id", "kind", "value")
    )
    addresses: dict[tuple[int | None, str], str] = {}
    for patient, kind, value in points:
        addresses.setdefault((patient, channels[kind]), value)
    return addresses


def _conversing(patients: Collection[int]) -> set[int | None]:
    """Those of whom a reply with a symptom is not closed yet."""
    held = Conversation.objects.open().filter(patient__in=patients, has_symptom=True)
    return set(held.values_list("patient_id", flat=True))


def _suppressed(addresses: Collection[str]) -> dict[tuple[str, str], str]:
    open_now = Suppression.objects.filter(address__in=set(addresses), lifted_at=None)
    return {
        (channel, address): reason
        for channel, address, reason in open_now.values_list("channel", "address", "reason")
    }
