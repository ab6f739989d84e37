"""/patients/<id>/edit/: change a patient; a stale form shows both values of what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from clinic.models import Staff
from clinic.views.looking import shows
from patients import intake, registration
from patients.contacts import ContactRefused
from patients.forms import ZONES, PatientForm, as_shown
from patients.models import Patient
from patients.registration import RegistrationRefused, StalePatient


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that was stored by somebody else with another value than the form's."""

    label: str
    stored: str
    mine: str


@require_http_methods(["GET", "HEAD", "POST"])
def edit_patient(request: HttpRequest, patient_id: int) -> HttpResponse:
    staff = cast(Staff, request.user)
    patient = get_object_or_404(Patient.objects.seen_by(staff), pk=patient_id)
    shows(request, patient, patient_id=patient.pk)
    registration.require_edit(staff, patient)
    form = PatientForm(request.POST or None, initial=as_shown(patient))
    differences: list[Difference] | None = None
    if form.is_valid():
        try:
            intake.amend(
                patient=patient,
                expected_version=form.cleaned_data["version"] or 0,
                shown=form.shown_consents,
                agreed=form.agreed,
                source=form.cleaned_data["source"] or "front_desk",
                by=staff,
                now=timezone.now(),
                **form.details,
            )
        except StalePatient:
            stored = as_shown(patient)
            differences = _differences(form, stored)
            form = _upon(form, stored)
        except (RegistrationRefused, ContactRefused) as refused:
            form.add_error(refused.field, refused.sentence)
        else:
            messages.success(
                request, gettext("%(patient)s is saved.") % {"patient": patient.display_name}
            )
            return redirect(f"/patients/{patient.pk}/")
    status = 409 if differences is not None else 422 if form.errors else 200
    context = {"form": form, "patient": patient, "zones": ZONES, "differences": differences}
    return render(request, "patients/edit.html", context, status=status)


def _differences(form: PatientForm, stored: dict[str, Any]) -> list[Difference]:
    return [
        Difference(str(form[name].label), str(stored[name]), str(mine))
        for name, mine in form.details.items()
        if mine != stored[name]
    ]


def _upon(form: PatientForm, stored: dict[str, Any]) -> PatientForm:
    """The same form as an edit of the version that is stored now, so that it can be saved."""
    data = cast(QueryDict, form.data).copy()
    data["version"] = str(stored["version"])
    return PatientForm(data, initial=stored)
