"""/p/<token>/questions/: what the protocol asks before a visit, on one short form.

Only for who proved the birth date on the care page, because questions tell the treatment. GET
changes nothing. What follows from the answers is told by a person; the page thanks for all alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from appointments import links
from appointments.clearance import answering, treatment_of
from appointments.clearance.due_questions import moment_of
from appointments.models import Appointment
from patients.screening import form as forms
from patients.screening.recording import AnswerRefused
from reminders.patient_pages import asked_visit, self_service
from reminders.patient_pages.language import language_of
from reminders.patient_pages.self_service import for_patients
from reminders.wording.care_words import WORDS
from reminders.wording.question_words import QUESTION_WORDS


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: HttpRequest, token: str) -> HttpResponse:
    """The questions that are due; POST answers them all."""
    now = timezone.now()
    link = links.open(token, now=now)
    if not self_service.is_proved(request, link):
        return HttpResponseRedirect(reverse("care-page", args=[token]), status=303)
    visit = asked_visit.of_link(link, now=now)
    asked = asked_visit.questions_of(visit, now=now)
    language = language_of(request, link.patient)
    fields = forms.fields(asked, request.POST, language=language)
    problem = ""
    if request.method == "POST" and visit is not None:
        said, is_right = forms.said_in(fields, request.POST, complete=True)
        if is_right:
            problem = _answered(visit, said, fields, language, now=now)
        else:
            problem = QUESTION_WORDS[language]["open"]
        if not problem:
            return HttpResponseRedirect(f"{request.path}?sent=1", status=303)
    context = {
        "language": language,
        "words": QUESTION_WORDS[language],
        "call": WORDS[language]["call"],
        "site": visit.site if visit else link.patient.sites.order_by("name").first(),
        "fields": fields,
        "problem": problem,
        "first_open": next((field.name for field in fields if field.problem), ""),
        "care_url": reverse("care-page", args=[token]),
        "was_sent": request.GET.get("sent") == "1",
    }
    status = 422 if problem else 200
    return render(request, "reminders/care/questions.html", context, status=status)


def _answered(
    visit: Appointment, said: Any, fields: Sequence[forms.Field], language: str, *, now: datetime
) -> str:
    """Write the answers down; what to mend, in `language`, when they cannot be."""
    try:
        answering.answer(
            treatment=treatment_of(visit),
            said=said,
            moment=moment_of(visit, now),
            by=None,
            now=now,
        )
    except AnswerRefused as refusal:
        for field in fields:
            if field.question.id == refusal.field:
                field.problem = field.words["day"]
        return QUESTION_WORDS[language]["open"]
    return ""
