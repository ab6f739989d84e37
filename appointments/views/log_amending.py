"""/log/<visit>/amend/ and credit/: what is said of a log once it is signed."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from appointments.charting import amending, crediting
from appointments.charting.sheets import sheet_of
from appointments.refusals import Refused
from appointments.views.log_page import page, seen
from clinic.models import Staff


@require_POST
def amend(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an addendum to the signed log; only what differs from the log as it stands is one."""
    visit = seen(request, pk)
    reason, text = request.POST.get("reason", ""), request.POST.get("text", "")
    sheet = sheet_of(visit)
    typed = {
        name.removeprefix("correct."): value.strip()
        for name, value in request.POST.items()
        if name.startswith("correct.") and isinstance(value, str) and value.strip()
    }
    try:
        amending.amend(
            appointment=visit,
            reason=reason,
            text=text,
            corrections=typed,
            by=cast(Staff, request.user),
            now=timezone.now(),
        )
    except Refused as refused:
        kept = {"reason": reason, "text": text, "problem": refused.sentence, "typed": typed}
        return page(request, sheet, status=422, addendum=kept)
    messages.success(request, gettext("The addendum stands above the log."))
    return HttpResponseRedirect(reverse("log", args=[pk]), status=303)


@require_POST
def credit(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide whether a session that was done in part counts."""
    visit = seen(request, pk)
    try:
        decided = crediting.decide(
            appointment=visit,
            counts=request.POST.get("counts") == "yes",
            reason=request.POST.get("reason", ""),
            by=cast(Staff, request.user),
            now=timezone.now(),
        )
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        said = (
            gettext("Session %(session)s counts.")
            if decided.counts
            else gettext("Session %(session)s does not count; one more is agreed.")
        )
        messages.success(
            request,
            said % {"session": visit.session},
        )
    return HttpResponseRedirect(reverse("log", args=[pk]), status=303)
