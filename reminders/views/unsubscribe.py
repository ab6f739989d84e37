"""The page behind a marketing mail's unsubscribe link, and its one-click form (RFC 8058)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from appointments.links import LinkClosed
from reminders.models import SuppressionSource
from reminders.patient_pages import unsubscribing
from reminders.patient_pages.language import language_of
from reminders.patient_pages.self_service import closed_page, for_patients, site_of
from reminders.wording.preference_words import PREFERENCE_WORDS


@csrf_exempt  # mail programs post without a page before; the token alone proves the recipient
@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, for scanners open links; POST acts, and says the same each time."""
    now = timezone.now()
    try:
        link = unsubscribing.opened(token, now=now)
        if request.method == "POST":
            unsubscribing.unsubscribe(token=token, source=_source(request), now=now)
    except LinkClosed as closed:
        language = language_of(request, closed.link.patient if closed.link else None)
        sentence = PREFERENCE_WORDS[language]["offers_closed"]
        return closed_page(request, token, closed, sentence=sentence)
    language = language_of(request, link.patient)
    context = {
        "language": language,
        "words": PREFERENCE_WORDS[language],
        "site": site_of(link, link.appointment),
        "is_done": request.method == "POST",
    }
    return render(request, "reminders/unsubscribe.html", context)


def _source(request: HttpRequest) -> SuppressionSource:
    """A mail program says so in its form (RFC 8058, section 3.2)."""
    is_one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    return SuppressionSource.ONE_CLICK if is_one_click else SuppressionSource.LINK
