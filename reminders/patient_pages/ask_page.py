"""/p/<token>/…/ask/: when the patient could come, in their own words; staff call them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from appointments.by_link import asking
from appointments.models import Appointment, PatientLink
from clinic.saying import noop
from reminders.patient_pages import own_visit
from reminders.patient_pages.self_service import for_patients, site_of


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def ask_to_move(request: HttpRequest, token: str, visit: int) -> HttpResponse:
    """About one visit for which no time suits."""
    link, shown = own_visit.opened(token, visit, now=timezone.now())
    return _page(request, link, shown, noop("Wants another time"))


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, token: str) -> HttpResponse:
    """About a touch-up, or whatever else the page does not offer."""
    link = own_visit.opened_for_either(token, now=timezone.now())
    is_touch_up = link.purpose == PatientLink.Purpose.TOUCH_UP
    title = noop("Wants a touch-up") if is_touch_up else noop("Wants a visit")
    return _page(request, link, None, title)


def _page(
    request: HttpRequest, link: PatientLink, visit: Appointment | None, title: str
) -> HttpResponse:
    site = site_of(link, visit or link.appointment)
    assert site is not None  # every patient has one
    context = own_visit.base(request, link, site)
    wish, problem = request.POST.get("wish", "").strip(), ""
    if request.method == "POST" and not wish:
        problem = context["words"]["ask_empty"]
    elif request.method == "POST":
        now = timezone.now()
        asking.ask(link=link, visit=visit, site=site, wish=wish, title=title, now=now)
        return HttpResponseRedirect(f"{request.path}?sent=1", status=303)
    context |= {
        "problem": problem,
        "was_sent": request.GET.get("sent") == "1",
        "wish_length": asking.WISH_LENGTH,
    }
    return render(request, "reminders/care/ask.html", context, status=422 if problem else 200)
