"""A series that must follow a moved visit: the difference to look at, and one button for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from appointments.lifecycle import MoveRefused
from appointments.models import Appointment
from appointments.proposing.places import ReplanLine, VisitWish
from appointments.refusals import (
    IntervalTooLong,
    IntervalTooShort,
    NothingToUndo,
    OutOfOrder,
    Refused,
)
from appointments.visits import moving, rippling, undoing
from appointments.visits.moving import VisitMove
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.wall_time import local
from reminders.views.book_series import draft as drafts
from reminders.views.visit_acts import seen_visit, way_back

# What the rest of the series may yield to by following.
FOLLOWABLE = (IntervalTooShort, IntervalTooLong, OutOfOrder)


@dataclass(frozen=True, slots=True)
class Row:
    """One visit of the new plan. `least`, `ideal` and `most` are days since the session before;
    `written` is its move as one parameter, empty for one that stays."""

    line: ReplanLine
    written: str
    least: int = 0
    ideal: int = 0
    most: int = 0

    @property
    def is_breached(self) -> bool:
        days = self.line.interval_days
        return days is not None and not self.least <= days <= self.most


def rows_of(lines: Iterable[ReplanLine], zone: str, *, every: bool = False) -> list[Row]:
    """The lines of a new plan with their intervals in days; with `every` those that stay are
    written too."""
    rows = []
    for line in lines:
        move = f"{line.appointment.pk}.{line.appointment.version}.{drafts.written(line.after.wish)}"
        written = move if every or line.is_changed else ""
        if line.interval_days is None:
            rows.append(Row(line, written))
            continue
        day = local(line.after.starts_at, zone).date() - timedelta(days=line.interval_days)
        bounds = line.bounds
        days = [(on - day).days for on in (bounds.earliest, bounds.ideal, bounds.latest)]
        rows.append(Row(line, written, *days))
    return rows


def proposed(shown: Appointment, wish: VisitWish, refusal: Refused) -> list[Row]:
    """How the series could follow a move that was refused for its interval; empty when it
    cannot, or when it is the session before that stands in the way."""
    if not isinstance(refusal, FOLLOWABLE):
        return []
    try:
        found = rippling.preview(
            appointment=shown,
            starts_at=wish.starts_at,
            provider_id=wish.provider_id or None,
            room_id=wish.room_id or None,
            device_id=wish.device_id,
            now=timezone.now(),
        )
    except FOLLOWABLE:
        return []
    return rows_of(found.lines, shown.site.zone) if len(found.changed) > 1 else []


def diff_page(
    request: HttpRequest,
    shown: Appointment,
    rows: list[Row],
    *,
    reason: str,
    refused: str = "",
) -> HttpResponse:
    """What moves and what stays; nothing is held by looking at it."""
    by = cast(Staff, request.user)
    context = {
        "visit": shown,
        "patient": shown.series.patient,
        "site": shown.site,
        "version": shown.protocol_version,
        "rows": rows,
        "first": rows[0] if rows else None,
        "count": sum(bool(row.written) for row in rows),
        "place": drafts.written(rows[0].line.after.wish) if rows else "",
        "reason": reason,
        "refused": refused,
        "may_override": access.can(by, Capability.OVERRIDE_INTERVAL, shown.site),
    }
    status = 409 if refused or not rows else 200
    return render(request, "reminders/visit/ripple.html", context, status=status)


@require_POST
def ripple(request: HttpRequest, pk: int) -> HttpResponse:
    """Move the visits as they were shown; what is stale or lost shows the difference anew."""
    shown, by = seen_visit(request, pk), cast(Staff, request.user)
    access.require(by, Capability.BOOK, shown.site)
    reason = request.POST.get("reason", "").strip()[:200]
    visits = shown.series.appointments.select_related("site")
    moves = moves_in(request, {visit.pk: visit for visit in visits})
    own = next((each.wish for each in moves if each.appointment.pk == shown.pk), None)
    if own is None:
        messages.error(request, gettext("Choose the start again: what was shown cannot be read."))
        return HttpResponseRedirect(reverse("visit-move", args=[pk]), status=303)
    try:
        moved = moving.move_together(moves=moves, by=by, now=timezone.now(), reason=reason)
    except (Refused, MoveRefused) as refusal:
        fresh = seen_visit(request, pk)
        try:
            found = rippling.of_wish(appointment=fresh, wish=own, now=timezone.now())
        except Refused as gone:
            messages.error(request, gone.sentence)
            return HttpResponseRedirect(reverse("visit", args=[pk]), status=303)
        told = found.problem.sentence if found.problem else refusal.sentence
        rows = rows_of(found.lines, fresh.site.zone)
        return diff_page(request, fresh, rows, reason=reason, refused=told)
    back = reverse("visit", args=[pk])
    name = shown.series.patient.display_name
    messages.success(
        request,
        ngettext(
            "%(name)s: %(count)s visit moved.", "%(name)s: %(count)s visits moved.", len(moved)
        )
        % {"name": name, "count": len(moved)},
        extra_tags=undo_address(pk, moved, back),
    )
    return HttpResponseRedirect(back, status=303)


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back the last act on each of the visits named in the address."""
    shown = seen_visit(request, pk)
    numbers = versions_in(request.GET.getlist("visit"))
    seen = Appointment.objects.seen_by(cast(Staff, request.user))
    rows = list(seen.select_related("site", "series__site").filter(pk__in=numbers))
    try:
        if not rows or len(rows) < len(numbers):
            raise NothingToUndo(
                gettext("What to take back cannot be read. Undo it on the visits' pages.")
            )
        undoing.undo_together(
            visits=[(row, numbers[row.pk]) for row in rows],
            by=cast(Staff, request.user),
            now=timezone.now(),
        )
    except (Refused, MoveRefused) as refusal:
        messages.error(request, refusal.sentence)
    else:
        name = shown.series.patient.display_name
        said = ngettext(
            "%(name)s: the visit is back to what it was.",
            "%(name)s: %(count)s visits back to what they were.",
            len(rows),
        )
        messages.success(request, said % {"name": name, "count": len(rows)})
    return HttpResponseRedirect(way_back(request, shown), status=303)


def versions_in(texts: Sequence[str]) -> dict[int, int]:
    """By id, the versions of visits that parameters such as "7.2" name; what cannot be read is not
    among them."""
    pairs = [text.split(".", 1) for text in texts[:24] if text.count(".") == 1]
    return {int(key): int(version) for key, version in pairs if _are_numbers(key, version)}


def moves_in(request: HttpRequest, visits: Mapping[int, Appointment]) -> list[VisitMove]:
    """The moves of the form, of these visits by id; what cannot be read is not among them."""
    moves = []
    for text in request.POST.getlist("move")[:24]:
        key, version, place = (*text.split(".", 2), "", "")[:3]
        wish = _read(drafts.wish, place)
        if _are_numbers(key, version) and int(key) in visits and wish is not None:
            moves.append(VisitMove(visits[int(key)], wish, int(version)))
    return moves


def _are_numbers(*texts: str) -> bool:
    return all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts)


def _read(of: Callable[[str], VisitWish], text: str) -> VisitWish | None:
    try:
        return of(text)
    except (ValueError, OverflowError):
        return None


def undo_address(pk: int, changed: list[Appointment], back: str) -> str:
    """Where the toast's Undo posts to take back the act that made these versions together."""
    pairs: list[tuple[str, Any]] = [("visit", f"{visit.pk}.{visit.version}") for visit in changed]
    return f"{reverse('visit-take-back', args=[pk])}?{urlencode([*pairs, ('next', back)])}"
