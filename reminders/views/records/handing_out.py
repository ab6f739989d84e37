"""/patients/<id>/export/ and /patients/<id>/erase/: the record leaves the house, or is no more."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from patients.models import Patient
from reminders.models import RecordExport
from reminders.records import erasing, exporting
from reminders.records.erasing import EraseRefused
from reminders.records.exporting import ExportRefused
from reminders.views.records.asking import reason_of, seen_patient


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Asks for whom and why; then the file can be taken for an hour."""
    staff, now = cast(Staff, request.user), timezone.now()
    patient = seen_patient(request, patient_id)
    access.require(staff, Capability.EXPORT_RECORD)
    problem, reason = "", reason_of(request)
    if request.method == "POST":
        try:
            exporting.ask(patient=patient, reason=reason, by=staff, now=now)
        except ExportRefused as refused:
            problem = refused.sentence
        else:
            return redirect("patient-export", patient.pk)
    open_now = RecordExport.objects.filter(patient=patient, asked_by=staff, expires_at__gt=now)
    context = {
        "patient": patient,
        "problem": problem,
        "reason": reason,
        "asked": open_now.first(),
        "earlier": RecordExport.objects.filter(patient=patient).select_related("asked_by")[:10],
    }
    status = 422 if problem else 200
    return render(request, "reminders/records/export.html", context, status=status)


@require_GET
def record_file(request: HttpRequest, patient_id: int, export_id: int) -> HttpResponseBase:
    """The ZIP, written as it is taken."""
    staff, patient = cast(Staff, request.user), seen_patient(request, patient_id)
    asked = get_object_or_404(RecordExport.objects.select_related("patient"), pk=export_id)
    if asked.patient_id != patient.pk:
        return redirect("patient-export", patient.pk)
    try:
        pieces = exporting.take(asked=asked, by=staff, now=timezone.now())
    except ExportRefused as refused:
        messages.error(request, refused.sentence)
        return redirect("patient-export", patient.pk)
    answer = StreamingHttpResponse(pieces, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="record-{patient.pk}.zip"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, patient_id: int) -> HttpResponse:
    """GET says what goes, what stays and why; POST with the typed words erases."""
    staff, now = cast(Staff, request.user), timezone.now()
    patient = seen_patient(request, patient_id)
    access.require(staff, Capability.ERASE_RECORD)
    problem, reason = "", reason_of(request)
    if request.method == "POST":
        typed = request.POST.get("typed", "")
        try:
            erasing.erase(patient=patient, typed=typed, reason=reason, by=staff, now=now)
        except EraseRefused as refused:
            problem = refused.sentence
        else:
            messages.success(request, gettext("#%(pk)s is erased.") % {"pk": patient.pk})
            return redirect("patient-erase", patient.pk)
    context = {
        "patient": Patient.objects.get(pk=patient.pk),
        "stated": erasing.statement(patient=patient, by=staff, now=now),
        "problem": problem,
        "reason": reason,
    }
    status = 409 if problem else 200
    return render(request, "reminders/records/erase.html", context, status=status)
