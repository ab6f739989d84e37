"""Closing a number or address because the patient asked staff, and opening it again."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from clinic.models import Staff
from clinic.views.looking import shows
from patients import registration
from patients.models import ContactPoint, Patient
from reminders.ledger import opting_out
from reminders.ledger.opting_out import OptOutRefused
from reminders.models import SuppressionSource

ACTS = {"close": opting_out.opt_out, "open": opting_out.opt_in}


@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest, patient_id: int, point_id: int, act: str) -> HttpResponse:
    """GET asks for the reason and says whom it touches; POST acts. `act` is "close" or "open"."""
    if act not in ACTS:
        raise Http404
    staff = cast(Staff, request.user)
    patient = get_object_or_404(Patient.objects.seen_by(staff), pk=patient_id)
    shows(request, patient, patient_id=patient.pk)
    registration.require_edit(staff, patient)
    point = get_object_or_404(ContactPoint, pk=point_id, patient=patient, retired_at=None)
    channel = opting_out.CHANNEL_OF[point.kind]
    reason, problem = request.POST.get("reason", "").strip()[:200], ""
    if request.method == "POST":
        try:
            ACTS[act](
                channel=channel,
                address=point.value,
                source=SuppressionSource.STAFF,
                by=staff,
                now=timezone.now(),
                reason=reason,
            )
        except OptOutRefused as refused:
            problem = refused.sentence
        else:
            done = (
                gettext("gets no more messages")
                if act == "close"
                else gettext("may get messages about care again")
            )
            messages.success(request, f"{point.value} {done}.")
            return redirect("patient", patient.pk)
    context = {
        "patient": patient,
        "point": point,
        "act": act,
        "others": len(opting_out.sharers(channel, point.value)) - 1,
        "reason": reason,
        "problem": problem,
    }
    status = 422 if problem else 200
    return render(request, "reminders/contacts/contact.html", context, status=status)
