"""The tablet in the patient's hands: staff hand it over signed out, and it shows that patient's
forms and nothing else until somebody of the staff signs in."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments import asked_forms
from clinic import access, audit, handover, origin
from clinic.access import Capability
from clinic.handover import Handover
from clinic.models import Site, Staff
from clinic.reader_language import reader_language
from clinic.views.current_site import current_site
from clinic.views.looking import shows
from patients.models import Patient
from patients.signing import page
from patients.signing.page import Problem
from patients.signing.page_words import SIGNING_WORDS

SIGNED = "signed"


@require_POST
def hand_over(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Sign the member of staff out on this device and show the patient's forms; `back` is the page
    they come back to."""
    staff = cast(Staff, request.user)
    patient = get_object_or_404(Patient.objects.seen_by(staff), pk=patient_id)
    site = current_site(request)
    if not patient.sites.filter(pk=site.pk).exists():
        site = patient.sites.filter(pk__in=access.sites_of(staff)).first() or site
    access.require(staff, Capability.RUN_VISIT, site)
    shows(request, patient, patient_id=patient.pk)
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = f"/patients/{patient.pk}/"
    handover.begin(
        request,
        patient_id=patient.pk,
        site_id=site.pk,
        by=staff,
        back=back,
        now=timezone.now(),
    )
    # The address keeps the language, also once the time is over and nobody is known any more.
    return handover.forget_staff(redirect(f"{reverse('handover')}?lang={patient.language}"))


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forms(request: HttpRequest) -> HttpResponse:
    """The forms of the patient who holds the tablet; POST signs those that were ticked."""
    now = timezone.now()
    given = handover.current(request, now=now)
    if given is None:
        return _over(request)
    patient = Patient.objects.get(pk=given.patient_id)
    site = Site.objects.get(pk=given.site_id)
    audit.look(subject=patient, patient_id=patient.pk, by=None, now=now, site_id=site.pk)
    language = page.language_of(patient, request.GET.get("lang", ""))
    problem: Problem | None = None
    if request.method == "POST":
        done = page.sign(
            patient=patient,
            typed=request.POST,
            language=language,
            site=site,
            handed_by=Staff.objects.get(pk=given.staff_id),
            ip=origin.current().ip,
            now=now,
        )
        if not isinstance(done, Problem):
            request.session[SIGNED] = len(done)
            return HttpResponseRedirect(f"{request.path}?lang={language}", status=303)
        problem = done
    context: dict[str, Any] = page.context(
        patient=patient,
        asked=asked_forms.of_patient(patient, now=now),
        site=site,
        language=language,
        now=now,
        typed=request.POST if problem else None,
        problem=problem,
    )
    count = request.session.get(SIGNED)
    context["thanks"] = page.thanks(count, language) if count else ""
    return render(
        request, "appointments/handover/forms.html", context, status=422 if problem else 200
    )


@login_not_required
@never_cache
@require_POST
def take_back(request: HttpRequest) -> HttpResponse:
    """Leave nothing on the tablet, and ask the member of staff to sign in."""
    given: Handover | None = handover.current(request, now=timezone.now())
    back = given.back if given else reverse("start")
    handover.end(request)
    query = urlencode({"next": back})
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{query}", status=303)


def _over(request: HttpRequest) -> HttpResponse:
    """Nothing was handed over, or its time is over. Staff who signed in meanwhile go on."""
    if request.user.is_authenticated:
        return redirect("start")
    asked = request.GET.get("lang", "")
    language = asked if asked in SIGNING_WORDS else reader_language()
    context = {"language": language, "words": SIGNING_WORDS[language]}
    return render(request, "appointments/handover/over.html", context, status=410)
