"""The page of a treatment log, whoever looks at it and whatever was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from appointments.charting import copying, fields
from appointments.charting.last_used import LastUsed, last_used
from appointments.charting.log import Log, Value
from appointments.charting.sheets import Sheet, signed_of, used_now
from appointments.lifecycle import UNDER_WAY, State
from appointments.models import Appointment, Phrase, SessionCredit
from appointments.models.record import NOT_WHOLE
from appointments.views import log_beside, log_form
from appointments.views.log_entries import Entries, MapRow, differing, said
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.reader_language import reader_language
from clinic.views.looking import shows


def seen(request: HttpRequest, pk: int) -> Appointment:
    rows = Appointment.objects.seen_by(cast(Staff, request.user)).select_related(
        "series__patient", "site", "protocol_version__modality"
    )
    found = get_object_or_404(rows, pk=pk)
    shows(request, found, patient_id=found.series.patient_id)
    return found


def page(
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
        "map_now": shown.map,
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


def _lost(sheet: Sheet, shown: Entries, typed: Log | None) -> list[tuple[str, str, str]]:
    if typed is None:
        return []
    typed = fields.as_typed(sheet.protocol, typed)
    return differing(typed, sheet.log, _telling(shown))


def _telling(shown: Entries) -> Callable[[str, Value | None], tuple[str, str]]:
    """What tells the label of a path, and a value of it in words."""
    known = {each.path: (each.label, each) for each in shown.session}
    for zone in shown.zones:
        known |= {each.path: (f"{zone.name}: {each.label}", each) for each in zone.entries}
    for row in shown.map.rows if shown.map else ():
        known |= {each.path: (f"{row.name}: {each.label}", each) for each in row.entries}

    def told(path: str, value: Value | None) -> tuple[str, str]:
        if path not in known:
            return path, said(value)
        label, entry = known[path]
        return label, entry.word(said(value))

    return told


def _amendable(sheet: Sheet, shown: Entries) -> list[MapRow]:
    """The lines of the map that an addendum may correct: those of what was treated."""
    assert sheet.record is not None
    treated = fields.regions(sheet.protocol, sheet.record.treated)
    return [row for row in shown.map.rows if row.region in treated] if shown.map else []


def _signed(sheet: Sheet, shown: Entries) -> dict[str, Any]:
    """What a signed log shows besides: its addenda, its corrected values, its decision."""
    record = sheet.record
    assert record is not None
    told = _telling(shown)
    addenda = list(record.addenda.select_related("by").order_by("-number"))
    log_now = copying.corrected(signed_of(record))
    signed_said = dict(sheet.log.values())
    corrected = {
        path: told(path, value)[1]
        for path, value in log_now.values()
        if value != signed_said.get(path)
    }
    cartridge, used = fields.cartridge_of(sheet.protocol, log_now), used_now(record)
    is_counted_anew = cartridge is not None and (
        used != record.used
        or record.cartridge is None
        or cartridge.code_of_row != record.cartridge.code
    )
    is_map_corrected = any(path.startswith("regions.") for path in corrected)
    decided = SessionCredit.objects.filter(appointment=sheet.visit)
    return {
        "addenda": [
            {
                "addendum": each,
                "corrections": [told(path, value) for path, value in each.corrections.items()],
            }
            for each in addenda
        ],
        "corrected": corrected,
        "cartridge_now": cartridge if is_counted_anew else None,
        "used_now": used,
        "unit_now": fields.unit_of_life(sheet.protocol),
        "map_now": log_form.map_of(replace(sheet, log=log_now)) if is_map_corrected else shown.map,
        "amendable_rows": _amendable(sheet, shown),
        "credit": decided.select_related("by").first(),
        "asks_credit": record.outcome in NOT_WHOLE,
    }
