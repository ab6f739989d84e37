"""Opting out and back in: what closes a number or address, for everybody who shares it.

An opt-out counts from the transaction in which it is heard: it closes the address or consents, as
the dated policy says, and raises the revision of everybody who shares the address, so that what a
dispatcher has just claimed is held back. Refuses to answer the person; the caller does, once, when
`OptOut.is_new`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from appointments.refusals import Refused
from clinic import access, audit, statements
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.saying import gettext
from patients import consent
from patients.models import ContactConsent, ContactKind, ContactPoint, Patient, Purpose
from patients.models.consent import ConsentSource
from reminders.catalogue import Channel, MessageState
from reminders.gate import SUPPRESSED
from reminders.ledger import addresses, claiming, optout_policy
from reminders.ledger.optout_policy import Scope
from reminders.ledger.provider_codes import meaning
from reminders.models import Message, Suppression, SuppressionReason, SuppressionSource

KIND_OF_CONTACT = {Channel.SMS: ContactKind.PHONE, Channel.EMAIL: ContactKind.EMAIL}
CHANNEL_OF = {kind.value: channel for channel, kind in KIND_OF_CONTACT.items()}
_CONSENT_SOURCE = {
    SuppressionSource.REPLY: ConsentSource.REPLY,
    SuppressionSource.LINK: ConsentSource.PATIENT_PAGE,
    SuppressionSource.ONE_CLICK: ConsentSource.PATIENT_PAGE,
    SuppressionSource.STAFF: ConsentSource.FRONT_DESK,
    SuppressionSource.PROVIDER: ConsentSource.REPLY,
}
# Reached by the person, so evidence that they were told what there is to end.
_REACHED = (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED)


class OptOutRefused(Refused):
    """The address cannot be closed or opened by this person; `sentence` says why."""

    code = "opt_out_refused"
    field = "reason"


class OptedOutThemselves(OptOutRefused):
    """Only the person can open the address again, by START."""

    code = "opted_out_themselves"


@dataclass(frozen=True, slots=True)
class OptOut:
    """What an opt-out ended. `is_new` is False when all of it had ended before; `patients` are
    those who share the address."""

    scope: Scope
    is_new: bool
    patients: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """What the trail tells of a suppression; `site` is the one that wrote to it or heard of it."""

    suppression: Suppression
    patients: Sequence[int]
    site: Site | None
    by: Staff | None
    now: datetime
    after: Mapping[str, str]
    reason: str


@transaction.atomic
def opt_out(
    *,
    channel: Channel,
    address: str,
    source: SuppressionSource,
    by: Staff | None,
    now: datetime,
    site: Site | None = None,
    reason: str = "",
) -> OptOut:
    """End messages to an address, for everybody who shares it, as far as the policy of `now` says.

    `site` is the one that was written to, for the audit. `reason` is asked of staff.

    Raises:
        OptOutRefused: when staff give no reason.
        Forbidden: when `by` may not edit any of those who share the address.
    """
    patients = sharers(channel, address)
    if source is SuppressionSource.STAFF:
        _require(by, patients, reason)
    claiming.hold_patients(patients)
    scope = optout_policy.scope(source, now=now)
    closed = _close_consents(scope, channel, patients, source=source, by=by, now=now)
    is_new = bool(closed)
    if scope is Scope.CHANNEL:
        is_new = suppress(
            channel=channel,
            address=address,
            reason=SuppressionReason.OPTED_OUT,
            source=source,
            by=by,
            now=now,
            note=reason,
            site=site,
        )
    return OptOut(scope, is_new, tuple(patients))


@transaction.atomic
def opt_in(
    *,
    channel: Channel,
    address: str,
    source: SuppressionSource,
    by: Staff | None,
    now: datetime,
    site: Site | None = None,
    reason: str = "",
) -> bool:
    """Lift an opt-out and reopen the consents to care that it closed; whether there was one.

    Marketing stays closed: it takes a new consent. What closed an address for another reason (a
    number that takes no texts) is not touched. Staff may only take back what staff closed: who sent
    STOP is let in by the carriers after START alone.

    Raises:
        OptOutRefused: when staff give no reason.
        OptedOutThemselves: when staff would open what the person closed.
        Forbidden: when `by` may not edit any of those who share the address.
    """
    patients = sharers(channel, address)
    if source is SuppressionSource.STAFF:
        _require(by, patients, reason)
    claiming.hold_patients(patients)
    standing = _standing(channel, address)
    if standing is None or standing.reason != SuppressionReason.OPTED_OUT:
        return False
    if source is SuppressionSource.STAFF and standing.source != SuppressionSource.STAFF:
        raise OptedOutThemselves(
            gettext("The person opted out themselves. Ask them to text START to us.")
        )
    _lift(standing, now=now)
    _reopen_care(standing, patients, source=source, by=by, now=now)
    claiming.plan_anew(patients)
    told = _Told(
        standing,
        patients,
        site,
        by=by,
        now=now,
        after={"channel": channel, "source": source},
        reason=reason,
    )
    _tell("address.opt_in", [told])
    return True


@transaction.atomic
def suppress(
    *,
    channel: Channel,
    address: str,
    reason: SuppressionReason,
    source: SuppressionSource,
    by: Staff | None,
    now: datetime,
    code: str = "",
    note: str = "",
    site: Site | None = None,
) -> bool:
    """Close an address, whatever its people agreed to; False when it is closed already.

    An opt-out takes the place of a lesser reason, so that START and not a new number opens it. The
    caller holds the rows of those who share the address, or holds no patient's row.
    """
    patients = sharers(channel, address)
    claiming.hold_patients(patients)
    standing = _standing(channel, address)
    if standing is not None:
        if reason != SuppressionReason.OPTED_OUT or standing.reason == reason:
            return False
        _lift(standing, now=now)
    closing = Suppression(
        channel=channel,
        address=address,
        reason=reason,
        source=source,
        by=by,
        note=note,
        code=code[: claiming.CODE_LENGTH],
        since=now,
    )
    if not close([(closing, site)]):
        return False
    claiming.plan_anew(patients)
    return True


_CLOSE = """
INSERT INTO reminders_suppression (channel, address, reason, source, by_id, note, code, since)
SELECT channel, address, reason, source, by_id, note, code, since
  FROM json_populate_recordset(NULL::reminders_suppression, %s)
ON CONFLICT (channel, address) WHERE lifted_at IS NULL DO NOTHING
RETURNING channel, address, id
"""


def close(closing: Collection[tuple[Suppression, Site | None]]) -> int:
    """Store that addresses are closed, and tell it in the trail of everybody who shares one; how
    many were open. Each comes with the site that wrote to it, for the audit; of two of the same
    address the first counts. Holds nobody and plans nothing anew: what waits to be sent there is
    stopped by the gate."""
    # In one order whoever stores them, so that nobody waits for each other in a circle.
    wanted = sorted(closing, key=lambda each: (each[0].channel, each[0].address))
    columns = ("channel", "address", "reason", "source", "by_id", "note", "code", "since")
    rows = [{name: getattr(each, name) for name in columns} for each, _ in wanted]
    stored = statements.rows(_CLOSE, [statements.document(rows)])
    ids = {(channel, address): pk for channel, address, pk in stored}
    shared = _sharing(ids)
    told = []
    for suppression, site in wanted:
        address = (suppression.channel, suppression.address)
        if address in ids:
            suppression.pk = ids.pop(address)
            told.append(_closed(suppression, shared[address], site))
    _tell("address.close", told)
    return len(told)


def _closed(suppression: Suppression, patients: Sequence[int], site: Site | None) -> _Told:
    code, reason = suppression.code, suppression.reason
    return _Told(
        suppression,
        patients,
        site,
        by=suppression.by,
        now=suppression.since,
        after={"channel": suppression.channel, "reason": reason, "source": suppression.source},
        reason=suppression.note or (meaning(code).sentence if code else SUPPRESSED[reason]),
    )


def _tell(action: str, told: Collection[_Told]) -> None:
    """An entry for each of the patients, or one of nobody's where the address is nobody's. It is
    of the site only where the patient is: at the others nobody there reads of them."""
    sites = {each.site.pk for each in told if each.site}
    patients = {patient for each in told for patient in each.patients}
    homes = Patient.sites.through.objects.filter(patient__in=patients, site__in=sites)
    theirs: set[tuple[int | None, int]] = {(None, site) for site in sites}
    theirs.update(homes.values_list("patient_id", "site_id"))
    entries = [
        audit.entry(
            action=action,
            subject=each.suppression,
            by=each.by,
            now=each.now,
            site=each.site if each.site and (patient, each.site.pk) in theirs else None,
            patient_id=patient,
            after=each.after,
            reason=each.reason,
        )
        for each in told
        for patient in each.patients or (None,)
    ]
    statements.add(*entries)


def sharers(channel: Channel, address: str) -> list[int]:
    """The ids of the patients who have this number or address now, in order."""
    return _sharing([(channel, address)])[channel, address]


def _sharing(addresses: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], list[int]]:
    """By channel and address the ids of the patients who have it now, in order."""
    points = ContactPoint.objects.filter(
        kind__in={KIND_OF_CONTACT[Channel(channel)] for channel, _ in addresses},
        value__in={address for _, address in addresses},
        retired_at=None,
    )
    found = defaultdict(list)
    for kind, value, patient in points.values_list("kind", "value", "patient_id").distinct():
        found[CHANNEL_OF[kind].value, value].append(patient)
    return {address: sorted(found[address]) for address in addresses}


def _standing(channel: Channel, address: str) -> Suppression | None:
    return (
        Suppression.objects.select_for_update()
        .filter(channel=channel, address__in=addresses.either(address), lifted_at=None)
        .first()
    )


def _lift(suppression: Suppression, *, now: datetime) -> None:
    suppression.lifted_at = now
    suppression.save(update_fields=["lifted_at"])


def _require(by: Staff | None, patients: Sequence[int], reason: str) -> None:
    if by is None or not reason.strip():
        raise OptOutRefused(gettext("Give a reason: what the person said, and how."))
    shared = Patient.objects.filter(pk__in=patients).prefetch_related("sites")
    sites = {site for patient in shared for site in patient.sites.all()}
    if not any(access.can(by, Capability.EDIT_PATIENTS, site) for site in sites):
        access.require(
            by, Capability.EDIT_PATIENTS, min(sites, key=lambda site: site.pk, default=None)
        )


def _close_consents(
    scope: Scope,
    channel: Channel,
    patients: Sequence[int],
    *,
    source: SuppressionSource,
    by: Staff | None,
    now: datetime,
) -> int:
    """How many consents of these patients were closed."""
    purposes = _purposes(scope, channel, patients)
    return sum(
        consent.end(
            patient=patient,
            purpose=purpose,
            channel=channel,
            by=by,
            now=now,
            source=_CONSENT_SOURCE[source],
        )
        for patient in Patient.objects.filter(pk__in=patients).order_by("id")
        for purpose in purposes
    )


def _purposes(scope: Scope, channel: Channel, patients: Sequence[int]) -> tuple[str, ...]:
    if scope is Scope.MARKETING:
        return (Purpose.MARKETING,)
    if scope is Scope.CATEGORY:
        last = (
            Message.objects.filter(
                patient__in=patients,
                channel=channel,
                purpose__in=(Purpose.CARE, Purpose.MARKETING),
                state__in=_REACHED,
            )
            .order_by("-accepted_at")
            .first()
        )
        if last is not None:
            return (last.purpose,)
    return (Purpose.CARE, Purpose.MARKETING)


def _reopen_care(
    lifted: Suppression,
    patients: Sequence[int],
    *,
    source: SuppressionSource,
    by: Staff | None,
    now: datetime,
) -> None:
    """Give again what an opt-out took, also by a word that was repeated after it."""
    took = _CONSENT_SOURCE[SuppressionSource(lifted.source)]
    closed = ContactConsent.objects.filter(
        Q(closed_at=lifted.since, closed_source=took)
        | Q(closed_at__gt=lifted.since, closed_source=ConsentSource.REPLY),
        patient__in=patients,
        purpose=Purpose.CARE,
        channel=lifted.channel,
    ).select_related("patient")
    for each in closed.order_by("patient_id", "-closed_at"):
        consent.give_again(each, by=by, now=now, source=_CONSENT_SOURCE[source])
