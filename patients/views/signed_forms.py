"""/signed-forms/: one signature, the sheet that was kept of it, and its withdrawal."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from clinic.models import Staff
from clinic.views.current_site import current_site
from clinic.views.looking import shows
from patients.models import Patient, SignedForm
from patients.models.consent import ConsentSource
from patients.signing import drawing, withdrawing

REPORTED_BY = {
    ConsentSource.FRONT_DESK: _("At the clinic"),
    ConsentSource.PHONE: _("By phone"),
}


@require_safe
def signed_form(request: HttpRequest, pk: int) -> HttpResponse:
    signed = _seen(request, pk)
    context = {
        "site": current_site(request),
        "signed": signed,
        "form": signed.form,
        "title": signed.form.title(signed.language),
        "pad": {"width": drawing.WIDTH, "height": drawing.HEIGHT},
        "sources": REPORTED_BY.items(),
    }
    return render(request, "patients/signed_form.html", context)


@require_safe
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The PDF as it was kept."""
    signed = _seen(request, pk)
    return sheet_of(signed)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    signed = _seen(request, pk)
    source = request.POST.get("source", "")
    try:
        withdrawing.withdraw(
            signed=signed,
            by=cast(Staff, request.user),
            now=timezone.now(),
            source=ConsentSource(source) if source in REPORTED_BY else ConsentSource.FRONT_DESK,
            reason=request.POST.get("reason", ""),
        )
    except withdrawing.WithdrawalRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(
            request, gettext("The consent is withdrawn. It counts no more from now on.")
        )
    return redirect("signed-form", pk)


def sheet_of(signed: SignedForm) -> HttpResponse:
    """The PDF, kept by no cache."""
    response = HttpResponse(bytes(signed.sheet), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="consent-{signed.pk}.pdf"'
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _seen(request: HttpRequest, pk: int) -> SignedForm:
    mine = Patient.objects.seen_by(cast(Staff, request.user))
    rows = SignedForm.objects.select_related("patient", "form", "site", "handed_by", "withdrawn_by")
    found = get_object_or_404(rows.filter(patient__in=mine), pk=pk)
    shows(request, found, patient_id=found.patient_id)
    return found
