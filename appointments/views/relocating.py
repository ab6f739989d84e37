"""Visits that cannot stay, on the page of what makes them move: proposals, and moving them.

With script each request moves the next patients and answers with the progress; without it one
press moves as many as fit into some seconds. Whatever interrupts it, what was moved stays moved
and the rest is still listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from appointments.absences import relocating
from appointments.absences.relocating import Relocated, Relocation
from appointments.models import Appointment
from appointments.proposing.places import VisitWish
from appointments.visits.moving import VisitMove
from clinic import access, deadlines
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.views.looking import lists
from patients.models import Patient

# A step of the progress bar, and a press without script.
STEP_SECONDS, PRESS_SECONDS = 0.4, 5.0
_FAR = "%Y%m%dT%H%M"
_PAIR = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")
# So many patients are told of one by one, each with an undo; more only with their number.
SAID_EACH = 5


@dataclass(frozen=True, slots=True)
class Group:
    """The visits of one patient that move together; `written` are their places as parameters."""

    patient: Patient
    rows: Sequence[Relocation]

    @property
    def written(self) -> list[str]:
        return [written(line.move) for row in self.rows for line in row.lines]

    @property
    def stays_at_its_time(self) -> bool:
        return not any(line.starts_elsewhere for row in self.rows for line in row.lines)


def written(move: VisitMove) -> str:
    """A visit, the version seen, and its new place as one parameter."""
    wish = move.wish
    start = wish.starts_at.astimezone(UTC).strftime(_FAR)
    return (
        f"{move.appointment.pk}~{move.expected_version}~{start}"
        f"~{wish.provider_id}~{wish.room_id}~{wish.device_id or ''}"
    )


def work(request: HttpRequest, site: Site, visits: Iterable[Appointment]) -> dict[str, Any]:
    """What a page shows of the visits that cannot stay."""
    found = relocating.propose(visits=visits, now=timezone.now())
    groups = _groups(row for row in found if row.lines)
    by = cast(Staff, request.user)
    lists(request, (group.patient.pk for group in groups), site_id=site.pk)
    return {
        "site": site,
        "groups": groups,
        "stuck": [row for row in found if row.problem],
        "count": len(found),
        "quiet": sum(group.stays_at_its_time for group in groups),
        "may_move": access.can(by, Capability.BOOK, site),
    }


def move(
    request: HttpRequest,
    *,
    site: Site,
    visits: Iterable[Appointment],
    back: str,
    address: str,
    reason: str,
) -> HttpResponse:
    """Move the ticked patients, or the one whose button was pressed."""
    by, with_script = cast(Staff, request.user), bool(request.headers.get("HX-Request"))
    proceed = deadlines.within(STEP_SECONDS if with_script else PRESS_SECONDS)
    visits, wanted = list(visits), _wanted(request, by)
    done = relocating.relocate(
        moves=wanted, visits=visits, by=by, now=timezone.now(), reason=reason, proceed=proceed
    )
    so_far = [*request.POST.getlist("done"), *(f"{v.pk}.{v.version}" for v in done.moved)]
    if not with_script:
        _tell(request, done, _undos(so_far, by, back))
        return HttpResponseRedirect(back, status=303)
    moved = _number(request, "moved") + len(done.moved)
    refused = _number(request, "refused") + len(done.refused)
    settled = {visit.pk for visit in done.moved} | {visit.pk for visit, _ in done.refused}
    left = [each for each in wanted if each.appointment.pk not in settled] if done.left else []
    context: dict[str, Any] = {"address": address, "moved": moved, "refused": refused}
    context["done"] = so_far
    if left:
        still = {each.appointment.series_id for each in left}
        rows = relocating.laid_out(
            visits=[visit for visit in visits if visit.series_id in still], moves=left
        )
        total = max(_number(request, "total"), moved + refused + len(left))
        context |= {"site": site, "groups": _groups(rows), "total": total}
        return render(request, "appointments/blocks/_moving.html", context)
    context |= work(request, site, _still(visits, done)) | {"is_over": True}
    context["undos"] = _undos(so_far, by, back)
    return render(request, "appointments/blocks/_work.html", context)


@dataclass(frozen=True, slots=True)
class Undo:
    """What was moved of one patient, and where a press takes it back."""

    patient: Patient
    count: int
    address: str


def _undos(written: Sequence[str], by: Staff, back: str) -> list[Undo]:
    """By patient the way to take back what was moved, from visits written as "id.version"."""
    versions = dict(text.split(".", 1) for text in written if _PAIR.fullmatch(text))
    rows = Appointment.objects.seen_by(by).filter(pk__in=versions).select_related("series__patient")
    by_patient: dict[Patient, list[int]] = {}
    for visit in rows.order_by("starts_at", "id"):
        by_patient.setdefault(visit.series.patient, []).append(visit.pk)
    undos = []
    for patient, visits in by_patient.items():
        pairs = [("visit", f"{pk}.{versions[str(pk)]}") for pk in visits]
        take_back = reverse("visit-take-back", args=visits[:1])
        address = f"{take_back}?{urlencode([*pairs, ('next', back)])}"
        undos.append(Undo(patient, len(visits), address))
    return undos


def _still(visits: Sequence[Appointment], done: Relocated) -> list[Appointment]:
    """Those that are work yet, as they are now."""
    moved = {visit.pk for visit in done.moved}
    left = [visit.pk for visit in visits if visit.pk not in moved]
    return list(
        Appointment.objects.filter(pk__in=left).select_related(
            "site", "protocol_version", "series__patient", "series__site"
        )
    )


def _wanted(request: HttpRequest, by: Staff) -> list[VisitMove]:
    """The moves of the chosen patients; what cannot be read counts as not chosen."""
    only = request.POST.get("only")
    chosen = {only} if only else set(request.POST.getlist("patient"))
    read = [each for text in request.POST.getlist("move") if (each := _read(text)) is not None]
    rows = Appointment.objects.seen_by(by).select_related("site", "series__patient")
    known = rows.in_bulk([pk for pk, _, _ in read])
    return [
        VisitMove(known[pk], wish, version)
        for pk, version, wish in read
        if pk in known and str(known[pk].series.patient_id) in chosen
    ]


def _read(text: str) -> tuple[int, int, VisitWish] | None:
    try:
        visit, version, start, provider, room, device = text.split("~")
        at = datetime.strptime(start, _FAR).replace(tzinfo=UTC)
        ids = [int(each) for each in (visit, version, provider, room, device or "0")]
    except ValueError:
        return None
    if not all(0 <= each < 2**31 for each in ids) or not 2000 <= at.year <= 2100:
        return None
    return ids[0], ids[1], VisitWish(at, ids[2], ids[3], ids[4] or None)


def _groups(rows: Iterable[Relocation]) -> list[Group]:
    """By patient, the patient of the nearest visit first."""
    found = list(rows)
    first = {row.visit.series.patient_id: n for n, row in reversed(list(enumerate(found)))}
    found.sort(key=lambda row: first[row.visit.series.patient_id])
    return [
        Group(group[0].visit.series.patient, group)
        for _, some in groupby(found, key=lambda row: row.visit.series.patient_id)
        if (group := list(some))
    ]


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def _tell(request: HttpRequest, done: Relocated, undos: Sequence[Undo]) -> None:
    if not done.moved and not done.refused:
        messages.error(request, gettext("Nothing was moved. Choose at least one patient below."))
    if done.moved and not done.left and len(undos) <= SAID_EACH:
        for each in undos:
            said = ngettext(
                "%(name)s: %(count)s visit moved.", "%(name)s: %(count)s visits moved.", each.count
            )
            messages.success(
                request,
                said % {"name": each.patient.display_name, "count": each.count},
                extra_tags=each.address,
            )
    elif done.moved:
        count = len(done.moved)
        said = ngettext("%(count)s visit moved.", "%(count)s visits moved.", count) % {
            "count": count
        }
        if done.left:
            left = ngettext(
                "%(count)s patient left: move on below.",
                "%(count)s patients left: move on below.",
                done.left,
            )
            said += " " + left % {"count": done.left}
        messages.success(request, said)
    for visit, sentence in done.refused[:3]:
        messages.error(request, f"{visit.series.patient.display_name}: {sentence}")
