"""/log/<visit>/: the treatment log of a visit, to read, to write and to sign."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments.charting import drafting, phrasing, signing
from appointments.charting.log import Log, log_of
from appointments.charting.refusals import DraftElsewhere, LogIncomplete, PhraseRefused, StaleLog
from appointments.charting.sheets import sheet_of
from appointments.models import Appointment, Phrase
from appointments.refusals import LogSigned, Refused
from appointments.views import log_reading
from appointments.views.log_page import page, seen
from clinic.models import Staff
from clinic.views.row_id import row_id
from clinic.wall_time import local


@require_http_methods(["GET", "HEAD", "POST"])
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """The log; a form sent with `act` save, copy or sign keeps the draft first in any case, and
    one with a `phrase` has that at the end of its note."""
    visit = seen(request, pk)
    if request.method != "POST":
        return page(request, sheet_of(visit))
    typed = _with_phrase(log_reading.read(request.POST), visit, request)
    asked: dict[str, Any] = {
        "appointment": visit,
        "log": typed,
        "by": cast(Staff, request.user),
        "now": timezone.now(),
        "expected_version": row_id(request.POST.get("version", "0")),
    }
    act = request.POST.get("act", "save")
    try:
        if act == "sign":
            signing.save_and_sign(**asked)
        else:
            drafting.save(**asked, copy=act == "copy")
    except LogIncomplete:
        return page(request, sheet_of(visit), status=422, with_problems=True)
    except StaleLog as refused:
        return _stale(request, visit, typed, refused)
    except (DraftElsewhere, LogSigned) as refused:
        return page(request, sheet_of(visit), status=409, lost=typed, problem=refused.sentence)
    except Refused as refused:
        sheet = sheet_of(visit, log=typed)
        return page(request, sheet, status=409, problem=refused.sentence)
    messages.success(
        request, f"{visit.series.patient.display_name}: {_SAID.get(act, gettext('saved'))}."
    )
    # The script of the page lets go of what it kept on the device.
    kept = "#copied" if act == "copy" else "#kept"
    return HttpResponseRedirect(reverse("log", args=[pk]) + kept, status=303)


_SAID = {
    "save": _("the draft is saved"),
    "copy": _("last time's settings are in"),
    "sign": _("the log is signed"),
}


def _with_phrase(log: Log, visit: Appointment, request: HttpRequest) -> Log:
    """The log with the phrase that was pressed; one that was removed meanwhile is none."""
    phrases = Phrase.objects.filter(site=visit.site_id)
    asked = request.POST.get("phrase")
    found = phrases.filter(pk=row_id(asked)).first() if asked else None
    if found is None:
        return log
    try:
        return phrasing.put(log, found)
    except PhraseRefused as refused:
        messages.error(request, refused.sentence)
        return log


@require_POST
def autosave(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the draft in passing; the answer is JSON: the new version, or why it was not kept."""
    visit = seen(request, pk)
    try:
        record = drafting.save(
            appointment=visit,
            log=log_reading.read(request.POST),
            by=cast(Staff, request.user),
            now=timezone.now(),
            expected_version=row_id(request.POST.get("version", "0")),
        )
    except Refused as refused:
        body = {"code": refused.code, "sentence": refused.sentence}
        return JsonResponse(body, status=409)
    there = local(record.saved_at, visit.site.zone)
    return JsonResponse({"version": record.version, "saved": f"{there:%H:%M}"})


@require_POST
def take_over(request: HttpRequest, pk: int) -> HttpResponse:
    visit = seen(request, pk)
    try:
        drafting.take_over(appointment=visit, by=cast(Staff, request.user), now=timezone.now())
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("You write this log now."))
    return HttpResponseRedirect(reverse("log", args=[pk]), status=303)


def _stale(request: HttpRequest, visit: Appointment, typed: Log, refused: StaleLog) -> HttpResponse:
    """What was typed beside what is stored; sent again, it takes its place."""
    sheet = sheet_of(visit, log=typed)
    stored = log_of(sheet.record.document) if sheet.record is not None else Log()
    return page(request, sheet, status=409, stored=stored, problem=refused.sentence)
