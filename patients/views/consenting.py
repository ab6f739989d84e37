"""Giving and withdrawing one consent from the patient's page."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from clinic.models import Staff
from patients import consent
from patients.forms import CONSENTS
from patients.models import Patient


@require_POST
def give_consent(request: HttpRequest, patient_id: int, purpose: str, channel: str) -> HttpResponse:
    patient, staff = _asked(request, patient_id, purpose, channel)
    consent.give(patient=patient, purpose=purpose, channel=channel, by=staff, now=timezone.now())
    messages.success(request, gettext("Consent recorded. It counts from the next message on."))
    return redirect(f"/patients/{patient.pk}/#consents")


@require_POST
def withdraw_consent(
    request: HttpRequest, patient_id: int, purpose: str, channel: str
) -> HttpResponse:
    patient, staff = _asked(request, patient_id, purpose, channel)
    consent.withdraw(
        patient=patient, purpose=purpose, channel=channel, by=staff, now=timezone.now()
    )
    messages.success(request, gettext("Consent withdrawn. It counts from the next message on."))
    return redirect(f"/patients/{patient.pk}/#consents")


def _asked(
    request: HttpRequest, patient_id: int, purpose: str, channel: str
) -> tuple[Patient, Staff]:
    if (purpose, channel) not in CONSENTS:
        raise Http404
    staff = cast(Staff, request.user)
    return get_object_or_404(Patient.objects.seen_by(staff), pk=patient_id), staff
