"""Arrival: who it is by two signs, what is to sign and to ask, and one press to check in.

Nothing here bars arriving: what is lacking goes along with the visit, and bars starting.
"""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from appointments.clearance import due_questions
from appointments.lifecycle import Move
from clinic import access
from clinic.models import Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from patients.models import ContactPoint
from reminders.views import forms_panel, visit_acts, visit_clearance
from reminders.views.visit import act as visit_act
from reminders.views.visit_acts import seen_visit


@require_http_methods(["GET", "HEAD", "POST"])
def check_in(request: HttpRequest, pk: int) -> HttpResponse:
    """POST checks in, as the press on every other page does."""
    if request.method == "POST":
        return visit_act(request, pk, "check-in")
    shown, now = seen_visit(request, pk), timezone.now()
    patient, version = shown.series.patient, shown.protocol_version
    held = access.capabilities(cast(Staff, request.user), shown.site)
    offered = visit_acts.offered(shown, shown.site.zone, held, now)
    protocol = protocols.get(version)
    points = ContactPoint.objects.filter(patient=patient, retired_at=None)
    forms = forms_panel.of_visit(shown, held, now=now)["forms"]
    questions = len(due_questions.of_visits([shown], now=now)[shown.pk])
    barring = visit_clearance.context(shown, held, now)
    context = {
        "visit": shown,
        "series": shown.series,
        "patient": patient,
        "site": shown.site,
        "version": version,
        "treatment": protocol.treatment_in_words(shown.series.areas, reader_language()),
        "points": points.order_by("kind", "-is_preferred", "id"),
        "guardians": patient.guardians.filter(ended_at=None),
        "forms": forms,
        "questions": questions,
        "lacking": bool(questions)
        + sum(line.is_due and line.is_treatment for line, *_ in forms["lines"]),
        "may_check_in": any(act.move is Move.CHECK_IN for act in offered),
        "back": reverse("visit-check-in", args=[pk]),
        **barring,
    }
    return render(request, "reminders/visit/check_in.html", context)
