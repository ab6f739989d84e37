"""Writing patients, their contact points and consents, many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import F

from appointments.importing import copying, deciding, house, remembering
from appointments.importing.deciding import Decision, Facts, Outcome, Person
from appointments.importing.known import CONSENTS, values_of
from appointments.models import BroughtOver, Import
from clinic import audit
from clinic.models import Resource, ResourceKind, Staff
from patients import consent, registration
from patients.models import ContactConsent, ContactKind, ContactPoint, Patient
from patients.models.consent import ConsentSource

# What a consent of a former system was given under; its words are there.
WORDING = "former-system"
_COLUMN = {
    "given": "legal_given",
    "family": "legal_family",
    "preferred": "preferred_name",
    "birth_date": "birth_date",
    "language": "language",
    "zone": "zone",
    "notes": "notes",
}
Decided = tuple[Person, Facts, Decision]


@dataclass(frozen=True, slots=True)
class Act:
    """Whose act it is, and when (UTC)."""

    source: Import
    by: Staff
    now: datetime


def write(act: Act, decided: Sequence[Decided]) -> dict[str, int]:
    """Write what was decided of each person; the ids of the patients by key."""
    ids = _create(act, [each for each in decided if each[2].outcome is Outcome.CREATE])
    others = [each for each in decided if each[2].patient is not None]
    if others:
        _change(act, [each for each in others if each[2].changes])
        _come_here(act, [decision.patient for *_, decision in others if decision.patient])
    for person, _, decision in others:
        ids[person.key] = decision.patient or 0
    _remember(act, decided, ids)
    return ids


def _create(act: Act, decided: Sequence[Decided]) -> dict[str, int]:
    resources = copying.store([Resource(kind=ResourceKind.PATIENT) for _ in decided])
    patients = []
    for (person, *_), resource in zip(decided, resources, strict=True):
        columns = registration.as_columns(house.columns_of(person.values), now=act.now)
        patients.append(
            Patient(
                **columns,
                resource=resource,
                search_key=registration.search_key(columns),
                created_at=act.now,
                # Nothing is to be said of who has no visit; whoever gets one becomes stale then.
                planned_revision=1,
            )
        )
    copying.store(patients)
    _come_here(act, [patient.pk for patient in patients])
    pairs = [
        (patient.pk, person.values) for (person, *_), patient in zip(decided, patients, strict=True)
    ]
    _add_contacts(act, pairs)
    _open_consents(act, pairs)
    copying.store(
        [
            audit.entry(
                action="patient.import",
                subject=patient,
                by=act.by,
                now=act.now,
                site=act.source.site,
                patient_id=patient.pk,
                after={"import": act.source.pk},
            )
            for patient in patients
        ]
    )
    return {person.key: patient.pk for (person, *_), patient in zip(decided, patients, strict=True)}


def _come_here(act: Act, patients: Iterable[int]) -> None:
    through = Patient.sites.through
    through.objects.bulk_create(
        [through(patient_id=pk, site_id=act.source.site_id) for pk in patients],
        ignore_conflicts=True,
    )


def _add_contacts(act: Act, told: Iterable[tuple[int, Mapping[str, str]]]) -> None:
    copying.store(
        [
            ContactPoint(
                patient_id=pk, kind=kind, value=values[name], is_preferred=True, created_at=act.now
            )
            for pk, values in told
            for name, kind in (("phone", ContactKind.PHONE), ("email", ContactKind.EMAIL))
            if values.get(name)
        ]
    )


def _open_consents(act: Act, told: Iterable[tuple[int, Mapping[str, str]]]) -> None:
    copying.store(
        [
            ContactConsent(
                patient_id=pk,
                purpose=purpose,
                channel=channel,
                wording=WORDING,
                opened_at=_agreed_at(values, act.now),
                opened_by=act.by,
                opened_source=ConsentSource.IMPORT,
            )
            for pk, values in told
            for name, (purpose, channel) in CONSENTS.items()
            if values.get(name) == "yes"
        ]
    )


def _agreed_at(values: Mapping[str, str], now: datetime) -> datetime:
    on = values.get("consented_on")
    return min(now, datetime.combine(date.fromisoformat(on), time(12), UTC)) if on else now


def _change(act: Act, decided: Sequence[Decided]) -> None:
    """Write the changed values of patients who are here already, under their locks."""
    if not decided:
        return
    ids = sorted({decision.patient for *_, decision in decided if decision.patient})
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    patients = {row.pk: row for row in rows}
    before = values_of(ids)
    entries = []
    for person, _, decision in decided:
        patient = patients[decision.patient or 0]
        changes = decision.changes
        for name, column in _COLUMN.items():
            if name in changes:
                value: Any = changes[name]
                setattr(
                    patient, column, date.fromisoformat(value) if name == "birth_date" else value
                )
        patient.search_key = registration.search_key(
            {column: getattr(patient, column) for column in _COLUMN.values()}
        )
        patient.version += 1
        _readdress(act, patient, changes)
        _reconsent(act, patient, changes, person.values)
        entries.append(
            audit.entry(
                action="patient.change",
                subject=patient,
                by=act.by,
                now=act.now,
                site=act.source.site,
                patient_id=patient.pk,
                before={name: before[patient.pk].get(name, "") for name in changes},
                after={**changes, "import": act.source.pk},
            )
        )
    Patient.objects.bulk_update(
        patients.values(), [*_COLUMN.values(), "search_key", "version"], batch_size=500
    )
    Patient.objects.filter(pk__in=ids).update(revision=F("revision") + 1)
    copying.store(entries)


def _readdress(act: Act, patient: Patient, changes: Mapping[str, str]) -> None:
    for name, kind in (("phone", ContactKind.PHONE), ("email", ContactKind.EMAIL)):
        if name in changes:
            registration.set_contact(patient, kind, changes[name], now=act.now)


def _reconsent(
    act: Act, patient: Patient, changes: Mapping[str, str], told: Mapping[str, str]
) -> None:
    given = [name for name in CONSENTS if changes.get(name) == "yes"]
    since = {"consented_on": told.get("consented_on", "")}
    _open_consents(act, [(patient.pk, dict.fromkeys(given, "yes") | since)])
    for name, (purpose, channel) in CONSENTS.items():
        if changes.get(name) == "no":
            consent.end(
                patient=patient,
                purpose=purpose,
                channel=channel,
                by=act.by,
                now=act.now,
                source=ConsentSource.IMPORT,
            )


def _remember(act: Act, decided: Sequence[Decided], ids: Mapping[str, int]) -> None:
    """Keep what the file said of everybody it brought or found."""
    remembering.keep(
        act.source,
        BroughtOver.Kind.PATIENT,
        [
            (
                person.key,
                ids[person.key],
                ids[person.key],
                deciding.remembered(person, facts, decision),
            )
            for person, facts, decision in decided
            if person.key in ids
        ],
    )
