"""/log/<visit>/: the treatment log of a visit, to write, to sign and to read."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments.charting import (
    amending,
    copying,
    crediting,
    drafting,
    fields,
    phrasing,
    signing,
)
from appointments.charting.last_used import LastUsed, last_used
from appointments.charting.log import Log, log_of
from appointments.charting.sheets import Sheet, sheet_of, signed_of
from appointments.lifecycle import UNDER_WAY, State
from appointments.models import Appointment, Phrase, SessionCredit
from appointments.models.record import NOT_WHOLE
from appointments.refusals import (
    DraftElsewhere,
    LogIncomplete,
    LogSigned,
    PhraseRefused,
    Refused,
    StaleLog,
)
from appointments.views import log_beside, log_form
from clinic import access
from clinic.access import Capability
from clinic.hours import local
from clinic.models import Staff
from clinic.reader_language import reader_language
from clinic.views.looking import shows
from clinic.views.row_id import row_id


@require_http_methods(["GET", "HEAD", "POST"])
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """The log; a form sent with `act` save, copy or sign keeps the draft first in any case, and
    one with a `phrase` has that at the end of its note."""
    visit = _seen(request, pk)
    if request.method != "POST":
        return _page(request, sheet_of(visit))
    typed = _with_phrase(log_form.read(request.POST), visit, request)
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
        return _page(request, sheet_of(visit), status=422, with_problems=True)
    except StaleLog as refused:
        return _stale(request, visit, typed, refused)
    except (DraftElsewhere, LogSigned) as refused:
        return _page(request, sheet_of(visit), status=409, lost=typed, problem=refused.sentence)
    except Refused as refused:
        sheet = sheet_of(visit, log=typed)
        return _page(request, sheet, status=409, problem=refused.sentence)
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
    visit = _seen(request, pk)
    try:
        record = drafting.save(
            appointment=visit,
            log=log_form.read(request.POST),
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
    visit = _seen(request, pk)
    try:
        drafting.take_over(appointment=visit, by=cast(Staff, request.user), now=timezone.now())
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, gettext("You write this log now."))
    return HttpResponseRedirect(reverse("log", args=[pk]), status=303)


@require_POST
def amend(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an addendum to the signed log; only what differs from the log as it stands is one."""
    visit = _seen(request, pk)
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
        return _page(request, sheet, status=422, addendum=kept)
    messages.success(request, gettext("The addendum stands above the log."))
    return HttpResponseRedirect(reverse("log", args=[pk]), status=303)


@require_POST
def credit(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide whether a session that was done in part counts."""
    visit = _seen(request, pk)
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


def _seen(request: HttpRequest, pk: int) -> Appointment:
    rows = Appointment.objects.seen_by(cast(Staff, request.user)).select_related(
        "series__patient", "site", "protocol_version__modality"
    )
    found = get_object_or_404(rows, pk=pk)
    shows(request, found, patient_id=found.series.patient_id)
    return found


def _stale(request: HttpRequest, visit: Appointment, typed: Log, refused: StaleLog) -> HttpResponse:
    """What was typed beside what is stored; sent again, it takes its place."""
    sheet = sheet_of(visit, log=typed)
    stored = log_of(sheet.record.document) if sheet.record is not None else Log()
    return _page(request, sheet, status=409, stored=stored, problem=refused.sentence)


def _page(
    request: HttpRequest,
    sheet: Sheet,
    *,
    status: int = 200,
    stored: Log | None = None,
    lost: Log | None = None,
    problem: str = "",
    with_problems: bool = False,
    addendum: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page of a sheet. `stored` stands beside what differs, `lost` was typed and not kept."""
    visit, record, by = sheet.visit, sheet.record, cast(Staff, request.user)
    may_chart = access.can(by, Capability.CHART, visit.site)
    is_open = visit.state in (*UNDER_WAY, State.DONE)
    is_signed = record is not None and record.is_signed
    is_anothers = record is not None and not is_signed and record.drafted_by_id != by.pk
    may_write = may_chart and is_open and not is_signed and not is_anothers
    shown = log_form.entries(
        sheet,
        stored=stored,
        with_problems=with_problems,
        last_used=last_used(sheet) if may_write else LastUsed(),
    )
    context = {
        "visit": visit,
        "series": visit.series,
        "patient": visit.series.patient,
        "site": visit.site,
        "version": sheet.version,
        "sheet": sheet,
        "record": record,
        "entries": shown,
        "phrases": Phrase.objects.filter(site=visit.site_id) if may_write else (),
        "treatment": sheet.protocol.treatment_in_words(sheet.areas, reader_language()),
        "may_chart": may_chart,
        "is_open": is_open,
        "is_done": visit.state == State.DONE,
        "may_start": may_chart
        and visit.state == State.ARRIVED
        and access.can(by, Capability.RUN_VISIT, visit.site),
        "is_in_treatment": visit.state == State.IN_TREATMENT,
        "may_write": may_write,
        "is_anothers": is_anothers,
        "is_stale": stored is not None,
        "problem": problem,
        "lost": _lost(sheet, shown, lost),
        "last_is_known": bool(sheet.was),
        "addendum": addendum,
        **log_beside.context(sheet, may_chart=may_chart, now=timezone.now()),
        **(_signed(sheet, shown) if is_signed else {}),
    }
    return render(request, "appointments/log/log.html", context, status=status)


def _lost(sheet: Sheet, shown: log_form.Entries, typed: Log | None) -> list[tuple[str, str, str]]:
    if typed is None:
        return []
    typed = fields.as_typed(sheet.protocol, typed)
    return log_form.differing(typed, sheet.log, _labels(shown))


def _labels(shown: log_form.Entries) -> dict[str, str]:
    labels = {each.path: each.label for each in shown.session}
    for zone in shown.zones:
        labels |= {each.path: f"{zone.name}: {each.label}" for each in zone.entries}
    for row in shown.map.rows if shown.map else ():
        labels |= {each.path: f"{row.name}: {each.label}" for each in row.entries}
    return labels


def _amendable(sheet: Sheet, shown: log_form.Entries) -> list[log_form.MapRow]:
    """The lines of the map that an addendum may correct: those of what was treated."""
    assert sheet.record is not None
    treated = fields.regions(sheet.protocol, sheet.record.treated)
    return [row for row in shown.map.rows if row.region in treated] if shown.map else []


def _signed(sheet: Sheet, shown: log_form.Entries) -> dict[str, Any]:
    """What a signed log shows besides: its addenda, its corrected values, its decision."""
    record = sheet.record
    assert record is not None
    labels = _labels(shown)
    addenda = list(record.addenda.select_related("by").order_by("-number"))
    corrected = copying.corrected(signed_of(record))
    now_said, signed_said = dict(corrected.values()), dict(sheet.log.values())
    decided = SessionCredit.objects.filter(appointment=sheet.visit)
    return {
        "addenda": [
            {
                "addendum": each,
                "corrections": [
                    (labels.get(path, path), log_form.said(value))
                    for path, value in each.corrections.items()
                ],
            }
            for each in addenda
        ],
        "corrected": {
            path: log_form.said(value)
            for path, value in now_said.items()
            if value != signed_said.get(path)
        },
        "totals_now": fields.totals(sheet.protocol, corrected),
        "delivered_now": sum(fields.totals(sheet.protocol, corrected).values()),
        "amendable_rows": _amendable(sheet, shown),
        "credit": decided.select_related("by").first(),
        "asks_credit": record.outcome in NOT_WHOLE,
    }
