"""/patients/new/: a new patient, with a warning when they may be known already."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from patients import intake, registration
from patients.contacts import ContactRefused
from patients.forms import ZONES, PatientForm, guessed
from patients.models import Patient
from patients.registration import RegistrationRefused


@require_http_methods(["GET", "HEAD", "POST"])
def new_patient(request: HttpRequest) -> HttpResponse:
    """The form; `?q=` is what was searched for, `?next=` the page of ours that asked for a patient
    and is told which, as `patient`. `anyway` registers in spite of likenesses."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.EDIT_PATIENTS, site)
    form = PatientForm(request.POST or None, initial=guessed(request.GET.get("q", "")))
    alike: list[Patient] = []
    if form.is_valid():
        if "anyway" not in request.POST:
            alike = _alike(form, staff)
            lists(request, (each.pk for each in alike), site_id=site.pk)
        if not alike:
            try:
                patient = intake.take_in(
                    **form.details,
                    agreed=form.agreed,
                    source=form.cleaned_data["source"] or "front_desk",
                    site=site,
                    by=staff,
                    now=timezone.now(),
                )
            except (RegistrationRefused, ContactRefused) as refused:
                form.add_error(refused.field, refused.sentence)
            else:
                messages.success(
                    request,
                    gettext("%(patient)s is registered.") % {"patient": patient.display_name},
                )
                return redirect(_onward(request, patient))
    context = {
        "form": form,
        "site": site,
        "alike": [(each, _onward(request, each)) for each in alike],
        "back": _asking_page(request),
        "zones": ZONES,
    }
    status = 422 if form.errors else 409 if alike else 200
    return render(request, "patients/new.html", context, status=status)


def _asking_page(request: HttpRequest) -> str:
    """The page of ours that asked for a patient; empty when none did."""
    asking = request.GET.get("next", "")
    is_ours = asking.startswith("/") and url_has_allowed_host_and_scheme(asking, allowed_hosts=None)
    return asking if is_ours else ""


def _onward(request: HttpRequest, patient: Patient) -> str:
    """Where to go with a patient: back to the page that asked, else to their own."""
    if not (asking := _asking_page(request)):
        return f"/patients/{patient.pk}/"
    path, _, query = asking.partition("?")
    told = QueryDict(query, mutable=True)
    told["patient"] = str(patient.pk)
    return f"{path}?{told.urlencode()}"


def _alike(form: PatientForm, staff: Staff) -> list[Patient]:
    details = form.details
    return registration.possible_duplicates(
        staff=staff,
        **{name: details[name] for name in ("legal_given", "legal_family", "birth_date", "phone")},
    )
