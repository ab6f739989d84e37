"""Guardians of patients: who answers for a minor, is written to in their place, and may sign.

A guardian's numbers and addresses are contact points of the patient, marked as the guardian's, so
that an opt-out closes them for everybody who shares them.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from clinic import audit
from clinic.models import Staff
from clinic.saying import gettext
from clinic.wall_time import local
from patients import contacts, registration
from patients.models import ContactKind, ContactPoint, Guardian, Language, Patient, Relation
from patients.models.guardian import OF_AGE
from patients.registration import RegistrationRefused

NAME_LENGTH = 120


def is_minor(patient: Patient, on: date) -> bool:
    """Whether the patient is not of age on a local day."""
    return patient.age_on(on) < OF_AGE


def is_minor_now(patient: Patient, *, now: datetime) -> bool:
    """Whether the patient is not of age yet by the clock of their site."""
    site = patient.sites.all()[0]
    return is_minor(patient, local(now, site.zone).date())


def who_may_sign(patient: Patient, on: date) -> list[Guardian]:
    """The guardians who may sign for the patient on a local day; nobody but the patient themself
    from their majority on."""
    if not is_minor(patient, on):
        return []
    return list(patient.guardians.filter(ended_at=None, may_sign=True))


@transaction.atomic
def add(
    *,
    patient: Patient,
    name: str,
    relation: str,
    by: Staff,
    now: datetime,
    language: str = Language.ENGLISH,
    phone: str = "",
    email: str = "",
    gets_messages: bool = True,
    may_sign: bool = False,
) -> Guardian:
    """A guardian of a minor.

    Raises:
        RegistrationRefused: of an adult, without a name, or when somebody else is written to.
        ContactRefused: for what is no number or address.
        Forbidden: unless `by` may edit the patient.
    """
    registration.require_edit(by, patient)
    registration.require_open(Patient.objects.select_for_update(no_key=True).get(pk=patient.pk))
    name = " ".join(name.split())[:NAME_LENGTH]
    if not name:
        raise RegistrationRefused("name", gettext("Write the guardian's name."))
    if relation not in Relation.values:
        raise RegistrationRefused(
            "relation", gettext("Choose what the guardian is to the patient.")
        )
    if not is_minor_now(patient, now=now):
        raise RegistrationRefused(
            "patient", gettext("This patient is of age and answers for themself.")
        )
    if gets_messages:
        if not phone.strip() and not email.strip():
            raise RegistrationRefused(
                "phone", gettext("Write a number or address to reach the guardian.")
            )
        if patient.guardians.filter(ended_at=None, gets_messages=True).exists():
            raise RegistrationRefused(
                "gets_messages", gettext("Another guardian is written to. End that one first.")
            )
    guardian = Guardian.objects.create(
        patient=patient,
        name=name,
        relation=relation,
        language=language,
        gets_messages=gets_messages,
        may_sign=may_sign,
        created_at=now,
        created_by=by,
    )
    for kind, text in ((ContactKind.PHONE, phone), (ContactKind.EMAIL, email)):
        if text.strip():
            as_stored = contacts.as_e164 if kind is ContactKind.PHONE else contacts.as_address
            ContactPoint.objects.create(
                patient=patient,
                guardian=guardian,
                kind=kind,
                value=as_stored(text),
                is_preferred=True,
                created_at=now,
            )
    Patient.objects.filter(pk=patient.pk).raise_revision()
    audit.record(
        action="guardian.add",
        subject=guardian,
        by=by,
        now=now,
        patient_id=patient.pk,
        after={
            "name": name,
            "relation": relation,
            "gets_messages": gets_messages,
            "may_sign": may_sign,
        },
    )
    return guardian


@transaction.atomic
def end(*, guardian: Guardian, reason: str, by: Staff, now: datetime) -> None:
    """The guardian answers for the patient no more; their numbers are retired. Twice is once.

    Raises RegistrationRefused without a reason, Forbidden unless `by` may edit the patient.
    """
    patient = guardian.patient
    registration.require_edit(by, patient)
    if not reason.strip():
        raise RegistrationRefused("reason", gettext("Write why."))
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    ended = Guardian.objects.filter(pk=guardian.pk, ended_at=None).update(ended_at=now)
    if not ended:
        return
    ContactPoint.objects.filter(guardian=guardian, retired_at=None).update(
        retired_at=now, is_preferred=False
    )
    Patient.objects.filter(pk=patient.pk).raise_revision()
    audit.record(
        action="guardian.end",
        subject=guardian,
        by=by,
        now=now,
        patient_id=patient.pk,
        before={"name": guardian.name},
        reason=reason.strip(),
    )
