"""Giving a course an outcome score, from the patient's page."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from appointments.charting import courses
from appointments.models import TreatmentSeries
from appointments.refusals import Refused
from clinic.models import Staff
from clinic.views.looking import shows
from clinic.views.row_id import row_id


@require_POST
def score(request: HttpRequest, pk: int) -> HttpResponse:
    """`kind` and `value`, with an optional `note`."""
    by = cast(Staff, request.user)
    rows = TreatmentSeries.objects.seen_by(by).select_related("site")
    series = get_object_or_404(rows, pk=pk)
    shows(request, series, patient_id=series.patient_id)
    value = request.POST.get("value", "")
    try:
        given = courses.score(
            series=series,
            kind=request.POST.get("kind", ""),
            value=row_id(value) if value.isascii() and value.isdigit() else -1,
            note=request.POST.get("note", ""),
            by=by,
            now=timezone.now(),
        )
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, f"{given.get_kind_display()}: {given.value}.")
    return HttpResponseRedirect(f"/patients/{series.patient_id}/#course", status=303)
