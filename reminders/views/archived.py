"""/patients/<id>/archive/: the messages of journeys that ended long ago, without their words."""

from __future__ import annotations

from typing import cast

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from clinic.models import Staff
from clinic.views.current_site import current_site
from clinic.views.looking import shows
from patients.models import Patient
from reminders.models import ArchivedMessage

PER_PAGE = 100


@require_GET
def archived(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The latest first."""
    seen = Patient.objects.seen_by(cast(Staff, request.user))
    patient = get_object_or_404(seen, pk=patient_id)
    shows(request, patient, patient_id=patient.pk)
    rows = ArchivedMessage.objects.filter(patient=patient).select_related("site")
    page = Paginator(rows.order_by("-due_at", "-id"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"patient": patient, "site": current_site(request), "page": page}
    return render(request, "reminders/archived.html", context)
