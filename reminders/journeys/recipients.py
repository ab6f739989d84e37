"""What the gate must know of the recipients of many messages, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from clinic import statements
from clinic.models import Site
from clinic.wall_time import local
from patients.dialling import zones_of
from patients.models import Patient
from patients.models.guardian import OF_AGE
from reminders import spreading
from reminders.catalogue import Channel, Purpose
from reminders.gate import Recipient
from reminders.ledger.addresses import by_stored
from reminders.ledger.claiming import Due, Holder
from reminders.models import Message

Consents = frozenset[tuple[str, str]]


def at_site(patient: Patient, site: Site, *, now: datetime) -> dict[Channel, Recipient]:
    """By channel the recipient that a patient would be for a message of a site now."""
    drafts = [
        Message(pk=number, patient=patient, site=site, channel=channel, due_at=now)
        for number, channel in enumerate(Channel)
    ]
    return {
        Channel(draft.channel): found
        for draft, found in zip(drafts, of(drafts).values(), strict=True)
    }


def of(messages: Sequence[Message | Due]) -> dict[int, Recipient]:
    """The recipient of each message, by message id. Patient and site must be loaded with it."""
    known = _known(
        {
            message.patient_id: local(message.due_at, message.site.zone).date()
            for message in messages
            if message.patient_id is not None
        }
    )
    addresses = [
        message.to_address or known[message.patient_id].address(message.channel)
        for message in messages
    ]
    emails = {each.email for each in known.values()}
    suppressed = _suppressed(emails.union(addresses))
    return {
        message.pk: _recipient(message, address, known[message.patient_id], suppressed)
        for message, address in zip(messages, addresses, strict=True)
    }


def _recipient(
    message: Message | Due,
    address: str,
    known: _Known,
    suppressed: Mapping[tuple[str, str], str],
) -> Recipient:
    patient, site = message.patient, message.site
    reads_email = (
        _BY_EMAIL in known.consents
        and known.email != ""
        and (Channel.EMAIL, known.email) not in suppressed
    )
    return Recipient(
        consents=known.consents,
        address=address,
        suppressed=suppressed.get((message.channel, address), ""),
        zones=_zones(patient.zone if patient else "", site.zone, known.phone or address),
        live_from=site.live_from,
        deceased=patient is not None and patient.deceased_at is not None,
        do_not_contact=patient is not None and patient.do_not_contact_at is not None,
        language=known.language,
        quiet=_quiet(patient),
        in_conversation=known.is_conversing,
        reads_email=reads_email,
        lag=_lag(message.patient_id or 0, site.spread_minutes),
    )


@lru_cache(maxsize=4096)
def _lag(patient: int, minutes: int) -> timedelta:
    return spreading.lag(patient, over=timedelta(minutes=minutes))


@lru_cache(maxsize=4096)
def _zones(own: str, site: str, phone: str) -> tuple[str, ...]:
    """Where the recipient may be: the zone on record, else the site's and those of the number."""
    return (own,) if own else tuple(dict.fromkeys((site, *zones_of(phone))))


def _quiet(patient: Patient | Holder | None) -> tuple[int, int] | None:
    if patient is None or patient.quiet_from is None or patient.quiet_until is None:
        return None
    ends = (patient.quiet_from, patient.quiet_until)
    return ends[0].hour * 60 + ends[0].minute, ends[1].hour * 60 + ends[1].minute


class _Known(NamedTuple):
    """What is on record of one patient, or of nobody: the preferred number and address, else the
    first that was given; whether a reply with a symptom is not closed yet. Of a minor with a
    guardian who is written to it is the guardian's number and address, and `language`."""

    consents: Consents
    phone: str = ""
    email: str = ""
    is_conversing: bool = False
    language: str = ""

    def address(self, channel: str) -> str:
        return self.phone if channel == Channel.SMS else self.email


_BY_EMAIL = (Purpose.CARE, Channel.EMAIL)
_NOBODY = _Known(frozenset())
KNOWN = f"""
SELECT patient.id,
       coalesce((SELECT string_agg(purpose || ':' || channel, ' ') FROM patients_contactconsent
                  WHERE patient_id = patient.id AND closed_at IS NULL), ''),
       coalesce(contact.phone, ''), coalesce(contact.email, ''),
       EXISTS (SELECT FROM reminders_conversation
                WHERE patient_id = patient.id AND has_symptom AND state <> 'closed'),
       coalesce(guardian.language, '')
  FROM unnest(%s::bigint[], %s::date[]) AS patient (id, day)
  LEFT JOIN patients_patient AS minor
    ON minor.id = patient.id AND minor.birth_date > patient.day - interval '{OF_AGE} years'
  LEFT JOIN patients_guardian AS guardian
    ON guardian.patient_id = minor.id AND guardian.gets_messages AND guardian.ended_at IS NULL
 CROSS JOIN LATERAL (
       SELECT (array_agg(value ORDER BY is_preferred DESC, id) FILTER (WHERE kind = 'phone'))[1],
              (array_agg(value ORDER BY is_preferred DESC, id) FILTER (WHERE kind = 'email'))[1]
         FROM patients_contactpoint
        WHERE patient_id = patient.id AND retired_at IS NULL
          AND guardian_id IS NOT DISTINCT FROM guardian.id) AS contact (phone, email)
"""
SUPPRESSED = """
SELECT suppression.channel, suppression.address, suppression.reason
  FROM json_array_elements_text(%s::json) AS address (value)
  JOIN reminders_suppression AS suppression
    ON suppression.address = address.value AND suppression.lifted_at IS NULL
   AND suppression.channel IN ('sms', 'email')
"""


def _known(patients: Mapping[int, date]) -> dict[int | None, _Known]:
    """By patient what is on record on a day; nobody is among them."""
    days = f"{{{','.join(day.isoformat() for day in patients.values())}}}"
    rows = statements.rows(KNOWN, [statements.array(patients), days]) if patients else []
    return {None: _NOBODY} | {
        patient: _Known(_consents(consents), *rest) for patient, consents, *rest in rows
    }


@lru_cache(maxsize=1024)
def _consents(written: str) -> Consents:
    """Patients agree to the same few things, so they share what is made of them."""
    return frozenset(
        (purpose, channel) for purpose, channel in (each.split(":") for each in written.split())
    )


def _suppressed(addresses: Iterable[str]) -> dict[tuple[str, str], str]:
    stored = by_stored(addresses)
    rows = statements.rows(SUPPRESSED, [statements.document([*stored])])
    return {(channel, stored[address]): reason for channel, address, reason in rows}
