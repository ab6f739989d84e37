"""The page behind a marketing mail's unsubscribe link, and its one-click form (RFC 8058)."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from appointments.links import LinkClosed
from reminders.models import SuppressionSource
from reminders.patient_pages import unsubscribing
from reminders.patient_pages.language import language_of


@login_not_required
@csrf_exempt  # mail programs post without a page before; the token alone proves the recipient
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, for scanners open links; POST acts, and says the same each time."""
    now = timezone.now()
    context: dict[str, object] = {"is_done": request.method == "POST"}
    try:
        link = unsubscribing.opened(token, now=now)
        context["language"] = language_of(request, link.patient)
        if request.method == "POST":
            unsubscribing.unsubscribe(token=token, source=_source(request), now=now)
    except LinkClosed as closed:
        context["closed"] = closed.sentence
    status = 404 if "closed" in context else 200
    return render(request, "reminders/unsubscribe.html", context, status=status)


def _source(request: HttpRequest) -> SuppressionSource:
    """A mail program says so in its form (RFC 8058, section 3.2)."""
    is_one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    return SuppressionSource.ONE_CLICK if is_one_click else SuppressionSource.LINK
