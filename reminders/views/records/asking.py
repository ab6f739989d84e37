"""What the pages of the whole record share: whose it is, who may, and where one comes back to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.looking import shows
from patients import guardians, registration
from patients.models import ContactKind, Patient, RecordMerge
from reminders.records import stopping

REASON_LENGTH = 200


def seen_patient(request: HttpRequest, patient_id: int) -> Patient:
    """The patient; 404 unless the reader may see them."""
    seen = Patient.objects.seen_by(cast(Staff, request.user))
    patient = get_object_or_404(seen, pk=patient_id)
    shows(request, patient, patient_id=patient.pk)
    return patient


def merged_into(request: HttpRequest, patient_id: int) -> Patient:
    """The patient that a record became a part of; 404 when it did not, or is not theirs."""
    found = registration.stands_as(staff=cast(Staff, request.user), patient_id=patient_id)
    if found is None:
        raise Http404
    return found


def reason_of(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:REASON_LENGTH]


def may(staff: Staff, capability: Capability, patient: Patient) -> bool:
    return any(access.can(staff, capability, site) for site in patient.sites.all())


def judged(patients: Sequence[Patient], staff: Staff) -> list[tuple[Patient, bool]]:
    """Each with whether `staff` may merge it, or tell it apart."""
    prefetch_related_objects(patients, "sites")
    return [(each, may(staff, Capability.MERGE_RECORDS, each)) for each in patients]


def alike(patient: Patient, staff: Staff) -> list[Patient]:
    """The other patients whom `staff` may see that may be the same person."""
    phone = patient.contact_points.filter(kind=ContactKind.PHONE, retired_at=None).first()
    return registration.possible_duplicates(
        staff=staff,
        legal_given=patient.legal_given,
        legal_family=patient.legal_family,
        birth_date=patient.birth_date,
        phone=phone.value if phone else "",
        known_as=patient,
    )


def panel(patient: Patient, staff: Staff, *, now: datetime) -> dict[str, Any]:
    """What the patient's page says of the record as a whole."""
    recent = RecordMerge.objects.filter(kept=patient, undone_at=None, undo_until__gt=now)
    may_edit = may(staff, Capability.EDIT_PATIENTS, patient)
    may_merge = may(staff, Capability.MERGE_RECORDS, patient)
    found = alike(patient, staff) if may_merge and not patient.is_closed else []
    return {
        "guardians": list(
            patient.guardians.filter(ended_at=None).prefetch_related("contact_points")
        ),
        "is_minor": guardians.is_minor_now(patient, now=now),
        "to_decide": stopping.visits_to_come(patient, now=now) if patient.is_silent else [],
        "merges": list(recent.select_related("gone", "by")),
        "may_change_life": may_edit,
        "alike": judged(found, staff),
        "may_merge": may_merge,
        "may_export": may(staff, Capability.EXPORT_RECORD, patient),
        "may_erase": may(staff, Capability.ERASE_RECORD, patient),
        "may_audit": may(staff, Capability.SEE_AUDIT, patient),
    }
