"""/p/<token>/forms/: forms to read, to sign and to withdraw, behind the patient's birth date."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments import asked_forms, links
from appointments.models import PatientLink
from clinic import audit, origin
from clinic.models import Site
from patients.signing import page
from patients.signing.page import Problem
from patients.signing.page_words import SIGNING_WORDS
from patients.views.signed_forms import sheet_of
from reminders.patient_pages.language import language_of
from reminders.patient_pages.self_service import for_patients, is_proved, site_of


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def forms(request: HttpRequest, token: str) -> HttpResponse:
    """POST signs what was ticked. Who has not given the birth date is sent to do so."""
    now = timezone.now()
    link, site = _opened(request, token, now=now)
    if link is None or site is None:
        return HttpResponseRedirect("../")
    patient = link.patient
    language = language_of(request, patient)
    problem: Problem | None = None
    if request.method == "POST":
        done = page.sign(
            patient=patient,
            typed=request.POST,
            language=language,
            site=site,
            handed_by=None,
            ip=origin.current().ip,
            now=now,
        )
        if not isinstance(done, Problem):
            return HttpResponseRedirect(f"{request.path}?signed={len(done)}", status=303)
        problem = done
    context = page.context(
        patient=patient,
        asked=asked_forms.of_patient(patient, now=now),
        site=site,
        language=language,
        now=now,
        typed=request.POST if problem else None,
        problem=problem,
    )
    context |= {"here": request.path, "said": _said(request, language, len(context["signed"]))}
    return render(request, "reminders/care/forms.html", context, status=422 if problem else 200)


@for_patients
@require_POST
def withdraw(request: HttpRequest, token: str, signed: int) -> HttpResponse:
    now = timezone.now()
    link, _ = _opened(request, token, now=now)
    if link is None:
        return HttpResponseRedirect("../../../")
    done = page.withdraw(patient=link.patient, signed_id=signed, now=now)
    return HttpResponseRedirect("../../?withdrawn=1" if done else "../../", status=303)


@for_patients
@require_safe
def sheet(request: HttpRequest, token: str, signed: int) -> HttpResponse:
    """The patient's copy of what they signed."""
    now = timezone.now()
    link, _ = _opened(request, token, now=now)
    if link is None:
        return HttpResponseRedirect("../../../")
    row = link.patient.signed_forms.filter(pk=signed).first()
    if row is None:
        raise Http404
    audit.look(subject=row, patient_id=row.patient_id, by=None, now=now, site_id=row.site_id)
    return sheet_of(row)


def _opened(
    request: HttpRequest, token: str, *, now: datetime
) -> tuple[PatientLink | None, Site | None]:
    """The link and the site to sign for; no link until the birth date was given."""
    link = links.open(token, now=now)
    if not is_proved(request, link):
        return None, None
    return link, site_of(link, link.appointment)


def _said(request: HttpRequest, language: str, standing: int) -> str:
    """What the last press did; nobody is thanked for more than there is."""
    words = SIGNING_WORDS[language]
    count = request.GET.get("signed", "")
    if count.isdigit() and 0 < int(count[:2]) <= standing:
        return page.thanks(int(count[:2]), language)
    return words["withdrawn_now"] if request.GET.get("withdrawn") == "1" else ""
