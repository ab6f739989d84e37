"""/p/<token>/ and its calendar file: which page opens, by what the link is for."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse

from appointments import links
from appointments.models import PatientLink
from reminders.patient_pages import offer_page, self_service, touch_up_page
from reminders.patient_pages.self_service import Page

_PAGES: Mapping[str | None, Page] = {
    PatientLink.Purpose.OFFER: offer_page.offer,
    PatientLink.Purpose.TOUCH_UP: touch_up_page.touch_up,
}
_FILES: Mapping[str | None, Page] = {
    PatientLink.Purpose.OFFER: offer_page.taken_file,
    PatientLink.Purpose.TOUCH_UP: self_service.booked_file,
}


@login_not_required
def page(request: HttpRequest, token: str) -> HttpResponse:
    """An offer, a touch-up, or the patient's visits."""
    return _PAGES.get(links.purpose_of(token), self_service.care)(request, token)


@login_not_required
def visits_file(request: HttpRequest, token: str) -> HttpResponse:
    """The visits to come; of an offer or a touch-up those that it led to."""
    return _FILES.get(links.purpose_of(token), self_service.visits_file)(request, token)
